/** Whom to write to: one, or several, who are then a group. */

import type { Client } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { Dialog } from "./dialog.js";
import { attempt, useClient, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import { suggestions } from "./session.js";

interface Props {
  onClose(): void;
  onMade(c: string): void;
}

export function NewConversation({ onClose, onMade }: Props) {
  const client = useClient();
  const [chosen, setChosen] = useState<string[]>([]);
  const [title, setTitle] = useState("");
  const group = chosen.length > 1;
  const begin = () =>
    attempt(async () => {
      const made = await client.call("conversation.create", {
        kind: group ? "group" : "direct",
        members: chosen,
        ...(group && title.trim() ? { title: title.trim() } : {}),
      });
      onMade(made.c!);
    });
  return (
    <Dialog title="New conversation" onClose={onClose}>
      <PeoplePicker chosen={chosen} onChange={setChosen} />
      {/* Its place is kept: nothing moves under the finger that chooses the second one. */}
      <label class="tall" data-there={group}>
        Name of the group
        <input
          value={title}
          maxLength={100}
          disabled={!group}
          onInput={(event) => setTitle(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && !event.isComposing && begin()}
        />
      </label>
      <footer>
        <button type="button" class="main" disabled={chosen.length === 0} onClick={begin}>
          {group ? "Begin a group" : "Begin"}
        </button>
      </footer>
    </Dialog>
  );
}

/** By what was typed; before that, whom the demo suggests. */
async function find(client: Client, text: string): Promise<string[]> {
  if (text === "") return (await suggestions()).map(({ id }) => id);
  return (await client.call("user.search", { text, limit: 20 })).found;
}

interface PickerProps {
  chosen: readonly string[];
  onChange(users: string[]): void;
  without?: readonly string[];
}

/** Finds people as the product finds them. */
export function PeoplePicker({ chosen, onChange, without = [] }: PickerProps) {
  const { client, user: me } = useSession();
  const names = useNames();
  const [text, setText] = useState("");
  const [found, setFound] = useState<string[]>();
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      find(client, text.trim()).then(
        (users) => current && setFound(users),
        () => {}, // there is no connection, or no such thing as finding people
      );
    }, 150);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [client, text]);
  const shown = (found ?? []).filter((user) => user !== me && !without.includes(user));
  const toggle = (user: string) => {
    onChange(chosen.includes(user) ? chosen.filter((each) => each !== user) : [...chosen, user]);
    setText("");
  };
  return (
    <div class="picker">
      <div class="search" role="search">
        <Icon name="search" />
        <input
          type="search"
          aria-label="Find people"
          placeholder="Find people"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </div>
      <ul class="people">
        {[...chosen.filter((user) => !shown.includes(user)), ...shown].map((user) => (
          <li key={user}>
            <button
              type="button"
              class="person"
              aria-pressed={chosen.includes(user)}
              onClick={() => toggle(user)}
            >
              <Avatar user={user} name={names(user)} />
              <span class="name">{names(user)}</span>
              {chosen.includes(user) && <Icon name="check" />}
            </button>
          </li>
        ))}
      </ul>
      {found?.length === 0 && <p class="empty">Nobody is called that.</p>}
    </div>
  );
}
