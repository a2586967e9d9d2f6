/** A menu at a place on the page: where somebody pressed, or beside a button. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { step, within } from "./menu.js";

export interface Point {
  x: number;
  y: number;
}

interface Props {
  label: string;
  at: Point;
  onClose(): void;
  /** Buttons. Whichever is pressed, the menu closes. */
  children: ComponentChildren;
}

export function ContextMenu({ label, at, onClose, children }: Props) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = ref.current!;
    box.showPopover();
    box.style.left = `${within(at.x, innerWidth - box.offsetWidth)}px`;
    box.style.top = `${within(at.y, innerHeight - box.offsetHeight)}px`;
    box.querySelector("button")?.focus({ preventScroll: true });
  }, []);
  return (
    <div
      ref={ref}
      popover="auto"
      class="menu"
      role="group"
      aria-label={label}
      style="--columns: 1"
      onToggle={(event) => event.newState === "closed" && onClose()}
      onClick={() => ref.current?.hidePopover()}
      onKeyDown={(event) => step(event, ref.current!, 1)}
    >
      {children}
    </div>
  );
}

/** Under a button. */
export function below(button: Element): Point {
  const { left, bottom } = button.getBoundingClientRect();
  return { x: left, y: bottom + 6 };
}
