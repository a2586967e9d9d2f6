/** What everybody must see: that there is no connection, and what went wrong. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useClient, useConnection, type Told } from "./hooks.js";

const SHOWN_MS = 6_000;

/** What went wrong, and what was done and can be undone. */
export function Notice() {
  const [told, setTold] = useState<Told>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const show = (event: Event) => {
      clearTimeout(timer);
      setTold((event as CustomEvent<Told>).detail);
      timer = setTimeout(() => setTold(undefined), SHOWN_MS);
    };
    addEventListener("palaver-told", show);
    return () => removeEventListener("palaver-told", show);
  }, []);
  const undo = () => {
    told?.undo?.();
    setTold(undefined);
  };
  // In front of a dialog, which otherwise darkens it.
  const popover = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    popover.current!.hidePopover();
    if (told && document.querySelector("dialog:modal")) popover.current!.showPopover();
  }, [told]);
  return (
    <div class="notices" popover="manual" ref={popover}>
      <div class="notice" data-problem="true" role="alert">
        {told?.problem && <p>{told.text}</p>}
      </div>
      <div class="notice" role="status">
        {told && !told.problem && (
          <p>
            {told.text}
            {told.undo && (
              <button type="button" class="link" onClick={undo}>
                Undo
              </button>
            )}
          </p>
        )}
      </div>
    </div>
  );
}

const WORDS = {
  online: ["Connected", "good"],
  connecting: ["Connecting…", "soon"],
  waiting: ["Offline", "bad"],
  refused: ["Signed out", "bad"],
  failed: ["Not connected", "bad"],
  closed: ["Not connected", "bad"],
} as const;

/** How the connection is, in a word and a colour. */
export function ConnectionState() {
  const [words, tone] = WORDS[useConnection().state];
  return (
    <p class="connection" data-tone={tone}>
      <span class="dot" /> {words}
    </p>
  );
}

/** That there is no connection, until there is one again. */
export function Offline() {
  const client = useClient();
  const connection = useConnection();
  const { state } = connection;
  const [lost, setLost] = useState(false);
  const seconds = useCountdown(state === "waiting" ? connection.retryAt : undefined);
  useEffect(() => {
    if (state !== "connecting") setLost(state !== "online" && state !== "closed");
  }, [state]);
  return (
    <div class="offline" role="status">
      {lost && state === "refused" && <p>The server has signed you out. Load the page again.</p>}
      {lost && state === "failed" && <p>The connection has failed. Load the page again.</p>}
      {lost && (state === "waiting" || state === "connecting") && (
        <p>
          No connection. What you write is sent as soon as there is one.
          {/* Not read out every second. */}
          <span aria-hidden="true">
            {state === "connecting" ? " Trying…" : ` Next try in ${seconds} s.`}
          </span>
          <button type="button" class="link" onClick={() => client.retryNow()}>
            Try now
          </button>
        </p>
      )}
    </div>
  );
}

function useCountdown(at: number | undefined): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (at === undefined) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [at]);
  return at === undefined ? 0 : Math.max(Math.ceil((at - now) / 1000), 0);
}
