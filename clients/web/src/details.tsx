/** About a conversation: how one keeps it, who is in it, and what is to be found in it. */

import type { Conversation, ConversationInfo } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { below, ContextMenu, type Point } from "./context-menu.js";
import { GroupSettings } from "./group-settings.js";
import { attempt, useClient, useModel, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import { useKeeping } from "./keeping.js";
import { Members } from "./members.js";
import { offers } from "./offers.js";
import { may } from "./permissions.js";
import type { Found } from "./place.js";
import { MuteItems } from "./row-menu.js";
import { Media, Pinned } from "./shared.js";
import { DeleteSure, Sure } from "./sure.js";
import { short, soon } from "./time.js";
import { otherOf, titleOf } from "./titles.js";

/** Below this width the details cover the messages. */
const NARROW = "(max-width: 900px)";

interface Props {
  conversation: Conversation;
  info: Readonly<ConversationInfo>;
  onClose(): void;
  onGone(): void;
  onOpen(c: string, message?: Found): void;
}

export function Details({ conversation, info, onClose, onGone, onOpen }: Props) {
  const { user: me } = useSession();
  const names = useNames();
  const [editing, setEditing] = useState(false);
  const { c } = conversation;
  const other = otherOf(info, me);
  const title = titleOf(info, me, names);
  const group = info.kind !== "direct";
  const show = (message: Found) => {
    if (matchMedia(NARROW).matches) onClose();
    onOpen(c, message);
  };
  return (
    <aside class="details" aria-label="About this conversation">
      <header>
        <h2>About</h2>
        {may(info, "change_settings") && (
          <button
            type="button"
            class="plain"
            aria-label="Edit the group"
            onClick={() => setEditing(true)}
          >
            <Icon name="edit" />
          </button>
        )}
        <button type="button" class="plain" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="face">
        <Avatar user={other ?? c} name={title} large />
        <h3>{title}</h3>
        {other === undefined ? (
          <p class="about">{info.settings["description"]}</p>
        ) : (
          <Presence conversation={conversation} user={other} />
        )}
      </div>
      <Keep c={c} onGone={onGone} />
      <Pinned conversation={conversation} onShow={show} />
      {group && <Members conversation={conversation} info={info} onOpen={onOpen} />}
      <Media conversation={conversation} onShow={show} />
      <Ending c={c} title={title} other={other} group={group} onGone={onGone} />
      {editing && (
        <GroupSettings conversation={conversation} info={info} onClose={() => setEditing(false)} />
      )}
    </aside>
  );
}

/** Whether they are there, or when they were. */
function Presence({ conversation, user }: { conversation: Conversation; user: string }) {
  const client = useClient();
  const online = conversation.isOnline(user);
  const [seen, setSeen] = useState<number | null>();
  useEffect(() => {
    client.presence(conversation.c).then(
      ({ users }) => setSeen(users[user]?.last_seen),
      () => {}, // a product without presence
    );
  }, [client, conversation, online]);
  if (online) return <p class="about">online</p>;
  return <p class="about">{seen == null ? "offline" : `last seen ${short(seen)}`}</p>;
}

/** Pinned, muted, archived: nobody else sees it. */
function Keep({ c, onGone }: { c: string; onGone(): void }) {
  useModel(useClient().personal);
  const keeping = useKeeping(c);
  const [menu, setMenu] = useState<Point>();
  const { mutedUntil } = keeping;
  return (
    <div class="keeping">
      <button type="button" aria-pressed={keeping.pinned} onClick={keeping.togglePin}>
        <Icon name="pin" /> {keeping.pinned ? "Unpin" : "Pin"}
      </button>
      <button
        type="button"
        aria-pressed={keeping.muted}
        onClick={(event) => {
          if (keeping.muted) keeping.unmute();
          else setMenu(below(event.currentTarget));
        }}
      >
        <Icon name="mute" /> {keeping.muted ? "Unmute" : "Mute"}
      </button>
      <button
        type="button"
        aria-pressed={keeping.archived}
        onClick={() => {
          keeping.toggleArchived();
          if (!keeping.archived) onGone();
        }}
      >
        <Icon name="archive" /> {keeping.archived ? "Unarchive" : "Archive"}
      </button>
      {mutedUntil !== undefined && isForAWhile(mutedUntil) && <small>Muted, ends {soon(mutedUntil)}</small>}
      {menu && (
        <ContextMenu label="Mute" at={menu} onClose={() => setMenu(undefined)}>
          <MuteItems keeping={keeping} />
        </ContextMenu>
      )}
    </div>
  );
}

/** For good is the end of the year 9999. */
const isForAWhile = (ts: number) => ts < Date.now() + 366 * 86_400_000;

interface EndingProps {
  c: string;
  title: string;
  other: string | undefined;
  group: boolean;
  onGone(): void;
}

/** Ways out of it. */
function Ending({ c, title, other, group, onGone }: EndingProps) {
  const client = useClient();
  const keeping = useKeeping(c);
  const [asked, setAsked] = useState<"leave" | "delete">();
  const close = () => setAsked(undefined);
  const leave = async () => {
    await client.leave(c, true);
    onGone();
  };
  const remove = () => {
    keeping.remove();
    onGone();
  };
  return (
    <section class="ending" aria-label="Ways out of it">
      {other !== undefined && <Blocking user={other} />}
      {group && (
        <button type="button" class="danger" onClick={() => setAsked("leave")}>
          <Icon name="leave" /> Leave
        </button>
      )}
      <button type="button" class="danger" onClick={() => setAsked("delete")}>
        <Icon name="remove" /> Delete from my inbox
      </button>
      {asked === "delete" && <DeleteSure title={title} onSure={remove} onClose={close} />}
      {asked === "leave" && (
        <Sure
          title="Leave the group?"
          text="You will get no more of its messages. Somebody in it can add you again."
          label="Leave"
          onSure={() => attempt(leave)}
          onClose={close}
        />
      )}
    </section>
  );
}

function Blocking({ user }: { user: string }) {
  const client = useClient();
  const names = useNames();
  const { blocks } = useModel(client.personal);
  const blocked = blocks.has(user);
  if (!blocked && !offers("blocks")) return null;
  const name = names(user);
  return (
    <button
      type="button"
      class="danger"
      onClick={() => attempt(() => (blocked ? client.unblock(user) : client.block(user)))}
    >
      <Icon name="close" /> {blocked ? `Unblock ${name}` : `Block ${name}`}
    </button>
  );
}
