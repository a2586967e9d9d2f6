/** A group: what it is called, who is in it, and what may be done about that. */

import type { Conversation, ConversationInfo } from "palaver-client";
import { useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { Dialog } from "./dialog.js";
import { attempt, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import { Sure } from "./sure.js";
import { Menu } from "./menu.js";
import { PeoplePicker } from "./new-conversation.js";

interface Props {
  conversation: Conversation;
  info: Readonly<ConversationInfo>;
  onGone(): void;
  onOpen(c: string): void;
}

export function Group({ conversation, info, onGone, onOpen }: Props) {
  const { client, user: me } = useSession();
  const names = useNames();
  const [asked, setAsked] = useState<"add" | "leave">();
  const { c } = conversation;
  const leads = info.role !== "member";
  const rank = (user: string) => (user === me ? 0 : info.members[user]!.role === "member" ? 2 : 1);
  const members = Object.keys(info.members).sort(
    (a, b) => rank(a) - rank(b) || names(a).localeCompare(names(b)),
  );
  const leave = async () => {
    await client.leave(c, true);
    onGone();
  };
  return (
    <>
      {leads && <Rename key={info.title} c={c} title={info.title ?? ""} />}
      <h3>{info.member_count} members</h3>
      <ul class="plain-list members">
        {members.map((user) => (
          <Member
            key={user}
            user={user}
            conversation={conversation}
            role={info.members[user]!.role}
            leads={leads}
            onOpen={onOpen}
          />
        ))}
      </ul>
      {leads && (
        <button type="button" onClick={() => setAsked("add")}>
          <Icon name="add" /> Add people
        </button>
      )}
      <button type="button" class="danger" onClick={() => setAsked("leave")}>
        <Icon name="leave" /> Leave
      </button>
      {asked === "add" && <Add c={c} without={members} onClose={() => setAsked(undefined)} />}
      {asked === "leave" && (
        <Sure
          title="Leave the group?"
          text="You will get no more of its messages. Somebody in it can add you again."
          label="Leave"
          onSure={() => attempt(leave)}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}

function Rename({ c, title }: { c: string; title: string }) {
  const { client } = useSession();
  const [wanted, setWanted] = useState(title);
  return (
    <form
      class="field"
      onSubmit={(event) => {
        event.preventDefault();
        attempt(() => client.rename(c, wanted.trim()));
      }}
    >
      <input
        aria-label="Name of the group"
        placeholder="Name of the group"
        value={wanted}
        maxLength={100}
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      <button type="submit" disabled={!wanted.trim() || wanted.trim() === title}>
        Rename
      </button>
    </form>
  );
}

interface MemberProps {
  user: string;
  role: string;
  conversation: Conversation;
  /** Whether one may change what they are. */
  leads: boolean;
  onOpen(c: string): void;
}

function Member({ user, role, conversation, leads, onOpen }: MemberProps) {
  const { client, user: me } = useSession();
  const names = useNames();
  const { c } = conversation;
  const other = role === "member" ? "admin" : "member";
  return (
    <li>
      <Avatar user={user} name={names(user)} online={conversation.isOnline(user)} />
      <span class="words">
        <span class="name">{user === me ? "You" : names(user)}</span>
        {role !== "member" && <small>{role}</small>}
      </span>
      {user !== me && (
        <Menu label={`What to do with ${names(user)}`} icon="more">
          <button
            type="button"
            onClick={() => attempt(async () => onOpen(await client.createDirect(user)))}
          >
            <Icon name="compose" /> Write to {names(user)}
          </button>
          {leads && (
            <>
              <button type="button" onClick={() => attempt(() => client.setRole(c, user, other))}>
                <Icon name="star" /> {role === "member" ? "Make admin" : "Make member"}
              </button>
              <button
                type="button"
                class="danger"
                onClick={() => attempt(() => client.removeMember(c, user))}
              >
                <Icon name="remove" /> Remove
              </button>
            </>
          )}
        </Menu>
      )}
    </li>
  );
}

function Add({ c, without, onClose }: { c: string; without: string[]; onClose(): void }) {
  const { client } = useSession();
  const [chosen, setChosen] = useState<string[]>([]);
  const add = async () => {
    await client.addMembers(c, chosen);
    onClose();
  };
  return (
    <Dialog title="Add people" onClose={onClose}>
      <PeoplePicker chosen={chosen} without={without} onChange={setChosen} />
      <footer>
        <button
          type="button"
          class="main"
          disabled={chosen.length === 0}
          onClick={() => attempt(add)}
        >
          Add
        </button>
      </footer>
    </Dialog>
  );
}
