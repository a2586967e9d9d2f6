/** Where in the messages one is, and stays. */

import type { Conversation, Message } from "palaver-client";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { attempt } from "./hooks.js";

type Ref<T> = { current: T };
type Box = Ref<HTMLDivElement | null>;

/** What is looked at stays where it is, whatever comes before or after it; at the end, the end. What
 * one sends oneself is always looked at. */
export function useAnchor(list: Box, messages: readonly Message[], sticks: Ref<boolean>): void {
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

/** Show the message that was searched for, however far back it is. */
export function useGoal(
  list: Box,
  conversation: Conversation,
  goal: { id: string } | undefined,
  sticks: Ref<boolean>,
): void {
  const ready = conversation.phase === "ready";
  useEffect(() => {
    if (goal === undefined || !ready) return;
    let wanted = true;
    const show = () => {
      const found = list.current?.querySelector<HTMLElement>(`[data-message="${goal.id}"]`);
      sticks.current = false;
      found?.scrollIntoView({ block: "center" });
      found?.focus({ preventScroll: true });
    };
    attempt(async () => {
      const there = await conversation.goTo(goal.id);
      if (!wanted) return;
      if (!there) throw new Error("That message is not there any more.");
      // As soon as what was loaded is on the page.
      requestAnimationFrame(show);
    });
    return () => {
      wanted = false;
    };
  }, [goal, ready]);
}

/** Up and down go from message to message, from where their buttons are a Tab away. */
export function walk(event: KeyboardEvent, list: HTMLElement): void {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (step === undefined || event.altKey) return;
  event.preventDefault();
  const bubbles = [...list.querySelectorAll<HTMLElement>(".bubble")];
  const at = bubbles.findIndex((each) => each.contains(document.activeElement));
  bubbles.at(at === -1 ? -1 : Math.max(at + step, 0))?.focus();
}
