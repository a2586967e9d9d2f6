/** Touch on a line: swiped to a side, or held. A mouse has other ways. */

import { useRef, useState } from "preact/hooks";
import type { Point } from "./context-menu.js";

/** Pixels after which letting go does it. */
const FAR = 80;
/** Pixels that are no movement yet. */
const SLOP = 10;
const HOLD_MS = 500;

export type Side = "left" | "right";

/** Whither a finger that has come so far swipes. */
export const sideOf = (x: number): Side | undefined =>
  Math.abs(x) < FAR ? undefined : x < 0 ? "left" : "right";

/** How far the line has been drawn, whether it is held, and what its element listens to. Its style
 * must have `touch-action: pan-y`: up and down stay the browser's. */
export function useSwipe(onSwipe: (side: Side) => void, onHold: (at: Point) => void) {
  const [x, setX] = useState(0);
  const [held, setHeld] = useState(false);
  const touch = useRef<Touch>();
  const moved = useRef(false);
  const end = () => {
    clearTimeout(touch.current?.timer);
    touch.current = undefined;
    setX(0);
    setHeld(false);
  };
  const hold = () => {
    touch.current!.held = true;
    setHeld(true);
  };
  const listeners = {
    onPointerDown({ clientX, clientY, pointerType, isPrimary }: PointerEvent) {
      moved.current = false;
      if (pointerType !== "touch" || !isPrimary) return;
      const timer = setTimeout(hold, HOLD_MS);
      touch.current = { at: { x: clientX, y: clientY }, by: 0, held: false, timer };
    },
    onPointerMove({ clientX }: PointerEvent) {
      const now = touch.current;
      if (now === undefined || now.held) return;
      now.by = clientX - now.at.x;
      if (!moved.current && Math.abs(now.by) < SLOP) return;
      moved.current = true;
      clearTimeout(now.timer);
      setX(now.by);
    },
    onPointerUp() {
      const now = touch.current;
      end();
      if (now === undefined) return;
      const side = moved.current ? sideOf(now.by) : undefined;
      moved.current ||= now.held;
      if (side !== undefined) onSwipe(side);
      // Not before this touch is over, which would close what it opens.
      else if (now.held) setTimeout(() => onHold(now.at));
    },
    onPointerCancel: end,
    /** What was swiped or held is not clicked. */
    onClickCapture(event: Event) {
      if (moved.current) event.stopPropagation();
    },
  };
  return { x, held, listeners, isTouched: () => touch.current !== undefined };
}

interface Touch {
  at: Point;
  by: number;
  held: boolean;
  timer: ReturnType<typeof setTimeout>;
}
