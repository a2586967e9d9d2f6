/** The whole of it: the inbox beside the conversation that is open, or one of the two on a phone. */

import { useEffect, useState } from "preact/hooks";
import { Offline, Problem } from "./banner.js";
import { useModel, useNames, useSession } from "./hooks.js";
import { NewConversation } from "./new-conversation.js";
import { Settings } from "./settings.js";
import { Sidebar } from "./sidebar.js";
import { Thread } from "./thread.js";
import { titleOf } from "./titles.js";

type Shown = "new" | "settings" | undefined;

export function Chat({ onLeave }: { onLeave(): void }) {
  const { client, user } = useSession();
  const inbox = useModel(client.inbox);
  const names = useNames();
  const [open, setOpen] = useOpen();
  const [dialog, setDialog] = useState<Shown>();
  const row = open === undefined ? undefined : inbox.get(open.c);
  const title = row === undefined ? "palaver" : titleOf(row, user, names);
  useEffect(() => {
    document.title = inbox.unread > 0 ? `(${inbox.unread}) ${title}` : title;
  }, [inbox.unread, title]);
  return (
    <div class="chat" data-open={open !== undefined}>
      <Offline />
      <Sidebar
        open={open?.c}
        onOpen={(c, message) => setOpen({ c, message })}
        onNew={() => setDialog("new")}
        onSettings={() => setDialog("settings")}
      />
      {open === undefined ? (
        <main class="nothing">
          <div>
            <p>Choose a conversation, or begin one.</p>
            <button type="button" class="main" onClick={() => setDialog("new")}>
              New conversation
            </button>
          </div>
        </main>
      ) : (
        <Thread
          key={open.c}
          c={open.c}
          target={open.message}
          onClose={() => setOpen(undefined)}
          onOpen={(c) => setOpen({ c })}
        />
      )}
      {dialog === "new" && (
        <NewConversation
          onClose={() => setDialog(undefined)}
          onMade={(c) => {
            setDialog(undefined);
            setOpen({ c });
          }}
        />
      )}
      {dialog === "settings" && <Settings onClose={() => setDialog(undefined)} onLeave={onLeave} />}
      <Problem />
    </div>
  );
}

interface Place {
  c: string;
  /** A message to be shown there, as a search found it. */
  message?: { id: string; seq: number } | undefined;
}

/** What is open, as the address says: `#c/<conversation>`. */
function useOpen(): [Place | undefined, (place: Place | undefined) => void] {
  const [place, setPlace] = useState(fromAddress);
  useEffect(() => {
    const moved = () => setPlace(fromAddress());
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  const go = (next: Place | undefined) => {
    const address = location.pathname + location.search + (next ? `#c/${next.c}` : "");
    if (next?.c !== place?.c) history.pushState(null, "", address);
    setPlace(next);
  };
  return [place, go];
}

function fromAddress(): Place | undefined {
  const c = /^#c\/([0-9a-f-]{36})$/.exec(location.hash)?.[1];
  return c === undefined ? undefined : { c };
}
