/** What has become of a message that one has sent: sending, sent, delivered, read, or failed.
 *
 * Pure: it is told facts, in whatever order and however often they come, and only goes forward. */

import type { Outgoing } from "./outgoing.js";
import type { Push } from "./pushes.js";

/** In the order in which a message goes through them; `failed` is an end (SEND-12). */
export type Status = "sending" | "sent" | "delivered" | "read" | "failed";
export type MarkKind = "read" | "delivered";
export type MarkSeqs = Record<MarkKind, number>;

const ORDER: readonly Status[] = ["sending", "sent", "delivered", "read"];

/** Steps may be left out, since what is read was delivered. What has been sent has not failed. */
export function mayBecome(now: Status, next: Status): boolean {
  if (next === "failed") return now === "sending";
  return now !== "failed" && ORDER.indexOf(next) > ORDER.indexOf(now);
}

/** For a product that shows only some of them: the last of `shown` that the message has been
 * through, undefined if there is none yet (C-44). */
export function shownStatus(now: Status, shown: readonly Status[]): Status | undefined {
  if (now === "failed") return shown.includes(now) ? now : undefined;
  return ORDER.slice(0, ORDER.indexOf(now) + 1).findLast((each) => shown.includes(each));
}

/** What a durable message at `seq` has come to, if these are the marks of all others: delivered, or
 * read, when that is so for all of them; without any it stays sent. */
export function reached(seq: number, others: Iterable<MarkSeqs>): Status {
  let status: Status | undefined;
  for (const marks of others) {
    if (marks.read >= seq) status ??= "read";
    else if (marks.delivered >= seq) status = "delivered";
    else return "sent";
  }
  return status ?? "sent";
}

/** Raises a mark; what is read was delivered. */
export function raise(marks: MarkSeqs, kind: MarkKind, seq: number): void {
  marks[kind] = Math.max(marks[kind], seq);
  marks.delivered = Math.max(marks.delivered, marks.read);
}

/** Of one message to `recipients`, who are the other members when it was sent. Marks that are told
 * before the message's own place is known are kept until then. */
export class MessageStatus {
  now: Status = "sending";
  #conversation: string | undefined;
  #seq: number | undefined;
  #marks: Map<string, MarkSeqs>;

  constructor(recipients: Iterable<string>) {
    this.#marks = new Map([...recipients].map((user) => [user, { delivered: 0, read: 0 }]));
  }

  /** What `push` says of the message that was enqueued as `outgoing`; pushes of other messages and
   * conversations say nothing, so do not filter. */
  take(push: Push, outgoing: Outgoing): Status {
    const here = outgoing.conversation ?? this.#conversation;
    if (push.type === "event" && push.kind === "message.sent") {
      // Sent to a user, it has no conversation before.
      if (push.data.client_id === outgoing.clientId) this.#conversation = push.conversation;
      else if (push.conversation === here && push.data.by !== undefined) {
        this.marked(push.data.by, "read", push.seq); // who answers has read, without a receipt
      }
    } else if (push.type === "sent" && push.outgoing === outgoing) {
      this.#conversation = push.result["c"];
      this.sent(push.result["seq"]);
    } else if (push.type === "failed" && push.outgoing === outgoing) {
      this.failed();
    } else if (push.type === "signal" && here !== undefined && push.conversation === here) {
      if (push.kind === "message.read") this.marked(push.data.by, "read", push.data.seq);
      if (push.kind === "message.delivered") this.marked(push.data.by, "delivered", push.data.seq);
    }
    return this.now;
  }

  /** It is durable, at `seq`. */
  sent(seq: number): void {
    this.#seq = seq;
    this.#go("sent");
    this.#follow();
  }

  /** It will not be sent. */
  failed(): void {
    this.#go("failed");
  }

  /** `user` has read, or holds, everything up to `seq`. */
  marked(user: string, kind: MarkKind, seq: number): void {
    const marks = this.#marks.get(user);
    if (marks === undefined) return;
    raise(marks, kind, seq);
    this.#follow();
  }

  #follow(): void {
    if (this.#seq !== undefined) this.#go(reached(this.#seq, this.#marks.values()));
  }

  /** What came late, or comes again, changes nothing. */
  #go(to: Status): void {
    if (mayBecome(this.now, to)) this.now = to;
  }
}
