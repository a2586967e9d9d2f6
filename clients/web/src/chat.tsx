/** The whole of it: the inbox beside the conversation that is open, or one of the two on a phone. */

import { useEffect, useState } from "preact/hooks";
import { Notice, Offline } from "./banner.js";
import { useModel, useNames, useSession } from "./hooks.js";
import { useNotifications } from "./notifications.js";
import { NewConversation } from "./new-conversation.js";
import { usePlace } from "./place.js";
import { Settings } from "./settings.js";
import { Sidebar } from "./sidebar.js";
import { Thread } from "./thread.js";
import { titleOf } from "./titles.js";

type Shown = "new" | "settings" | undefined;

export function Chat({ onLeave }: { onLeave(): void }) {
  const { client, user } = useSession();
  const inbox = useModel(client.inbox);
  const names = useNames();
  const [open, setOpen] = usePlace();
  const [dialog, setDialog] = useState<Shown>();
  useNotifications((c) => setOpen({ c }));
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
        onGone={(c) => c === open?.c && setOpen(undefined)}
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
          onOpen={(c, message) => setOpen({ c, message })}
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
      <Notice />
    </div>
  );
}
