/** One command of the outbox, from its keeping to its answer. */

import { isDurable, type Ok, type Payload } from "./calls.js";
import { ClientEnded, type PalaverError } from "./errors.js";

export type OutgoingState = "queued" | "sent" | "failed";

/** Whether the command may be repeated at any later time: it is idempotent by its client id, or by
 * what it says. A read mark «up to the end» is not: the end moves. */
export function isRepeatable(name: string, payload: Payload): boolean {
  const marks = name === "message.read" && ("seq" in payload || "message_ids" in payload);
  return marks || isDurable(name);
}

/** As an outbox stores it. */
export interface OutgoingRecord {
  name: string;
  /** That of the next attempt. */
  payload: Payload;
  conversation: string | undefined;
  clientId: string;
  /** When it was enqueued, in ms since 1970. */
  at: number;
  /** In bytes, as an item. */
  size: number;
}

/** What `client.enqueue` gives: a command that is kept until it has its answer. */
export class Outgoing implements OutgoingRecord {
  readonly name: string;
  readonly payload: Payload;
  readonly conversation: string | undefined;
  readonly clientId: string;
  readonly at: number;
  readonly size: number;
  /** Its place in the outbox. */
  n = 0;
  result: Ok | undefined;
  error: PalaverError | undefined;
  #waiters: { resolve(ok: Ok): void; reject(error: PalaverError): void }[] = [];

  constructor(record: OutgoingRecord) {
    this.name = record.name;
    this.payload = record.payload;
    this.conversation = record.conversation;
    this.clientId = record.clientId;
    this.at = record.at;
    this.size = record.size;
  }

  /** What keeps its order: the commands for one conversation, or to one user. */
  get lane(): string {
    const to = this.conversation === undefined ? this.payload["to"] : undefined;
    return JSON.stringify([this.conversation ?? null, to ?? null]);
  }

  get state(): OutgoingState {
    if (this.result !== undefined) return "sent";
    return this.error === undefined || this.error instanceof ClientEnded ? "queued" : "failed";
  }

  get record(): OutgoingRecord {
    const { name, payload, conversation, clientId, at, size } = this;
    return { name, payload, conversation, clientId, at, size };
  }

  /** Resolves when it is durable, with the `ok` of its Reply. Rejects with what `Failed` says, or
   * `ClientEnded` if it is still kept when this client ends. */
  answer(): Promise<Ok> {
    if (this.result !== undefined) return Promise.resolve(this.result);
    if (this.error !== undefined) return Promise.reject(this.error);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  succeed(result: Ok): void {
    this.result = result;
    for (const each of this.#waiters.splice(0)) each.resolve(result);
  }

  fail(error: PalaverError): void {
    this.error = error;
    for (const each of this.#waiters.splice(0)) each.reject(error);
  }

  /** The next attempt says that it is a repetition (SEND-06). */
  mayHaveHappened(): void {
    if (isDurable(this.name)) this.payload["attempt"] = (this.payload["attempt"] ?? 1) + 1;
  }

  /** Its client ended, and another takes it over. */
  reopen(): void {
    this.error = undefined;
    this.mayHaveHappened();
  }
}
