/** Time, as far as the client needs it; tests bring their own. All durations are milliseconds. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `act` once, after `ms`; never, if that is Infinity. What it returns calls it off. */
  after(ms: number, act: () => void): () => void;
}

/** The longest that a timer can be set for; what is later is as good as never. */
const LONGEST = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, act) {
    if (ms > LONGEST) return () => {};
    const timer = setTimeout(act, Math.max(ms, 0));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or as soon as `signal` is aborted: look at it to know which. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener("abort", done);
  });
}
