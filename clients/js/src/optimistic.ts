/** One's own messages that are on their way: shown at once, under the id of their command (CLI-04). */

import type { Message } from "./messages.js";
import type { Outgoing } from "./outgoing.js";

export interface Pending {
  readonly message: Message;
  readonly payload: Record<string, any>;
}

/** The messages of one conversation between `send` and their Reply, or for good if they failed. */
export class Optimistic {
  #pending = new Map<string, Pending>();
  /** Client ids whose event has come and whose reply has not. */
  #unconfirmed = new Set<string>();

  constructor(private readonly me: () => string | undefined) {}

  get messages(): Message[] {
    return [...this.#pending.values()].map((each) => each.message);
  }

  get(clientId: string): Pending | undefined {
    return this.#pending.get(clientId);
  }

  /** Shown behind all others until it has its place: its `seq` is infinite until then. `quoted`
   * gives the message that it answers, if that is here. */
  add(
    payload: Record<string, any>,
    at: number,
    quoted: (id: string) => Message | undefined = () => undefined,
  ): Message {
    const { client_id, attempt: _, reply_to, thread, expires_in: __, ...said } = payload;
    const { by, text, seq = 0 } = (reply_to && quoted(reply_to)) ?? {};
    const message: Message = {
      id: client_id,
      seq: Infinity,
      ts: at,
      kind: "message.sent",
      by: this.me() ?? "",
      text: "",
      ...said,
      ...(reply_to === undefined ? {} : { reply_to: { id: reply_to, seq } }),
      ...(text === undefined ? {} : { preview: { by, text } }),
      ...(thread === undefined ? {} : { thread: { id: thread, seq: 0 } }),
      client_id,
      status: "sending",
    };
    this.#pending.set(client_id, { message, payload });
    return message;
  }

  /** What is in the outbox, left from an earlier page or lost by the server before it replied; but
   * for what `isTold` by its event. */
  restore(
    waiting: readonly Outgoing[],
    c: string,
    isTold: (clientId: string) => boolean = () => false,
  ): void {
    for (const { name, conversation, payload, clientId, at } of waiting) {
      if (name !== "message.send" || conversation !== c) continue;
      if (this.#pending.has(clientId) || isTold(clientId)) continue;
      this.#unconfirmed.delete(clientId);
      this.add(payload, at);
    }
  }

  /** Its event has come: it stands among the others, and is not known to be durable yet. */
  arrived(clientId: string): void {
    if (this.#pending.delete(clientId)) this.#unconfirmed.add(clientId);
  }

  /** Its reply has come. */
  confirmed(clientId: string): Pending | undefined {
    this.#unconfirmed.delete(clientId);
    const pending = this.#pending.get(clientId);
    this.#pending.delete(clientId);
    return pending;
  }

  isConfirmed(clientId: string | undefined): boolean {
    return clientId === undefined || !this.#unconfirmed.has(clientId);
  }

  /** It will not be sent; it can be retried or discarded. */
  failed(clientId: string, error: Error): void {
    this.#unconfirmed.delete(clientId);
    const pending = this.#pending.get(clientId);
    if (pending === undefined) return;
    const message: Message = { ...pending.message, status: "failed", error };
    this.#pending.set(clientId, { ...pending, message });
  }

  discard(clientId: string): void {
    this.#pending.delete(clientId);
  }
}
