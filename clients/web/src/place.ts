/** What is open, as the address says: `#c/<conversation>`. It outlives a reload, and can be sent. */

import { useEffect, useState } from "preact/hooks";

export interface Place {
  c: string;
  /** A message to be shown there, as a search found it. */
  message?: Found | undefined;
}

export interface Found {
  id: string;
  seq: number;
}

/** The browser's Back leads to what was open before, and at last to the inbox. */
export function usePlace(): [Place | undefined, (place: Place | undefined) => void] {
  const [place, setPlace] = useState(fromAddress);
  useEffect(() => {
    const moved = () => setPlace(fromAddress());
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  const go = (next: Place | undefined) => {
    const back = stepsBack();
    if (next === undefined && back !== undefined) return history.go(-back);
    const address = location.pathname + location.search + (next ? `#c/${next.c}` : "");
    if (next === undefined) history.replaceState(null, "", address);
    else if (place === undefined) history.pushState({ back: 1 }, "", address);
    else if (next.c !== place.c) {
      history.pushState(back === undefined ? null : { back: back + 1 }, "", address);
    }
    setPlace(next);
  };
  return [place, go];
}

/** How many steps behind this one the inbox is; undefined if the page was opened by a link. */
const stepsBack = () => (history.state as { back?: number } | null)?.back;

function fromAddress(): Place | undefined {
  const c = /^#c\/([0-9a-f-]{36})$/.exec(location.hash)?.[1];
  return c === undefined ? undefined : { c };
}
