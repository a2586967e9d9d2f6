/** Those who ask to write to one. The server tells nothing of a request before it is answered (so
 * that nobody is bothered), and so it is asked for: now and then, and when somebody looks. */

import { Rejected, type Inbox } from "palaver-client";
import { useEffect } from "preact/hooks";

const EVERY_MS = 20_000;

export function useRequests(inbox: Inbox): void {
  useEffect(() => {
    const ask = () =>
      inbox.reload("requests").catch((error: unknown) => {
        // A product without requests says so, once.
        if (error instanceof Rejected && error.code === "FEATURE_DISABLED") stop();
      });
    const looked = () => void ask();
    const timer = setInterval(looked, EVERY_MS);
    const stop = () => {
      clearInterval(timer);
      removeEventListener("focus", looked);
    };
    addEventListener("focus", looked);
    looked();
    return stop;
  }, [inbox]);
}
