/** A server that does what the test says: each step is a line of the test. */

import assert from "node:assert/strict";
import { decode, encode } from "@msgpack/msgpack";
import {
  Client,
  MemoryStore,
  type ClientOptions,
  type Socket,
  type Token,
} from "../../src/index.js";
import type { Item } from "../../src/codec.js";
import { FakeClock, settled } from "./clock.js";

/** The client's end of a connection that goes nowhere but to `Peer`. */
class FakeSocket implements Socket {
  binaryType = "";
  protocol = "";
  onopen: ((event: any) => void) | null = null;
  onmessage: ((event: any) => void) | null = null;
  onclose: ((event: any) => void) | null = null;
  onerror: ((event: any) => void) | null = null;
  peer: Peer | undefined;

  send(data: Uint8Array): void {
    this.peer?.heard(data);
  }

  close(code = 1005, reason = ""): void {
    this.peer?.closed({ code, reason });
  }
}

/** The server's end of one connection. */
export class Peer {
  frames: Item[][] = [];
  over: Promise<{ code: number; reason: string }>;
  closed!: (event: { code: number; reason: string }) => void;
  #items: Item[] = [];
  #wake: () => void = () => {};

  constructor(private readonly socket: FakeSocket) {
    this.over = new Promise((resolve) => (this.closed = resolve));
  }

  heard(data: Uint8Array): void {
    const value = decode(data) as Item | Item[];
    const items = Array.isArray(value) ? value : [value];
    this.frames.push(items);
    this.#items.push(...items);
    this.#wake();
  }

  /** What the client says next. */
  async item(): Promise<Item> {
    while (this.#items.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#items.shift()!;
  }

  async expect(kind: string): Promise<Item> {
    const item = await this.item();
    assert.equal(item.t, kind, `${kind} expected, got ${JSON.stringify(item)}`);
    return item;
  }

  /** What was said and not looked at. */
  async rest(): Promise<Item[]> {
    await settled();
    return this.#items.splice(0);
  }

  async say(...items: Item[]): Promise<void> {
    const bytes = encode(items.length === 1 ? items[0] : items);
    this.socket.onmessage?.({
      data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    });
    await settled();
  }

  reply(item: Item, ok: Record<string, any> = {}): Promise<void> {
    return this.say({ t: "reply", id: item.id!, ok });
  }

  refuse(item: Item, code: string, error: Record<string, any> = {}): Promise<void> {
    const said = { code, message: code.toLowerCase(), retryable: false, ...error };
    return this.say({ t: "reply", id: item.id!, error: said });
  }

  push(seq: number, text?: string, data: Record<string, any> = {}, c = "c"): Promise<void> {
    return this.say(sent(seq, text, data, c));
  }

  /** Let the client in, and answer the question with which it begins; returns that. */
  async welcome(changes: Record<string, any> = {}, extra: Record<string, any> = {}): Promise<Item> {
    const hello = await this.expect("hello");
    const d = { user: "ann", connection: "1", ttl: 3600, heartbeat: 30, ...extra };
    await this.say({ t: "welcome", id: hello.id!, v: 1, d });
    const early: Item[] = [];
    let asked: Item;
    while ((asked = await this.item()).t !== "sync.changes") early.push(asked);
    this.#items.unshift(...early);
    await this.reply(asked, { conversations: [], left: [], log: [], cursor: "1", ...changes });
    return asked;
  }

  async close(code: number, reason = ""): Promise<void> {
    this.socket.onclose?.({ code, reason });
    await settled();
  }

  drop(): Promise<void> {
    return this.close(1006);
  }
}

/** `down`: connecting fails. `attempts`: at which times it was tried, from the beginning. */
export class Server {
  readonly clock = new FakeClock();
  down = false;
  protocol = "palaver.v1.msgpack";
  attempts: number[] = [];
  #origin = this.clock.now();
  #peers: Peer[] = [];
  #wake: () => void = () => {};

  /** The next connection. */
  async peer(): Promise<Peer> {
    while (this.#peers.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#peers.shift()!;
  }

  /** Its jitter is the whole bound, so that times are exact. */
  client(options: ClientOptions & { token?: Token } = {}): Client {
    const { token = "token", ...rest } = options;
    const { clock, socket } = this;
    const given = { clock, socket, random: () => 1, store: new MemoryStore(), ...rest };
    return new Client("ws://test", token, given);
  }

  /** A client that is online, and its peer. */
  async online(options: ClientOptions & { token?: Token } = {}): Promise<[Client, Peer]> {
    const client = this.client(options);
    client.connect();
    const peer = await this.peer();
    await peer.welcome();
    return [client, peer];
  }

  readonly socket = (): Socket => {
    this.attempts.push(this.clock.now() - this.#origin);
    const socket = new FakeSocket();
    queueMicrotask(() => {
      if (this.down) {
        socket.onclose?.({ code: 1006, reason: "" });
        return;
      }
      const peer = new Peer(socket);
      socket.peer = peer;
      socket.protocol = this.protocol;
      this.#peers.push(peer);
      socket.onopen?.({});
      this.#wake();
    });
    return socket;
  };
}

export function sent(seq: number, text = `text ${seq}`, data: object = {}, c = "c"): Item {
  const d = { id: `m${seq}`, by: "bob", text, number: seq, ...data };
  return { t: "message.sent", c, seq, ts: 1000 + seq, d };
}

export function row(epoch: number, seq: number, more: object = {}): Record<string, any> {
  return {
    c: "c",
    epoch,
    seq,
    kind: "group",
    unread: 0,
    number: seq,
    members: [],
    last: null,
    ts: seq,
    ...more,
  };
}
