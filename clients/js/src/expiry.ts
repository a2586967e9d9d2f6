/** Messages that disappear: shown no longer than they may be (MSG-24). */

import type { Clock } from "./clock.js";
import type { Message } from "./messages.js";

export class Expiry {
  #cancel: () => void = () => {};

  /** `over` is called when one of `messages` has come to its end. */
  constructor(
    private readonly clock: Clock,
    private readonly messages: () => readonly Message[],
    private readonly over: () => void,
  ) {}

  /** Call it when there are others. */
  set(): void {
    this.#cancel();
    const now = this.clock.now();
    const times = this.messages().map((each) => each.expires_at ?? Infinity);
    const next = Math.min(...times.filter((time) => time > now), Infinity);
    this.#cancel = this.clock.after(next - now, () => {
      this.over();
      this.set();
    });
  }

  stop(): void {
    this.#cancel();
  }
}
