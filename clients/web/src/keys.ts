/** Control-K searches; Alt and an arrow go to the conversation above or below. */

import { useEffect } from "preact/hooks";

interface Keys {
  search(): void;
  /** What is listed, in its order, and which of them is open. */
  listed(): string[];
  open: string | undefined;
  onOpen(c: string): void;
}

export function useKeys({ search, listed, open, onOpen }: Keys): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if ((event.ctrlKey || event.metaKey) && event.key === "k") {
        event.preventDefault();
        search();
      } else if (event.altKey && step !== undefined) {
        event.preventDefault();
        const all = listed();
        const next = all[open === undefined ? 0 : all.indexOf(open) + step];
        if (next !== undefined) onOpen(next);
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}
