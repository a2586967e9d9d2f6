/** The messages, by day and by who wrote them. The newest stay in sight until somebody scrolls up,
 * or goes to one that lies far back. */

import { grouped, groupedByDay, type Conversation, type Message } from "palaver-client";
import { Fragment } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { attempt, useModel, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import { Run } from "./run.js";
import { useAnchor, useGoal, walk } from "./scrolling.js";
import type { Intent } from "./thread.js";
import { dayName } from "./time.js";

/** Pixels from the end that count as being there. */
const NEAR = 80;
/** Pixels from an end at which more is loaded. */
const SOON = 320;
/** For so long after somebody has scrolled it says of which day it is what they see. */
const DAY_SHOWN_MS = 1_000;

interface Props {
  conversation: Conversation;
  goal: { id: string } | undefined;
  onIntent(intent: Intent): void;
  onGoal(id: string, seq: number): void;
}

export function MessageList({ conversation, goal, onIntent, onGoal }: Props) {
  const { client, user: me } = useSession();
  useModel(client.personal);
  const list = useRef<HTMLDivElement>(null);
  /** Whether what comes is to be in sight. */
  const sticks = useRef(true);
  const [atEnd, setAtEnd] = useState(true);
  const { messages, isPast, more, phase } = conversation;
  useAnchor(list, messages, sticks);
  useGoal(list, conversation, goal, sticks);
  const firstNew = findNew(conversation, me);
  const below = () => {
    const { scrollTop, scrollHeight, clientHeight } = list.current!;
    return scrollHeight - scrollTop - clientHeight;
  };
  const fill = () => {
    if (phase !== "ready") return;
    if (more && list.current!.scrollTop < SOON) attempt(() => conversation.loadOlder());
    if (isPast && below() < SOON) attempt(() => conversation.loadNewer());
  };
  const resting = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(resting.current), []);
  const scrolled = () => {
    const { dataset } = list.current!;
    dataset["scrolling"] = "true";
    clearTimeout(resting.current);
    resting.current = setTimeout(() => (dataset["scrolling"] = "false"), DAY_SHOWN_MS);
    sticks.current = !isPast && below() < NEAR;
    setAtEnd(sticks.current);
    fill();
  };
  // What is here may be too short to be scrolled at all.
  useEffect(fill, [messages, phase]);
  const toEnd = () => {
    sticks.current = true;
    conversation.toNewest();
    list.current!.scrollTop = list.current!.scrollHeight;
  };
  return (
    <div class="scroller">
      <div
        class="messages"
        role="log"
        aria-label="Messages"
        aria-busy={phase === "loading"}
        tabIndex={0}
        ref={list}
        onScroll={scrolled}
        onKeyDown={(event) => walk(event, list.current!)}
      >
        <p class="beginning">
          {more ? "Loading…" : "This is the beginning of the conversation."}
        </p>
        {groupedByDay(messages).map(({ day, messages }) => (
          <section key={day} aria-label={dayName(day)}>
            <h2 class="day">
              <span>{dayName(day)}</span>
            </h2>
            {cut(messages, firstNew).map((part) => (
              <Fragment key={part[0] === firstNew ? "new" : "read"}>
                {part[0] === firstNew && (
                  <p class="unread" role="separator">
                    New messages
                  </p>
                )}
                {grouped(part).map((run) => (
                  <Run
                    key={run[0]!.client_id ?? run[0]!.id}
                    run={run}
                    conversation={conversation}
                    goal={goal?.id}
                    onIntent={onIntent}
                    onGoal={onGoal}
                  />
                ))}
              </Fragment>
            ))}
          </section>
        ))}
        {isPast && <p class="beginning">Loading…</p>}
      </div>
      {(!atEnd || isPast) && (
        <button type="button" class="to-end" aria-label="To the newest message" onClick={toEnd}>
          <Icon name="down" />
          {conversation.unread > 0 && <span class="badge">{conversation.unread}</span>}
        </button>
      )}
    </div>
  );
}

/** The first of those that were unread when the conversation was opened, if it is here and there
 * was something before it. */
function findNew({ info, messages }: Conversation, me: string): Message | undefined {
  const read = info !== undefined && info.unread > 0 ? info.members[me]?.read?.seq : undefined;
  if (read === undefined) return undefined;
  if (messages[0] === undefined || messages[0].seq > read) return undefined;
  return messages.find(({ seq, by, kind }) => seq > read && by !== me && kind === "message.sent");
}

/** In two before `where`, if it is among them. */
function cut(messages: readonly Message[], where: Message | undefined): Message[][] {
  const at = where === undefined ? -1 : messages.indexOf(where);
  if (at <= 0) return [[...messages]];
  return [messages.slice(0, at), messages.slice(at)];
}
