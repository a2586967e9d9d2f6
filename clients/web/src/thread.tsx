/** The conversation that is open. */

import type { Conversation, Message } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { Back } from "./back.js";
import { Composer } from "./composer.js";
import { Details } from "./details.js";
import { attempt, useClient, useModel, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import { MessageList } from "./message-list.js";
import type { Found } from "./place.js";
import { usePinned } from "./pinned.js";
import { Scheduled } from "./scheduled.js";
import { otherOf, titleOf } from "./titles.js";
import { useConversation } from "./use-conversation.js";

/** What the composer is about: a new message, an answer, or another wording. */
export type Intent = { kind: "reply" | "edit"; message: Message } | undefined;

interface Props {
  c: string;
  target: { id: string; seq: number } | undefined;
  onClose(): void;
  onOpen(c: string, message?: Found): void;
}

export function Thread({ c, target, onClose, onOpen }: Props) {
  const { client, user: me } = useSession();
  const conversation = useConversation(c);
  const inbox = useModel(client.inbox);
  const { blocks } = useModel(client.personal);
  const names = useNames();
  const [intent, setIntent] = useIntent(conversation);
  const [details, setDetails] = useState(false);
  const [goal, setGoal] = useState(target);
  useEffect(() => setGoal(target), [target]);
  useEffect(() => {
    const closing = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || document.querySelector("dialog[open], :popover-open")) return;
      if (intent) setIntent(undefined);
      else if (details) setDetails(false);
    };
    addEventListener("keydown", closing);
    return () => removeEventListener("keydown", closing);
  }, [intent, details]);
  const about = conversation.info ?? inbox.get(c);
  const title = about === undefined ? "" : titleOf(about, me, names);
  const other = about === undefined ? undefined : otherOf(about, me);
  const pinned = usePinned(conversation);
  return (
    <>
      <main class="thread" aria-label={title}>
        <header>
          <Back c={c} onClick={onClose} />
          <button type="button" class="heading" onClick={() => setDetails(!details)}>
            <Avatar
              user={other ?? c}
              name={title}
              online={other !== undefined && conversation.isOnline(other)}
            />
            <span class="words">
              <span class="title">{title || "…"}</span>
              <Subtitle conversation={conversation} other={other} names={names} />
            </span>
          </button>
          <button
            type="button"
            class="plain"
            aria-label="About this conversation"
            aria-expanded={details}
            onClick={() => setDetails(!details)}
          >
            <Icon name="info" />
          </button>
        </header>
        {pinned !== undefined && (
          <button type="button" class="pinned" onClick={() => setGoal({ ...pinned })}>
            <Icon name="pin" />
            <span>
              <span class="hidden">Pinned, </span>
              {names(pinned.by)}: {pinned.text || "a file"}
            </span>
          </button>
        )}
        {conversation.phase === "gone" ? (
          <p class="empty">You are not in this conversation any more.</p>
        ) : (
          <MessageList
            conversation={conversation}
            goal={goal}
            onIntent={setIntent}
            onGoal={(id, seq) => setGoal({ id, seq })}
          />
        )}
        {about?.request === "pending" ? (
          <Request c={c} name={title} onDone={onClose} />
        ) : (
          conversation.phase !== "gone" && (
            <>
              {other !== undefined && blocks.get(other) === "blocked" ? (
                <Blocked user={other} name={title} />
              ) : (
                <>
                  <Scheduled conversation={conversation} />
                  <Composer conversation={conversation} intent={intent} onIntent={setIntent} />
                </>
              )}
            </>
          )
        )}
      </main>
      {details && conversation.info !== undefined && (
        <Details
          conversation={conversation}
          info={conversation.info}
          onClose={() => setDetails(false)}
          onGone={onClose}
          onOpen={onOpen}
        />
      )}
    </>
  );
}

/** What is answered is part of the draft, so it is still answered when one comes back. */
function useIntent(conversation: Conversation): [Intent, (intent: Intent) => void] {
  const [intent, setIntent] = useState<Intent>();
  const { draft, phase } = conversation;
  useEffect(() => {
    const message = conversation.messages.find(({ id }) => id === draft.replyTo);
    if (message !== undefined) setIntent({ kind: "reply", message });
  }, [conversation, phase]);
  const choose = (next: Intent) => {
    setIntent(next);
    if (next?.kind !== "edit") draft.answer(next?.message.id);
  };
  return [intent, choose];
}

interface SubtitleProps {
  conversation: Conversation;
  other: string | undefined;
  names(user: string | undefined): string;
}

function Subtitle({ conversation, other, names }: SubtitleProps) {
  const { typing, info } = conversation;
  if (typing.length > 0) {
    const who = other === undefined ? `${typing.map(names).join(", ")}: ` : "";
    return <span class="subtitle typing">{who}typing…</span>;
  }
  if (other !== undefined) {
    return <span class="subtitle">{conversation.isOnline(other) ? "online" : "offline"}</span>;
  }
  const count = info?.member_count;
  return <span class="subtitle">{count === undefined ? "" : `${count} members`}</span>;
}

function Blocked({ user, name }: { user: string; name: string }) {
  const client = useClient();
  return (
    <div class="request" role="group" aria-label="Blocked">
      <p>You have blocked {name}.</p>
      <button type="button" onClick={() => attempt(() => client.unblock(user))}>
        Unblock
      </button>
    </div>
  );
}

/** Somebody writes for the first time: nothing is told to them until this is answered. */
function Request({ c, name, onDone }: { c: string; name: string; onDone(): void }) {
  const client = useClient();
  const decline = async () => {
    await client.declineRequest(c);
    onDone();
  };
  return (
    <div class="request" role="group" aria-label="Message request">
      <p>{name} would like to write to you. They do not see that you have read this.</p>
      <button type="button" onClick={() => attempt(decline)}>
        Decline
      </button>
      <button type="button" class="main" onClick={() => attempt(() => client.acceptRequest(c))}>
        Accept
      </button>
    </div>
  );
}
