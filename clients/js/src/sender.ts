/** Sends what the outbox holds: of each conversation one command at a time, the oldest first.
 *
 * The next one leaves when this one has its answer, so none overtakes another, whatever is refused
 * or repeated on the way. Conversations do not wait for each other, except for the user's rate. */

import { WINDOW, type Calls } from "./calls.js";
import { sleep, type Clock } from "./clock.js";
import {
  CallTimeout,
  ClientEnded,
  ConnectionLost,
  Expired,
  Rejected,
  type PalaverError,
} from "./errors.js";
import type { Outbox } from "./outbox.js";
import type { Outgoing } from "./outgoing.js";
import type { Push } from "./pushes.js";
import { delay, exponential } from "./reconnect.js";
import { Slots } from "./slots.js";

/** Commands in flight; the other half of the window is for calls. */
const SLOTS = WINDOW / 2;

export class Sender {
  #slots = new Slots(SLOTS);
  #lanes = new Map<string, Outgoing[]>();
  #why: (() => ClientEnded) | undefined;
  #waits = new Set<AbortController>();
  #off: () => void = () => {};

  /** `tell`: what becomes of a command, in line with the events that it led to. */
  constructor(
    private readonly outbox: Outbox,
    private readonly calls: Calls,
    private readonly clock: Clock,
    private readonly random: () => number,
    private readonly tell: (push: Push) => void,
  ) {}

  /** Begin with what was left from the last time. */
  start(): void {
    if (this.#why === undefined) this.#off = this.outbox.onLate((outgoing) => this.#add(outgoing));
    for (const outgoing of this.outbox.waiting) this.#add(outgoing);
  }

  async enqueue(outgoing: Outgoing): Promise<Outgoing> {
    const kept = await this.outbox.keep(outgoing);
    if (kept === outgoing) this.#add(outgoing);
    return kept;
  }

  /** This client sends nothing any more; what is kept stays so. */
  end(why: () => ClientEnded): void {
    this.#why = why;
    this.#off();
    for (const wait of this.#waits) wait.abort();
    for (const outgoing of this.outbox.waiting) outgoing.fail(why());
  }

  #add(outgoing: Outgoing): void {
    if (this.#why !== undefined) return outgoing.fail(this.#why());
    const waiting = this.#lanes.get(outgoing.lane);
    if (waiting !== undefined) {
      waiting.push(outgoing);
    } else {
      const lane = [outgoing];
      this.#lanes.set(outgoing.lane, lane);
      void this.#serve(outgoing.lane, lane);
    }
  }

  async #serve(lane: string, waiting: Outgoing[]): Promise<void> {
    for (let outgoing; (outgoing = waiting[0]) !== undefined;) {
      try {
        await this.#send(outgoing);
      } catch (error) {
        if (error instanceof ClientEnded) return;
        outgoing.fail(error as PalaverError);
        this.tell({ type: "failed", outgoing, error: error as PalaverError });
      }
      waiting.shift();
      await this.outbox.drop(outgoing);
    }
    this.#lanes.delete(lane);
  }

  /** Until it has its answer. Throws a final `Rejected`, `Expired` or `ClientEnded`. */
  async #send(outgoing: Outgoing): Promise<void> {
    const deadline = outgoing.at + this.outbox.maxAge;
    const late = new AbortController();
    const cancel = this.clock.after(deadline - this.clock.now(), () => late.abort());
    this.#waits.add(late);
    try {
      for (const bound of exponential()) {
        const mine = await this.#slots.acquire(late.signal);
        if (this.#why !== undefined) throw this.#why();
        if (!mine) throw expired(outgoing);
        let wait: number;
        try {
          const no = await this.#try(outgoing, deadline);
          if (no === undefined) return;
          wait = delay(bound, this.random, no.retryAfter);
          if (no.code === "RATE_LIMITED") {
            await sleep(this.clock, wait, late.signal); // the user's rate: more would be refused
            wait = 0;
          }
        } finally {
          this.#slots.release();
        }
        await sleep(this.clock, wait, late.signal);
      }
    } finally {
      this.#waits.delete(late);
      cancel();
    }
  }

  /** The no after which it may be tried again, if any. */
  async #try(outgoing: Outgoing, deadline: number): Promise<Rejected | undefined> {
    const { name, payload, conversation } = outgoing;
    for (;;) {
      try {
        await this.calls.perform(name, payload, {
          conversation,
          timeout: Math.max(deadline - this.clock.now(), 0),
          then: (result) => {
            outgoing.succeed(result);
            this.tell({ type: "sent", outgoing, result });
          },
        });
        return undefined;
      } catch (error) {
        if (error instanceof CallTimeout) {
          if (error.sent) outgoing.mayHaveHappened();
          throw expired(outgoing, error.sent);
        }
        if (error instanceof ConnectionLost) continue; // it cannot say that it is a repetition
        if (!(error instanceof Rejected) || !error.retryable) throw error;
        if (error.mayHaveHappened) outgoing.mayHaveHappened();
        return error;
      }
    }
  }
}

function expired(outgoing: Outgoing, sent = false): Expired {
  const { name, payload, conversation } = outgoing;
  return new Expired([name, payload, conversation], sent || (payload["attempt"] ?? 1) > 1);
}
