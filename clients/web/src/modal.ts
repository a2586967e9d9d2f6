/** A dialog in front of everything: Tab stays within it, and where one was one is again. */

import { useLayoutEffect, type MutableRef } from "preact/hooks";

export function useModal(ref: MutableRef<HTMLDialogElement | null>): void {
  useLayoutEffect(() => {
    const dialog = ref.current!;
    const before = document.activeElement as HTMLElement | null;
    dialog.showModal();
    dialog.addEventListener("keydown", (event) => event.key === "Tab" && turn(event, dialog));
    // It is in the way until it is taken from the page.
    return () => queueMicrotask(() => before?.focus());
  }, []);
}

/** From the last control to the first one, and back. */
function turn(event: KeyboardEvent, dialog: HTMLDialogElement): void {
  const controls = dialog.querySelectorAll<HTMLElement>("a[href], button, input, select, textarea");
  const open = [...controls].filter((each) => each.matches(":enabled, a") && each.offsetParent);
  const [first, last] = [open[0], open.at(-1)];
  if (document.activeElement !== (event.shiftKey ? first : last)) return;
  event.preventDefault();
  (event.shiftKey ? last : first)?.focus();
}
