/** That a message was edited; pressed, what it said before, where the product shows that. */

import { Rejected, type Client, type Conversation, type Message } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { Dialog } from "./dialog.js";
import { useClient } from "./hooks.js";
import { clock, whole } from "./time.js";

interface Version {
  version: number;
  text: string;
  ts: number;
}

export function Edited({ message, conversation }: { message: Message; conversation: Conversation }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class="link edited"
        title={whole(message.edited_at!)}
        onClick={() => setOpen(true)}
      >
        edited
      </button>
      {open && (
        <Dialog title="What it said before" onClose={() => setOpen(false)}>
          <Versions c={conversation.c} id={message.id} />
        </Dialog>
      )}
    </>
  );
}

function Versions({ c, id }: { c: string; id: string }) {
  const client = useClient();
  const [found, setFound] = useState<Version[] | string>();
  useEffect(() => {
    let shown = true;
    load(client, c, id).then((loaded) => shown && setFound(loaded));
    return () => {
      shown = false;
    };
  }, [client, c, id]);
  if (!Array.isArray(found)) return <p role="status">{found ?? "Loading…"}</p>;
  return (
    <ol class="versions">
      {found.map(({ version, text, ts }) => (
        <li key={version}>
          <time dateTime={new Date(ts).toISOString()} title={whole(ts)}>
            {version === found.length ? `Now, since ${clock(ts)}` : clock(ts)}
          </time>
          <p class="text">{text}</p>
        </li>
      ))}
    </ol>
  );
}

/** The versions, or why there are none to be seen. */
async function load(client: Client, c: string, id: string): Promise<Version[] | string> {
  try {
    return (await client.versions(c, id)).versions;
  } catch (error) {
    const off = error instanceof Rejected && error.code === "FEATURE_DISABLED";
    return off ? "Earlier wordings are not shown here." : (error as Error).message;
  }
}
