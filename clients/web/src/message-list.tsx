/** The messages, by day and by who wrote them. The newest stay in sight until somebody scrolls up. */

import { grouped, groupedByDay, type Conversation, type Message } from "palaver-client";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Bubble } from "./bubble.js";
import { attempt, useClient, useModel, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import type { Intent } from "./thread.js";
import { dayName } from "./time.js";
import { eventLine } from "./titles.js";

/** Pixels from an end that count as being there. */
const NEAR = 80;
/** Pages that are loaded to come to a message that was searched for. */
const FAR = 60;

interface Props {
  conversation: Conversation;
  goal: { id: string; seq: number } | undefined;
  onIntent(intent: Intent): void;
  onGoal(id: string, seq: number): void;
}

export function MessageList({ conversation, goal, onIntent, onGoal }: Props) {
  const client = useClient();
  useModel(client.personal);
  const names = useNames();
  const list = useRef<HTMLDivElement>(null);
  /** Whether what comes is to be in sight. */
  const sticks = useRef(true);
  const [atEnd, setAtEnd] = useState(true);
  const messages = conversation.messages;
  useAnchor(list, messages, sticks);
  useGoal(list, conversation, goal, sticks);
  const fill = () => {
    const near = list.current!.scrollTop < NEAR * 4;
    if (near && conversation.more && conversation.phase === "ready") {
      attempt(() => conversation.loadOlder());
    }
  };
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = list.current!;
    sticks.current = scrollHeight - scrollTop - clientHeight < NEAR;
    setAtEnd(sticks.current);
    fill();
  };
  // What is here may be too short to be scrolled at all.
  useEffect(fill, [messages, conversation.phase]);
  const toEnd = () => list.current?.scrollTo({ top: list.current.scrollHeight });
  return (
    <div class="scroller">
      <div
        class="messages"
        role="log"
        aria-label="Messages"
        aria-busy={conversation.phase === "loading"}
        tabIndex={0}
        ref={list}
        onScroll={scrolled}
        onKeyDown={(event) => walk(event, list.current!)}
      >
        <p class="beginning">
          {conversation.more ? "Loading…" : "This is the beginning of the conversation."}
        </p>
        {groupedByDay(messages).map(({ day, messages }) => (
          <section key={day} aria-label={dayName(day)}>
            <h2 class="day">
              <span>{dayName(day)}</span>
            </h2>
            {grouped(messages).map((run) => (
              <Run
                key={run[0]!.client_id ?? run[0]!.id}
                run={run}
                conversation={conversation}
                names={names}
                goal={goal?.id}
                onIntent={onIntent}
                onGoal={onGoal}
              />
            ))}
          </section>
        ))}
      </div>
      {!atEnd && (
        <button type="button" class="to-end" aria-label="To the newest message" onClick={toEnd}>
          <Icon name="down" />
          {conversation.unread > 0 && <span class="badge">{conversation.unread}</span>}
        </button>
      )}
    </div>
  );
}

interface RunProps {
  run: readonly Message[];
  conversation: Conversation;
  names(user: string | undefined): string;
  goal: string | undefined;
  onIntent(intent: Intent): void;
  onGoal(id: string, seq: number): void;
}

/** What one has said in one go; or what happened. */
function Run({ run, conversation, names, goal, onIntent, onGoal }: RunProps) {
  const { user: me } = useSession();
  const first = run[0]!;
  if (first.kind !== "message.sent") {
    return run.map((message) => {
      const line = eventLine(message, names);
      return line === undefined ? null : (
        <p key={message.id} class="event">
          {line}
        </p>
      );
    });
  }
  const mine = first.by === me;
  const named = !mine && conversation.info?.kind !== "direct";
  return (
    <div class="run" data-mine={mine}>
      {named && <h3>{names(first.by)}</h3>}
      {run.map((message) =>
        message.kind === "message.sent" ? (
          <Bubble
            key={message.client_id ?? message.id}
            message={message}
            conversation={conversation}
            sought={message.id === goal}
            onIntent={onIntent}
            onGoal={onGoal}
          />
        ) : (
          <p key={message.id} class="event">
            {eventLine(message, names)}
          </p>
        ),
      )}
    </div>
  );
}

/** Up and down go from message to message, from where their buttons are a Tab away. */
function walk(event: KeyboardEvent, list: HTMLElement): void {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (step === undefined || event.altKey) return;
  event.preventDefault();
  const bubbles = [...list.querySelectorAll<HTMLElement>(".bubble")];
  const at = bubbles.findIndex((each) => each.contains(document.activeElement));
  bubbles.at(at === -1 ? -1 : Math.max(at + step, 0))?.focus();
}

/** What is looked at stays where it is, whatever comes before or after it; at the end, the end. What
 * one sends oneself is always looked at. */
function useAnchor(
  list: { current: HTMLDivElement | null },
  messages: readonly Message[],
  sticks: { current: boolean },
): void {
  const before = useRef({ first: "", last: "", height: 0 });
  useLayoutEffect(() => {
    const box = list.current!;
    const { first, last, height } = before.current;
    const [oldest, newest] = [messages[0], messages.at(-1)];
    const sent = newest?.status === "sending" && newest.client_id !== last;
    if (sticks.current || sent) box.scrollTop = box.scrollHeight;
    else if (oldest?.id !== first) box.scrollTop += box.scrollHeight - height;
    before.current = {
      first: oldest?.id ?? "",
      last: newest?.client_id ?? "",
      height: box.scrollHeight,
    };
  }, [messages]);
  useEffect(() => {
    // Pictures make it longer when they have come, and what is written below makes it shorter.
    const box = list.current!;
    const resized = new ResizeObserver(() => {
      if (sticks.current) box.scrollTop = box.scrollHeight;
    });
    for (const part of [box, ...box.children]) resized.observe(part);
    return () => resized.disconnect();
  }, [messages]);
}

/** Load what lies between, then show the message that was searched for. */
function useGoal(
  list: { current: HTMLDivElement | null },
  conversation: Conversation,
  goal: { id: string; seq: number } | undefined,
  sticks: { current: boolean },
): void {
  const ready = conversation.phase === "ready";
  useEffect(() => {
    if (goal === undefined || !ready) return;
    let wanted = true;
    const there = () => conversation.messages.some((message) => message.id === goal.id);
    // As soon as what was loaded is on the page.
    const show = () =>
      requestAnimationFrame(() => {
        const found = list.current?.querySelector(`[data-message="${goal.id}"]`);
        sticks.current = false;
        found?.scrollIntoView({ block: "center" });
      });
    attempt(async () => {
      for (let page = 0; wanted && !there() && conversation.more && page < FAR; page++) {
        await conversation.loadOlder();
      }
      if (wanted && there()) show();
      else if (wanted) throw new Error("That message is too far back, or not there any more.");
    });
    return () => {
      wanted = false;
    };
  }, [goal, ready]);
}
