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

/** A clock whose timers can be called off all together, and for good. */
export class Timers implements Clock {
  #cancels = new Set<() => void>();
  #over = false;

  constructor(private readonly clock: Clock) {}

  now(): number {
    return this.clock.now();
  }

  after(ms: number, act: () => void): () => void {
    if (this.#over) return () => {};
    const done = () => {
      stop();
      this.#cancels.delete(done);
    };
    const stop = this.clock.after(ms, () => {
      done();
      act();
    });
    this.#cancels.add(done);
    return done;
  }

  end(): void {
    this.#over = true;
    for (const cancel of [...this.#cancels]) cancel();
  }
}

/** Aborted as soon as one of them is (`AbortSignal.any`, which not all browsers have yet). */
export function either(...signals: AbortSignal[]): AbortSignal {
  const over = new AbortController();
  for (const each of signals) {
    if (each.aborted) over.abort(each.reason);
    else each.addEventListener("abort", () => over.abort(each.reason), { signal: over.signal });
  }
  return over.signal;
}

/** What `promise` gives, or an error after `ms` or as soon as `signal` is aborted. */
export async function within<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  promise: Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const late = sleep(clock, ms, either(signal, done.signal)).then(() => {
    throw signal.aborted ? signal.reason : new Error("it takes too long");
  });
  return Promise.race([promise, late]).finally(() => done.abort());
}

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
