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

/** How far the line has been drawn, and what its element listens to. Its style must have
 * `touch-action: pan-y`: up and down stay the browser's. */
export function useSwipe(onSwipe: (side: Side) => void, onHold: (at: Point) => void) {
  const [x, setX] = useState(0);
  const touch = useRef<Touch>();
  /** Swiped or held: then it is not clicked. */
  const used = useRef(false);
  const end = () => {
    clearTimeout(touch.current?.timer);
    touch.current = undefined;
    setX(0);
  };
  const listeners = {
    onPointerDown({ clientX, clientY, pointerType, isPrimary }: PointerEvent) {
      used.current = false;
      if (pointerType !== "touch" || !isPrimary) return;
      const at = { x: clientX, y: clientY };
      const hold = () => {
        end();
        used.current = true;
        onHold(at);
      };
      touch.current = { at, by: 0, timer: setTimeout(hold, HOLD_MS) };
    },
    onPointerMove({ clientX }: PointerEvent) {
      const now = touch.current;
      if (now === undefined) return;
      now.by = clientX - now.at.x;
      if (!used.current && Math.abs(now.by) < SLOP) return;
      used.current = true;
      clearTimeout(now.timer);
      setX(now.by);
    },
    onPointerUp() {
      const side = sideOf(touch.current?.by ?? 0);
      end();
      if (side !== undefined) onSwipe(side);
    },
    onPointerCancel: end,
    onClickCapture(event: Event) {
      if (used.current) event.stopPropagation();
    },
  };
  return { x, listeners, isTouched: () => touch.current !== undefined };
}

interface Touch {
  at: Point;
  by: number;
  timer: ReturnType<typeof setTimeout>;
}
