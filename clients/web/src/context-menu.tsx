/** A menu at a place on the page: where somebody pressed, or beside a button. */

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
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

/** It is there until something is chosen, or somebody turns to something else. Not `popover="auto"`:
 * the button of the mouse that opens it would close it as soon as it is let go. */
export function ContextMenu({ label, at, onClose, children }: Props) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = ref.current!;
    const before = document.activeElement as HTMLElement | null;
    box.showPopover();
    box.style.left = `${within(at.x, innerWidth - box.offsetWidth)}px`;
    box.style.top = `${within(at.y, innerHeight - box.offsetHeight)}px`;
    box.querySelector("button")?.focus({ preventScroll: true });
    return () => {
      if (box.contains(document.activeElement)) before?.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    const elsewhere = (event: Event) => ref.current?.contains(event.target as Node) || onClose();
    addEventListener("pointerdown", elsewhere, { capture: true });
    addEventListener("blur", onClose);
    return () => {
      removeEventListener("pointerdown", elsewhere, { capture: true });
      removeEventListener("blur", onClose);
    };
  });
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      onClose();
    } else step(event, ref.current!, 1);
  };
  return (
    <div
      ref={ref}
      popover="manual"
      class="menu"
      role="group"
      aria-label={label}
      style="--columns: 1"
      onClick={onClose}
      onKeyDown={pressed}
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
