/** What a client tells: six kinds of news, in one order. */

import type { Ok } from "./calls.js";
import type { PalaverError } from "./errors.js";
import type { EventPayloads, SignalPayloads, UserEventPayloads } from "./generated.js";
import type { Outgoing } from "./outgoing.js";
import type { MessageExtras } from "./wire.js";

export type EventKind = keyof EventPayloads;
export type SignalKind = keyof SignalPayloads | keyof UserEventPayloads;

interface EventBase {
  id: string;
  by?: string;
  client_id?: string;
  number?: number;
  /** The content is gone: its message was deleted. */
  redacted?: true;
}

export type EventData<K extends EventKind = EventKind> = EventBase &
  (K extends "message.sent"
    ? Omit<EventPayloads[K], keyof MessageExtras> & MessageExtras
    : EventPayloads[K]);

/** Something durable. Per conversation the seqs grow one by one, except for events that this user
 * may not see; each comes once. A `void` takes back the event whose id is `data.of`; it alone may
 * come again, and with the seq of what it takes back. */
export type ConversationEvent<K extends EventKind = EventKind> = {
  [Kind in K]: {
    type: "event";
    kind: Kind;
    conversation: string;
    seq: number;
    /** ms since 1970 */
    at: number;
    data: EventData<Kind>;
  };
}[K];

type SignalData<K extends SignalKind> = K extends keyof SignalPayloads
  ? SignalPayloads[K]
  : K extends keyof UserEventPayloads
    ? UserEventPayloads[K]
    : never;

/** Something passing: typing, marks, presence, unread counts; it may be lost. Or an entry of one's
 * own log, of which none is lost. */
export type Signal<K extends SignalKind = SignalKind> = {
  [Kind in K]: {
    type: "signal";
    kind: Kind;
    conversation: string | undefined;
    at: number;
    data: SignalData<Kind>;
  };
}[K];

/** What the application knows of `conversation` is not to be continued: read it anew, first
 * `conversation.get`, then history. Events go on after `seq`; what it knows up to `keep` is right.
 *
 * `reason`: `diverged` (events that were shown are not in the log), `too_far` (too many were
 * missed), `new` (met for the first time, and older than that), `unknown` (the server never knew
 * what the client knows), `not_member` or an error's code in lower case: it is no longer the
 * user's, and no events follow. */
export interface Reload {
  type: "reload";
  conversation: string;
  reason: string;
  seq: number;
  keep: number;
}

/** What is to be shown of the connection (CLI-13). */
export type ConnectionState =
  /** Not connected yet, or closed by `close`. */
  | { state: "closed" }
  | { state: "connecting" }
  | { state: "online"; user: string }
  /** Not connected; the next attempt is made at `retryAt` (ms since 1970). */
  | { state: "waiting"; reason: string; retryAt: number }
  /** The end: the server said not to come back; `code` of the close frame. */
  | { state: "refused"; reason: string; code: number | undefined }
  /** The end: the backoff has no more attempts. */
  | { state: "failed"; reason: string };

export type StateChange = { type: "state" } & ConnectionState;

/** A command of the outbox is durable: `result` is the `ok` of its Reply. It follows the event that
 * it led to, and may come again after a restart. */
export interface Sent {
  type: "sent";
  outgoing: Outgoing;
  result: Ok;
}

/** A command of the outbox will not be sent again: the server said no for good (`Rejected`), or it
 * became too old (`Expired`). */
export interface Failed {
  type: "failed";
  outgoing: Outgoing;
  error: PalaverError;
}

export type Push = ConversationEvent | Signal | Reload | StateChange | Sent | Failed;

/** What `client.on` takes: a type of push, the name of an event or signal, or `push` for all. */
export type Listeners = {
  push: Push;
  event: ConversationEvent;
  signal: Signal;
  reload: Reload;
  state: StateChange;
  sent: Sent;
  failed: Failed;
} & { [K in EventKind]: ConversationEvent<K> } & { [K in SignalKind]: Signal<K> };
