/** Follows the user's conversations over one connection after another: the client rule at work.
 *
 * Reads positions out of whatever passes by, resumes where something is missing, and tells each
 * event once and in order, or a `Reload`. */

import type { Calls, Ok, Payload, Then } from "./calls.js";
import { sleep, type Clock } from "./clock.js";
import type { Item } from "./codec.js";
import { NoAnswer, Rejected } from "./errors.js";
import type { Push } from "./pushes.js";
import { delay, exponential } from "./reconnect.js";
import { Replica, UNKNOWN_EPOCH } from "./replica.js";
import { Slots } from "./slots.js";
import type { Row } from "./wire.js";

/** In flight at the same time: a user may have a thousand conversations that moved. */
const RESUMES = 32;
const ANSWER_TIMEOUT = 30_000;

/** What follows a connection is told. */
export interface Telling {
  push(push: Push): void;
  /** Rows of the inbox that changed while there was no connection, and those that are left. */
  changed(rows: Row[], left: string[]): void;
}

export class Follower {
  readonly replica = new Replica();
  #calls: Calls;
  #clock: Clock;
  #random: () => number;
  #tell: Telling;
  #cursor: string | undefined;
  #n = 0;
  #catchingUp = true;
  #user: string | undefined;
  #subscriptions = new Set<string>();
  #over: AbortSignal = AbortSignal.abort();
  #slots = new Slots(RESUMES);

  constructor(calls: Calls, clock: Clock, random: () => number, tell: Telling) {
    this.#calls = calls;
    this.#clock = clock;
    this.#random = random;
    this.#tell = tell;
  }

  // From the connection, in the order of arrival.

  /** An event or signal has come. */
  take(item: Item): void {
    const { t: kind, c: conversation, seq, ts: at = 0, d: data = {} } = item;
    if (seq === undefined || conversation === undefined) return this.#signal(item, data);
    const skipped = kind === "skipped";
    const step = this.replica.push(conversation, skipped ? data.from : seq, seq);
    if (step === "resume") this.#resume(conversation);
    if (step === "found" && !this.#begins(kind, seq, data)) {
      this.#reload(conversation, "new", seq - 1);
    }
    // A void may take back what was known, so it is the one event that is worth repeating.
    const wanted = step === "take" || step === "found" || (step === "known" && kind === "void");
    if (!wanted || skipped) return;
    this.#tell.push({ type: "event", kind, conversation, seq, at, data } as Push);
  }

  #signal(item: Item, data: any): void {
    const { t: kind, c: conversation, ts: at = 0 } = item;
    if (item.n !== undefined && !this.#catchingUp) this.#n = Math.max(this.#n, item.n);
    if (kind === "conversation.head" && conversation !== undefined) {
      if (this.replica.head(conversation, data.epoch, data.seq)) this.#resume(conversation);
    } else if (kind === "message.receipts") {
      // Several marks that were told together, as if each had been told by itself (RCPT-09).
      for (const each of data.read ?? []) this.#told("message.read", conversation, at, each);
      for (const each of data.delivered ?? []) {
        this.#told("message.delivered", conversation, at, each);
      }
    } else {
      this.#told(kind, conversation, at, data);
    }
  }

