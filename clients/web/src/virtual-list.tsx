/** A long list of lines of one height, of which only those in sight are on the page (UI-06). */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** Lines above and below what is in sight, so that a quick scroll shows no gap. */
const SPARE = 6;

interface Props<T> {
  items: readonly T[];
  keyOf(item: T): string;
  /** Of a line, in pixels. */
  height: number;
  label: string;
  /** The last ones are near. */
  onNearEnd(): void;
  /** A line; its focusable parts take `tabIndex`. */
  children(item: T, tabIndex: 0 | -1): ComponentChildren;
}

/** Tab goes to one line, and the arrows from line to line. */
export function VirtualList<T>({ items, keyOf, height, label, onNearEnd, children }: Props<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ first: 0, last: 20 });
  const [current, setCurrent] = useState<string>();
  const wanted = useRef<string>();
  const look = () => {
    const { scrollTop, clientHeight } = box.current!;
    const first = Math.floor(scrollTop / height);
    const last = Math.ceil((scrollTop + clientHeight) / height);
    if (first !== sight.first || last !== sight.last) setSight({ first, last });
    if (last + SPARE >= items.length) onNearEnd();
  };
  useLayoutEffect(() => {
    const resized = new ResizeObserver(look);
    resized.observe(box.current!);
    return () => resized.disconnect();
  });
  useLayoutEffect(() => {
    if (wanted.current === undefined) return;
    box.current!.querySelector<HTMLElement>(`[data-key="${wanted.current}"] button`)?.focus();
    wanted.current = undefined;
  });
  const place = items.findIndex((item) => keyOf(item) === current);
  const from = Math.max(sight.first - SPARE, 0);
  const to = Math.min(sight.last + SPARE, items.length);
  // The line with the focus stays on the page wherever it is; without one the first in sight has it.
  const shown = new Set(Array.from({ length: Math.max(to - from, 0) }, (_, index) => from + index));
  if (place !== -1) shown.add(place);
  const focusable = place === -1 ? Math.min(sight.first, items.length - 1) : place;
  const step = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: items.length - 1 }[event.key];
    const next = to === undefined ? undefined : items[to];
    if (to === undefined || next === undefined) return;
    event.preventDefault();
    wanted.current = keyOf(next);
    setCurrent(wanted.current);
    const { scrollTop, clientHeight } = box.current!;
    const lowest = (to + 1) * height - clientHeight;
    box.current!.scrollTop = Math.min(Math.max(scrollTop, lowest), to * height);
  };
  return (
    <div
      ref={box}
      class="virtual"
      onScroll={look}
      onKeyDown={step}
      onFocusIn={(event) => {
        const line = (event.target as Element).closest<HTMLElement>("[data-key]");
        setCurrent(line?.dataset["key"]);
      }}
      onFocusOut={(event) => {
        // Not `box`, which is gone when the list is taken away with the focus in it.
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setCurrent(undefined);
      }}
    >
      <ul aria-label={label} style={`height: ${items.length * height}px`}>
        {[...shown]
          .sort((a, b) => a - b)
          .map((index) => {
            const key = keyOf(items[index]!);
            return (
              <li
                key={key}
                data-key={key}
                aria-setsize={items.length}
                aria-posinset={index + 1}
                style={`height: ${height}px; transform: translateY(${index * height}px)`}
              >
                {children(items[index]!, index === focusable ? 0 : -1)}
              </li>
            );
          })}
      </ul>
    </div>
  );
}
