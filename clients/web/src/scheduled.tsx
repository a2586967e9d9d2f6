/** What is to be sent here later: how much that is, and opened, what. */

import type { Conversation } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { Dialog } from "./dialog.js";
import { attempt, useClient, useModel } from "./hooks.js";
import { Icon } from "./icons.js";
import { soon, whole } from "./time.js";
import { WhenForm } from "./when.js";

const RECENT_MS = 60_000;

interface Entry {
  id: string;
  send_at: number;
  message?: Record<string, any>;
}

export function Scheduled({ conversation }: { conversation: Conversation }) {
  const client = useClient();
  const personal = useModel(client.personal);
  const [open, setOpen] = useState(false);
  useEffect(
    () =>
      client.on("schedule.failed", ({ at, data }) => {
        // Of those that failed long ago one is told with each connection.
        if (at < Date.now() - RECENT_MS) return;
        attempt(() => Promise.reject(new Error(`A scheduled message was not sent: ${data.error}`)));
      }),
    [client],
  );
  const entries = [...personal.scheduled.values()]
    .filter((entry) => entry.conversation === conversation.c)
    .sort((a, b) => a.send_at - b.send_at);
  const [next] = entries;
  return (
    <>
      {next !== undefined && (
        <button type="button" class="scheduled" onClick={() => setOpen(true)}>
          <Icon name="waiting" />
          {entries.length === 1
            ? `Scheduled: 1 message, ${soon(next.send_at)}`
            : `Scheduled: ${entries.length} messages, next ${soon(next.send_at)}`}
        </button>
      )}
      {open && (
        <Dialog title="Scheduled messages" onClose={() => setOpen(false)}>
          <ul class="plain-list">
            {entries.map((entry) => (
              <Item key={entry.id} entry={entry} conversation={conversation} />
            ))}
          </ul>
          {entries.length === 0 && <p>Nothing is scheduled.</p>}
        </Dialog>
      )}
    </>
  );
}

function Item({ entry, conversation }: { entry: Entry; conversation: Conversation }) {
  const client = useClient();
  const [changing, setChanging] = useState(false);
  const { id, send_at, message = {} } = entry;
  const { text = "", ...options } = message;
  const change = (at: number) => {
    setChanging(false);
    attempt(() => client.schedule(conversation.c, id, at, { text, ...options }));
  };
  const sendNow = async () => {
    await client.cancelScheduled(id); // too late, it is refused: then it was sent already
    conversation.send(text, options);
  };
  return (
    <li>
      <p class="later">
        <time dateTime={new Date(send_at).toISOString()}>{whole(send_at)}</time>
        {text || "A file"}
      </p>
      {changing ? (
        <WhenForm at={send_at} label="Change" onChoose={change} />
      ) : (
        <>
          <button type="button" onClick={() => setChanging(true)}>
            Change the time
          </button>
          <button type="button" onClick={() => attempt(sendNow)}>
            Send now
          </button>
          <button
            type="button"
            class="danger"
            onClick={() => attempt(() => client.cancelScheduled(id))}
          >
            Cancel
          </button>
        </>
      )}
    </li>
  );
}
