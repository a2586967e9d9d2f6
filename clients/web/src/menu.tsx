/** A menu beside the button that opens it: in front of everything, and never beyond an edge. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icons.js";

/** Pixels between the menu and its button, or the edge of the page. */
const GAP = 6;

interface Props {
  label: string;
  icon: IconName;
  /** How many stand side by side. */
  columns?: number;
  /** Buttons. Whichever is pressed, the menu closes. */
  children: ComponentChildren;
}

export function Menu({ label, icon, columns = 1, children }: Props) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (!open) return;
    const follow = () => place(box.current!, button.current!);
    addEventListener("scroll", follow, { capture: true });
    return () => removeEventListener("scroll", follow, { capture: true });
  }, [open]);
  return (
    <>
      <button
        ref={button}
        type="button"
        class="plain"
        aria-label={label}
        aria-expanded={open}
        popovertarget={id}
      >
        <Icon name={icon} />
      </button>
      <div
        ref={box}
        id={id}
        popover="auto"
        class="menu"
        role="group"
        aria-label={label}
        style={`--columns: ${columns}`}
        onBeforeToggle={(event) => setOpen(event.newState === "open")}
        onToggle={(event) => {
          if (event.newState === "closed") return;
          place(box.current!, button.current!);
          box.current!.querySelector("button")?.focus({ preventScroll: true });
        }}
        onClick={() => box.current?.hidePopover()}
        onKeyDown={(event) => step(event, box.current!, columns)}
      >
        {open && children}
      </div>
    </>
  );
}

/** Below the button if there is room, otherwise above it. */
function place(box: HTMLElement, button: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const below = at.bottom + GAP;
  const top = below + height + GAP <= innerHeight ? below : at.top - GAP - height;
  box.style.top = `${within(top, innerHeight - height)}px`;
  box.style.left = `${within(at.left, innerWidth - width)}px`;
}

export const within = (place: number, room: number) => Math.max(Math.min(place, room - GAP), GAP);

/** Arrows go from button to button. */
export function step(event: KeyboardEvent, box: HTMLElement, columns: number): void {
  const steps: Record<string, number> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
  };
  const by = steps[event.key];
  if (by === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  const buttons = [...box.querySelectorAll("button")];
  const next = buttons.indexOf(document.activeElement as HTMLButtonElement) + by;
  buttons[next]?.focus();
}
