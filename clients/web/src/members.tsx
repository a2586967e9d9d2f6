/** Who is in a group, in which role, who of them is there now, and what may be done about it. */

import type { Conversation, ConversationInfo } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { Dialog } from "./dialog.js";
import { attempt, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import { Menu } from "./menu.js";
import { PeoplePicker } from "./new-conversation.js";
import { may, outranks, rolesToGive } from "./permissions.js";

/** As many are shown before somebody asks for all of them. */
const SHOWN = 12;
const PAGE = 100;

interface Props {
  conversation: Conversation;
  info: Readonly<ConversationInfo>;
  onOpen(c: string): void;
}

interface Member {
  user: string;
  role: string;
}

export function Members({ conversation, info, onOpen }: Props) {
  const { user: me } = useSession();
  const names = useNames();
  const [adding, setAdding] = useState(false);
  const [all, setAll] = useState(false);
  const [wanted, setWanted] = useState("");
  const sought = wanted.trim().toLowerCase();
  const { members, more, large } = useMembers(conversation, info, sought);
  const order = ({ user, role }: Member) =>
    user === me ? 0 : role !== "member" ? 1 : conversation.isOnline(user) ? 2 : 3;
  const sorted = members
    .filter(({ user }) => large || names(user).toLowerCase().includes(sought))
    .sort((a, b) => order(a) - order(b) || names(a.user).localeCompare(names(b.user)));
  const shown = all || sought ? sorted : sorted.slice(0, SHOWN);
  return (
    <section aria-label="Members">
      <header>
        <h3>
          {info.member_count} {info.member_count === 1 ? "member" : "members"}
        </h3>
        {may(info, "add_members") && (
          <button type="button" class="link" onClick={() => setAdding(true)}>
            <Icon name="add" /> Add people
          </button>
        )}
      </header>
      {info.member_count > SHOWN && (
        <div class="search" role="search">
          <Icon name="search" />
          <input
            type="search"
            aria-label="Find members"
            placeholder="Find members"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        </div>
      )}
      <ul class="plain-list">
        {shown.map((member) => (
          <MemberView
            key={member.user}
            member={member}
            conversation={conversation}
            info={info}
            onOpen={onOpen}
          />
        ))}
      </ul>
      {!all && !sought && sorted.length > SHOWN && (
        <button type="button" class="link" onClick={() => setAll(true)}>
          Show all
        </button>
      )}
      {(all || sought) && more && (
        <button type="button" class="link" onClick={() => attempt(more)}>
          Load more
        </button>
      )}
      {adding && (
        <Add
          c={conversation.c}
          without={members.map(({ user }) => user)}
          onClose={() => setAdding(false)}
        />
      )}
    </section>
  );
}

/** Of a large group only oneself is known: its members come by pages in order of their ids, and are
 * found by the beginnings of these. */
function useMembers(conversation: Conversation, info: Readonly<ConversationInfo>, sought: string) {
  const { client } = useSession();
  const [pages, setPages] = useState<{ members: Member[]; more: boolean }>();
  const known = Object.entries(info.members).map(([user, { role }]) => ({ user, role }));
  const large = known.length < info.member_count;
  const load = async (before: Member[]) => {
    const after = before.at(-1)?.user;
    const page = await client.members(conversation.c, {
      limit: PAGE,
      ...(sought === "" ? {} : { prefix: sought }),
      ...(after === undefined ? {} : { after }),
    });
    return { members: [...before, ...page.members], more: page.more };
  };
  useEffect(() => {
    let current = true;
    if (large) attempt(() => load([]).then((page) => current && setPages(page)));
    return () => {
      current = false;
    };
  }, [conversation, large, info.member_count, sought]);
  const { members, more } = (large ? pages : undefined) ?? { members: known, more: false };
  return { members, large, more: more && (async () => setPages(await load(members))) };
}

function MemberView({ member, conversation, info, onOpen }: Props & { member: Member }) {
  const { client, user: me } = useSession();
  const names = useNames();
  const { c } = conversation;
  const { user, role } = member;
  const name = names(user);
  const online = conversation.isOnline(user);
  const below = outranks(info, role);
  return (
    <li>
      <Avatar user={user} name={name} online={online} />
      <span class="words">
        <span class="name">{user === me ? "You" : name}</span>
        {online && user !== me && <small>online</small>}
      </span>
      {role !== "member" && <span class="role">{role}</span>}
      {user !== me && (
        <Menu label={`What to do with ${name}`} icon="more">
          <button
            type="button"
            onClick={() => attempt(async () => onOpen(await client.createDirect(user)))}
          >
            <Icon name="compose" /> Write to {name}
          </button>
          {may(info, "change_roles") &&
            below &&
            rolesToGive(info)
              .filter((each) => each !== role)
              .map((each) => (
                <button
                  key={each}
                  type="button"
                  onClick={() => attempt(() => client.setRole(c, user, each))}
                >
                  <Icon name="star" /> Make {each}
                </button>
              ))}
          {may(info, "remove_members") && below && (
            <button
              type="button"
              class="danger"
              onClick={() => attempt(() => client.removeMember(c, user))}
            >
              <Icon name="remove" /> Remove
            </button>
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
