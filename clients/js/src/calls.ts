/** Calls that wait for their answers, and what waits to be written: both outlive a connection.
 *
 * A call is correlated by its `id`, so any number may be in flight (SEND-05). They are written in
 * the order in which they were made, also after a reconnect (CLI-02). */

import { DEFAULT_MAX_BYTES, encode, join, type Item } from "./codec.js";
import type { Clock } from "./clock.js";
import { CallTimeout, ConnectionLost, PalaverError, Rejected, type ClientEnded } from "./errors.js";
import { DURABLE, MAX_ITEMS, VERSION } from "./generated.js";

/** Items are joined into frames up to this size. */
const FRAME_BYTES = 65_536;
const ARRAY_HEAD = 3;

/** Calls in flight. More wait here, in their order: what a server will not hold it refuses, and a
 * repetition then comes after what was said later. */
export const WINDOW = 32;

export type Payload = Record<string, any>;
export type Ok = Record<string, any>;
/** Called with the result in line with the pushes round the Reply. */
export type Then = (ok: Ok) => void;

/** Whether repeating the command under its client id is safe. */
export const isDurable = (name: string): boolean => DURABLE.has(name);

interface Call {
  readonly id: number;
  readonly name: string;
  readonly payload: Payload;
  readonly conversation: string | undefined;
  readonly then: Then | undefined;
  item: Uint8Array<ArrayBuffer>;
  sent: number;
  succeed(ok: Ok): void;
  fail(error: PalaverError): void;
}

export interface Performing {
  conversation?: string | undefined;
  timeout?: number | undefined;
  then?: Then | undefined;
}

export class Calls {
  #clock: Clock;
  #nextId = 1;
  #open = new Map<number | string, Call>();
  #queue: (Call | Uint8Array<ArrayBuffer>)[] = [];
  #inFlight = new Set<number | string>();
  #over: (() => ClientEnded) | undefined;
  #maxBytes = DEFAULT_MAX_BYTES;
  #write: ((frame: Uint8Array<ArrayBuffer>) => void) | undefined;
  #due = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get inFlight(): boolean {
    return this.#inFlight.size > 0;
  }

  /** The `ok` of the Reply. Rejects with `Rejected`, `NoAnswer` or `ClientEnded`.
   *
   * `payload` is kept up to date: after a repetition it says so. */
  async perform(name: string, payload: Payload, how: Performing = {}): Promise<Ok> {
    if (this.#over !== undefined) throw this.#over();
    const { conversation, timeout = Infinity, then } = how;
    const id = this.#nextId++;
    const item = this.encode(id, name, payload, conversation);
    return new Promise<Ok>((succeed, fail) => {
      const cancel = this.#clock.after(timeout, () => {
        this.#close(id);
        const again = { ...payload, ...repetition(call) };
        fail(new CallTimeout([name, again, conversation], call.sent > 0));
      });
      const call: Call = {
        ...{ id, name, payload, conversation, then, item, sent: 0 },
        succeed: (ok) => (cancel(), succeed(ok)),
        fail: (error) => (cancel(), fail(error)),
      };
      this.#open.set(id, call);
      this.#enqueue(call);
    });
  }

  /** Write `item`, to which there is no Reply, on this connection or never; whether there is one. */
  post(item: Item): boolean {
    if (this.#write === undefined) return false;
    this.#enqueue(encode(item));
    return true;
  }

  hello(payload: Payload): Uint8Array<ArrayBuffer> {
    return encode({ t: "hello", id: this.#nextId++, v: VERSION, d: payload });
  }

  /** A Reply has arrived. One that nobody waits for any more is passed over. */
  reply(item: Item): void {
    const call = this.#close(item.id);
    if (call === undefined) return;
    if (item.error !== undefined) return call.fail(new Rejected(item.error));
    const ok = item.ok ?? {};
    call.succeed(ok);
    call.then?.(ok);
  }

  /** A connection is up: whatever is open is written, in the order in which it was called.
   *
   * A frame above `maxBytes` would end it for good; a call that makes one fails instead. */
  connected(maxBytes: number, write: (frame: Uint8Array<ArrayBuffer>) => void): void {
    this.#maxBytes = maxBytes;
    this.#queue = [];
    this.#write = write;
    for (const call of [...this.#open.values()]) {
      Object.assign(call.payload, repetition(call));
      try {
        call.item = this.encode(call.id, call.name, call.payload, call.conversation);
        this.#enqueue(call);
      } catch (error) {
        this.#open.delete(call.id);
        call.fail(error as PalaverError);
      }
    }
  }

  /** Nothing more is written: the connection is about to end. */
  pause(): void {
    this.#write = undefined;
  }

  /** Calls that were written and may not be repeated fail; the others stay open. */
  disconnected(): void {
    this.pause();
    this.#queue = [];
    for (const id of this.#inFlight) {
      const call = this.#open.get(id);
      if (call === undefined || isDurable(call.name)) continue;
      this.#open.delete(id);
      call.fail(new ConnectionLost([call.name, call.payload, call.conversation]));
    }
    this.#inFlight.clear();
  }

  /** There will be no other connection: all calls fail, now and later. */
  end(why: () => ClientEnded): void {
    this.#over = why;
    for (const call of this.#open.values()) call.fail(why());
    this.#open.clear();
    this.#inFlight.clear();
  }

  /** As an item. Throws `BadFrame` for what may not travel, `Rejected` for what is too large. */
  encode(id: number, name: string, d: Payload, c?: string): Uint8Array<ArrayBuffer> {
    const item = encode(c === undefined ? { t: name, id, d } : { t: name, id, c, d });
    if (item.length > this.#maxBytes) throw new Rejected({ code: "PAYLOAD_TOO_LARGE" });
    return item;
  }

  /** What is said in one go is written as one frame. */
  #enqueue(entry: Call | Uint8Array<ArrayBuffer>): void {
    this.#queue.push(entry);
    this.#soon();
  }

  #soon(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      while (this.#write !== undefined) {
        const items = this.#gather();
        if (items.length === 0) return;
        this.#write(join(items));
      }
    });
  }

  #gather(): Uint8Array<ArrayBuffer>[] {
    const items: Uint8Array<ArrayBuffer>[] = [];
    let room = Math.min(FRAME_BYTES, this.#maxBytes) - ARRAY_HEAD;
    while (this.#queue.length > 0 && items.length < MAX_ITEMS && this.#inFlight.size < WINDOW) {
      const entry = this.#queue[0]!;
      const item = entry instanceof Uint8Array ? entry : entry.item;
      if (items.length > 0 && item.length > room) break;
      this.#queue.shift();
      if (!(entry instanceof Uint8Array)) {
        if (!this.#open.has(entry.id)) continue; // given up before it was written
        entry.sent++;
        this.#inFlight.add(entry.id);
      }
      items.push(item);
      room -= item.length;
    }
    return items;
  }

  #close(id: number | string | undefined): Call | undefined {
    if (id === undefined) return undefined;
    if (this.#inFlight.delete(id)) this.#soon();
    const call = this.#open.get(id);
    this.#open.delete(id);
    return call;
  }
}

/** What the payload says besides when it is written again: that it is a repetition (SEND-06). */
function repetition(call: Call): Payload {
  if (call.sent === 0 || !isDurable(call.name)) return {};
  return { attempt: (call.payload["attempt"] ?? 1) + 1 };
}
