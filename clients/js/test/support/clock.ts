/** A clock that moves when the test says so. */

import type { Clock } from "../../src/clock.js";

/** Everything that can happen now has happened. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

export class FakeClock implements Clock {
  #now = 1_700_000_000_000;
  #timers = new Set<{ at: number; act: () => void }>();

  now(): number {
    return this.#now;
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  after(ms: number, act: () => void): () => void {
    if (ms === Infinity) return () => {};
    const timer = { at: this.#now + Math.max(ms, 0), act };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Let `ms` pass, and all that happens meanwhile happen in its order. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end);
      const next = due.sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.act();
      await settled();
    }
    this.#now = end;
  }
}
