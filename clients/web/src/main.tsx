/** The demo chat: one page on the palaver client, for development and for looking at. */

import { render } from "preact";
import { App } from "./app.js";
import { applyTheme } from "./settings.js";
import "./style.css";
import "./style/thread.css";
import "./style/bubble.css";
import "./style/files.css";
import "./style/composer.css";
import "./style/inbox.css";
import "./style/details.css";

applyTheme();

render(<App />, document.getElementById("app")!);
