/** About a conversation: who is in it, how one keeps it, and what was sent. */

import type { Conversation, ConversationInfo } from "palaver-client";
import { useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { Dialog } from "./dialog.js";
import { attempt, useClient, useModel, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import { PeoplePicker } from "./new-conversation.js";
import { otherOf, titleOf } from "./titles.js";

/** A week: long enough not to be asked again soon, and it ends by itself. */
const MUTED_MS = 7 * 86_400_000;

interface Props {
  conversation: Conversation;
  info: Readonly<ConversationInfo>;
  onClose(): void;
  onGone(): void;
  onOpen(c: string): void;
}

export function Details({ conversation, info, onClose, onGone, onOpen }: Props) {
  const { client, user: me } = useSession();
  const names = useNames();
  const { c } = conversation;
  const other = otherOf(info, me);
  const title = titleOf(info, me, names);
  return (
    <aside class="details" aria-label="About this conversation">
      <header>
        <h2>About</h2>
        <button type="button" class="plain" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="face">
        <Avatar user={other ?? c} name={title} large />
        <h3>{title}</h3>
      </div>
      <Keeping c={c} onGone={onGone} />
      {other === undefined ? (
        <Group conversation={conversation} info={info} me={me} onGone={onGone} onOpen={onOpen} />
      ) : (
        <Blocking user={other} name={names(other)} />
      )}
      <p class="note">
        <button
          type="button"
          class="link danger"
          onClick={() =>
            attempt(async () => {
              await client.hideConversation(c);
              onGone();
            })
          }
        >
          Delete it from my inbox
        </button>
      </p>
    </aside>
  );
}

/** Pinned, muted, archived: nobody else sees it. */
function Keeping({ c, onGone }: { c: string; onGone(): void }) {
  const client = useClient();
  const personal = useModel(client.personal);
  const { pinned_at = 0, muted_until = 0, archived = false } = personal.preferences.get(c) ?? {};
  const muted = muted_until > Date.now();
  const prefer = (change: Parameters<typeof client.prefer>[1]) =>
    attempt(() => client.prefer(c, change));
  return (
    <div class="keeping">
      <button
        type="button"
        aria-pressed={pinned_at > 0}
        onClick={() => prefer({ pinned: pinned_at === 0 })}
      >
        <Icon name="pin" /> {pinned_at > 0 ? "Unpin" : "Pin"}
      </button>
      <button
        type="button"
        aria-pressed={muted}
        onClick={() => prefer({ muted_until: muted ? 0 : Date.now() + MUTED_MS })}
      >
        <Icon name="mute" /> {muted ? "Unmute" : "Mute"}
      </button>
      <button
        type="button"
        aria-pressed={archived}
        onClick={() => {
          prefer({ archived: !archived });
          if (!archived) onGone();
        }}
      >
        <Icon name="archive" /> {archived ? "Unarchive" : "Archive"}
      </button>
    </div>
  );
}

function Blocking({ user, name }: { user: string; name: string }) {
  const client = useClient();
  const { blocks } = useModel(client.personal);
  const blocked = blocks.has(user);
  return (
    <p class="note">
      <button
        type="button"
        class="link danger"
        onClick={() => attempt(() => (blocked ? client.unblock(user) : client.block(user)))}
      >
        {blocked ? `Unblock ${name}` : `Block ${name}`}
      </button>
    </p>
  );
}

interface GroupProps {
  conversation: Conversation;
  info: Readonly<ConversationInfo>;
  me: string;
  onGone(): void;
  onOpen(c: string): void;
}

function Group({ conversation, info, me, onGone, onOpen }: GroupProps) {
  const client = useClient();
  const names = useNames();
  const [title, setTitle] = useState(info.title ?? "");
  const [adding, setAdding] = useState<string[]>();
  const { c } = conversation;
  const leads = info.role !== "member";
  const members = Object.entries(info.members);
  const leave = async () => {
    await client.leave(c, true);
    onGone();
  };
  const writeTo = async (user: string) => {
    const made = await client.call("conversation.create", { kind: "direct", members: [user] });
    onOpen(made.c!);
  };
  return (
    <>
      {leads && (
        <form
          class="field"
          onSubmit={(event) => {
            event.preventDefault();
            attempt(() => client.rename(c, title.trim()));
          }}
        >
          <input
            aria-label="Name of the group"
            placeholder="Name of the group"
            value={title}
            maxLength={100}
            onInput={(event) => setTitle(event.currentTarget.value)}
          />
          <button type="submit" disabled={!title.trim() || title.trim() === info.title}>
            Rename
          </button>
        </form>
      )}
      <h3>{info.member_count} members</h3>
      <ul class="plain-list members">
        {members.map(([user, { role }]) => (
          <li key={user}>
            <Avatar user={user} name={names(user)} online={conversation.isOnline(user)} />
            <span class="words">
              <span>{user === me ? "You" : names(user)}</span>
              {role !== "member" && <small>{role}</small>}
            </span>
            {user !== me && (
              <button type="button" class="link" onClick={() => attempt(() => writeTo(user))}>
                Write
              </button>
            )}
            {leads && user !== me && (
              <>
                <button
                  type="button"
                  class="link"
                  onClick={() =>
                    attempt(() => client.setRole(c, user, role === "member" ? "admin" : "member"))
                  }
                >
                  {role === "member" ? "Make admin" : "Make member"}
                </button>
                <button
                  type="button"
                  class="link danger"
                  onClick={() => attempt(() => client.removeMember(c, user))}
                >
                  Remove
                </button>
              </>
            )}
          </li>
        ))}
      </ul>
      {leads && (
        <button type="button" onClick={() => setAdding([])}>
          <Icon name="add" /> Add people
        </button>
      )}
      <button type="button" class="danger" onClick={() => attempt(leave)}>
        <Icon name="leave" /> Leave
      </button>
      {adding !== undefined && (
        <Dialog title="Add people" onClose={() => setAdding(undefined)}>
          <PeoplePicker
            chosen={adding}
            without={members.map(([user]) => user)}
            onChange={setAdding}
          />
          <footer>
            <button
              type="button"
              class="main"
              disabled={adding.length === 0}
              onClick={() =>
                attempt(async () => {
                  await client.addMembers(c, adding);
                  setAdding(undefined);
                })
              }
            >
              Add
            </button>
          </footer>
        </Dialog>
      )}
    </>
  );
}