  #told(kind: string, conversation: string | undefined, at: number, data: any): void {
    this.#tell.push({ type: "signal", kind, conversation, at, data } as Push);
  }

  #reload(conversation: string, reason: string, seq = 0, keep = 0): void {
    this.#tell.push({ type: "reload", conversation, reason, seq, keep });
  }

  /** Whether there is nothing before this event that the user could load. */
  #begins(kind: string, seq: number, data: any): boolean {
    return seq === 1 || (kind === "member.added" && data.users.includes(this.#user));
  }

  /** What to do with the result of an application's call, if there is something to learn. */
  observer(name: string, conversation: string | undefined, payload: Payload): Then | undefined {
    if (name === "conversation.list") {
      return (ok) => ok["conversations"].forEach((row: Ok) => this.#learn(row["c"], row));
    }
    if (conversation === undefined || "thread" in payload) return undefined;
    switch (name) {
      case "conversation.get":
      case "message.history":
        return (ok) => this.#learn(conversation, ok);
      case "conversation.subscribe":
        return () => this.#subscriptions.add(conversation);
      case "conversation.unsubscribe": // holds from now on, whatever becomes of the call
        this.#subscriptions.delete(conversation);
    }
    return undefined;
  }

  #learn(conversation: string, { epoch, seq, marks }: Ok): void {
    if (seq === undefined) return;
    const moves = typeof marks === "number" ? marks : 0;
    this.replica.learn(conversation, epoch ?? UNKNOWN_EPOCH, seq, moves);
  }

  // One connection's life.

  /** A connection of `user` is up; `over` is aborted with it. */
  connected(over: AbortSignal, user: string): void {
    this.#over = over;
    this.#user = user;
    this.#catchingUp = true;
    for (const conversation of this.#subscriptions) void this.#subscribe(conversation, over);
    void this.#catchUp(over);
  }

  disconnected(): void {
    this.#over = AbortSignal.abort();
    this.replica.disconnected();
  }

  /** A subscription ends with its connection, so each connection gets it anew. */
  async #subscribe(conversation: string, over: AbortSignal): Promise<void> {
    const wanted = () => (this.#subscriptions.has(conversation) ? {} : undefined);
    try {
      await this.#insist(over, "conversation.subscribe", wanted, conversation, () => {});
    } catch (error) {
      if (error instanceof Rejected) this.#subscriptions.delete(conversation);
    }
  }

  /** One round trip tells what moved while there was no connection (HIST-07); more of them if the
   * user's own log is far ahead. Until that is done a push tells nothing of what is missing before
   * it. */
  async #catchUp(over: AbortSignal): Promise<void> {
    const position = () => ({
      n: this.#n,
      ...(this.#cursor === undefined ? {} : { cursor: this.#cursor }),
    });
    try {
      while (this.#catchingUp && !over.aborted) {
        await this.#insist(over, "sync.changes", position, undefined, (ok) => this.#changed(ok));
      }
    } catch {
      // Without the overview (an old cursor, a feature switched off) every conversation asks.
      this.#cursor = undefined;
      this.#compare(undefined);
    }
  }

  #changed(answer: Ok): void {
    const rows = answer["conversations"] as Row[];
    const left = (answer["left"] ?? []) as string[];
    const stand = new Map(rows.map((row) => [row.c, [row.epoch, row.seq] as const]));
    // What the user has left has no row; of marks that moved only a resume tells for certain.
    this.#compare(this.#cursor === undefined ? undefined : stand, [
      ...left,
      ...this.#subscriptions,
    ]);
    if (rows.length > 0 || left.length > 0) this.#tell.changed(rows, left);
    this.#cursor = answer["cursor"];
    for (const { n, kind, data, ts } of answer["log"] ?? []) {
      this.#n = Math.max(this.#n, n);
      this.#told(kind, undefined, ts, data);
    }
    this.#catchingUp = answer["more"] ?? false;
  }

  #compare(
    rows: ReadonlyMap<string, readonly [number, number]> | undefined,
    suspects: Iterable<string> = [],
  ): void {
    const { behind, fresh } = this.replica.compare(rows, suspects);
    for (const conversation of fresh) {
      this.#reload(conversation, "new", this.replica.positions.get(conversation)!.seq);
    }
    for (const conversation of behind) this.#resume(conversation);
  }

  #resume(conversation: string): void {
    void this.#recover(conversation, this.#over);
  }

  async #recover(conversation: string, over: AbortSignal): Promise<void> {
    if (!(await this.#slots.acquire(over))) return;
    try {
      const claim = () => this.replica.claim(conversation);
      await this.#insist(over, "conversation.resume", claim, conversation, (ok) =>
        this.#resumed(conversation, ok),
      );
    } catch (error) {
      this.replica.forget(conversation);
      this.#reload(conversation, error instanceof Rejected ? error.code.toLowerCase() : "unknown");
    } finally {
      this.#slots.release();
    }
  }

  #resumed(conversation: string, answer: Ok): void {
    const resumed = this.replica.resumed(conversation, answer);
    if (resumed.reload !== undefined) {
      this.#reload(conversation, resumed.reload, resumed.seq, resumed.keep);
    }
    // Marks that moved meanwhile, as the signals that were missed; when is not known.
    for (const moved of answer["marks"]?.moved ?? []) {
      for (const kind of ["read", "delivered"]) {
        if (moved[kind] === undefined) continue;
        const data = { by: moved.user, seq: moved[kind], at: 0 };
        this.#told(`message.${kind}`, conversation, 0, data);
      }
    }
    if (resumed.again) this.#resume(conversation);
  }

  /** Ask until there is an answer, or no connection. Throws what repeating would not help. */
  async #insist(
    over: AbortSignal,
    name: string,
    payload: () => Payload | undefined,
    conversation: string | undefined,
    then: Then,
  ): Promise<void> {
    for (const bound of exponential()) {
      const asked = payload();
      if (over.aborted || asked === undefined) return;
      let advice: number | undefined;
      try {
        await this.#calls.perform(name, asked, {
          conversation,
          timeout: ANSWER_TIMEOUT,
          // What a connection that is over was asked says nothing any more.
          then: (ok) => over.aborted || then(ok),
        });
        return;
      } catch (error) {
        if (error instanceof Rejected && error.retryable) advice = error.retryAfter;
        else if (!(error instanceof NoAnswer)) throw error;
      }
      await sleep(this.#clock, delay(bound, this.#random, advice), over);
    }
  }
}
