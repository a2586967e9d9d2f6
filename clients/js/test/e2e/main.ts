/** Plays one story against a server that somebody else has started:
 *
 *     node dist/test/e2e/main.js STORY URL SECRET [HTTP_URL]
 *
 * What is to become of the server is said on stdout (`@kill`), and done when a line comes back. */

import { once } from "node:events";
import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";
import * as names from "./names.js";
import * as own from "./own-stories.js";
import * as shared from "./stories.js";
import { World } from "./world.js";

const [story = "", url = "", secret = "", httpUrl] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin });

async function ask(what: string): Promise<void> {
  console.log(`@${what}`);
  await once(lines, "line");
}

function token(user: string, ttl?: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const end = ttl === undefined ? {} : { exp: Math.ceil(Date.now() / 1000) + ttl };
  const said = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, ...end })}`;
  return `${said}.${createHmac("sha256", secret).update(said).digest("base64url")}`;
}

const stories: Record<string, (world: World) => Promise<void>> = { ...shared, ...own, ...names };
const play = stories[story];
if (play === undefined) throw new Error(`there is no story ${story}`);
const world = new World(url, token, ask, httpUrl);
try {
  await play(world);
  await world.end();
} catch (error) {
  console.error(error);
  process.exit(1);
}
lines.close();
process.stdin.destroy();
// What is closed leaves no timer and no socket, so nothing keeps this program from its end.
setTimeout(() => {
  console.error(`something is left: ${process.getActiveResourcesInfo()}`);
  process.exit(1);
}, 10_000).unref();
