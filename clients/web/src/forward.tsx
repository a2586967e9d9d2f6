/** Where a message is to be forwarded to. */

import type { Message, Row } from "palaver-client";
import { useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { Dialog } from "./dialog.js";
import { attempt, tell, useModel, useNames, useSession } from "./hooks.js";
import { otherOf, titleOf } from "./titles.js";

interface Props {
  message: Message;
  c: string;
  onClose(): void;
}

export function Forward({ message, c, onClose }: Props) {
  const { client, user: me } = useSession();
  const inbox = useModel(client.inbox);
  const names = useNames();
  const [wanted, setWanted] = useState("");
  const titled = (row: Row) => ({ row, title: titleOf(row, me, names) });
  const found = inbox
    .rows("all")
    .map(titled)
    .filter(({ title }) => title.toLowerCase().includes(wanted.trim().toLowerCase()));
  const forward = (to: string, title: string) => {
    attempt(async () => {
      await client.forward(c, message.id, to);
      tell(`Forwarded to ${title}`);
    });
    onClose();
  };
  return (
    <Dialog title="Forward to" onClose={onClose}>
      <blockquote class="excerpt">{message.text || "A file"}</blockquote>
      <div class="picker">
        <p class="field">
          <input
            type="search"
            aria-label="Find a conversation"
            placeholder="Find a conversation"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        </p>
        <ul class="people">
          {found.map(({ row, title }) => (
            <li key={row.c}>
              <button type="button" class="person" onClick={() => forward(row.c, title)}>
                <Avatar user={otherOf(row, me) ?? row.c} name={title} />
                <span class="name">{title}</span>
              </button>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p class="empty">No conversation is called so.</p>}
      </div>
    </Dialog>
  );
}
