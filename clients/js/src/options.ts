/** What a client is made of. */

import type { Clock } from "./clock.js";
import type { SocketMaker } from "./connection.js";
import type { Http } from "./http.js";
import type { Outbox } from "./outbox.js";
import type { Backoff } from "./reconnect.js";
import type { Store } from "./store.js";

/** A token, or what gets a fresh one: asked before each connection, again before a token runs out,
 * and after one has run out nevertheless. */
export type Token = string | (() => string | Promise<string>);

export interface ClientOptions {
  /** For people: "ann's phone". */
  device?: string;
  /** False: a client that only calls, and follows nothing. */
  pushes?: boolean;
  /** Events are acknowledged as delivered at most every so many ms; null: never. 500. */
  ackEvery?: number | null;
  /** What holds what is enqueued. In memory; `browserOutbox(name)` outlives the page. */
  outbox?: Outbox;
  /** Where drafts are kept that were not saved yet; `localStorage` where there is one. */
  store?: Store;
  /** When to try again; `exponential`. */
  backoff?: Backoff;
  /** How a socket is made; the platform's `WebSocket`. */
  socket?: SocketMaker;
  /** Where the same server speaks HTTP, for files: by default at the same host and port, or at 8766
   * if the URL says 8765. */
  httpUrl?: string;
  /** How it is spoken to there; by the platform's means. */
  http?: Http;
  clock?: Clock;
  random?: () => number;
}
