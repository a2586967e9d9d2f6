/** What everybody must see: that there is no connection, and what went wrong. */

import { useEffect, useState } from "preact/hooks";
import { useClient, useConnection } from "./hooks.js";

const SHOWN_MS = 6_000;

export function Banner() {
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const show = (event: Event) => {
      clearTimeout(timer);
      setProblem((event as CustomEvent<string>).detail);
      timer = setTimeout(() => setProblem(undefined), SHOWN_MS);
    };
    addEventListener("palaver-problem", show);
    return () => removeEventListener("palaver-problem", show);
  }, []);
  return (
    <div class="banners" role="status">
      {problem && <p class="problem">{problem}</p>}
    </div>
  );
}

/** How the connection is, in a word and a colour. */
export function ConnectionState() {
  const client = useClient();
  const connection = useConnection();
  const seconds = useCountdown(connection.state === "waiting" ? connection.retryAt : undefined);
  const [words, tone] = {
    online: ["Connected", "good"],
    connecting: ["Connecting…", "soon"],
    waiting: [`Offline; next try in ${seconds} s`, "bad"],
    refused: ["Signed out by the server", "bad"],
    failed: ["Connection failed", "bad"],
    closed: ["Not connected", "bad"],
  }[connection.state] as [string, string];
  return (
    <p class="connection" data-tone={tone} role="status">
      <span class="dot" /> {words}
      {connection.state === "waiting" && (
        <button type="button" class="link" onClick={() => client.retryNow()}>
          Try now
        </button>
      )}
    </p>
  );
}

function useCountdown(at: number | undefined): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (at === undefined) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [at]);
  return at === undefined ? 0 : Math.max(Math.ceil((at - now) / 1000), 0);
}
