/** Devices of people, each with a network of its own that the story can break. */

import assert from "node:assert/strict";
import { WebSocket } from "ws";
import {
  Client,
  MemoryStore,
  type ClientOptions,
  type Conversation,
  type Push,
  type Socket,
  type Token,
} from "../../src/index.js";

/** What may take long, does, on a busy machine; what never comes fails the story. */
const PATIENCE = 40_000;

export async function until(what: string, is: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!is()) {
    if (Date.now() > end) throw new Error(`it never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export class Device {
  readonly client: Client;
  readonly pushes: Push[] = [];
  readonly closes: number[] = [];
  #sockets = new Set<WebSocket>();
  #cut = false;

  constructor(url: string, token: Token, options: ClientOptions) {
    this.client = new Client(url, token, {
      socket: this.socket,
      store: new MemoryStore(),
      random: () => 0.05, // it is not the waiting that is tried here
      ...options,
    });
    this.client.on("push", (push) => this.pushes.push(push));
    this.client.connect();
  }

  /** As in a tunnel: nothing of what is on the way arrives, and there is no other connection. */
  cut(): void {
    this.#cut = true;
    this.drop();
  }

  back(): void {
    this.#cut = false;
    this.client.retryNow();
  }

  /** The connection breaks; the network is there. */
  drop(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  /** It reads nothing any more, until `resume`. */
  pause(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    for (const socket of this.#sockets) socket.resume();
  }

  /** Events of a conversation as they came: seq by seq. */
  seqs(c: string): number[] {
    return this.pushes.flatMap((push) =>
      push.type === "event" && push.conversation === c ? [push.seq] : [],
    );
  }

  texts(c: string): string[] {
    return this.pushes.flatMap((push) =>
      push.type === "event" && push.kind === "message.sent" && push.conversation === c
        ? [push.data.text!]
        : [],
    );
  }

  readonly socket = (url: string, protocols: string[]): Socket => {
    const socket = new WebSocket(url, protocols);
    if (this.#cut) queueMicrotask(() => socket.terminate());
    this.#sockets.add(socket);
    socket.on("close", (code) => {
      this.#sockets.delete(socket);
      this.closes.push(code);
    });
    socket.on("error", () => {});
    return socket as unknown as Socket;
  };
}

export class World {
  #devices: Device[] = [];

  constructor(
    readonly url: string,
    /** With `ttl`, for so many seconds. */
    readonly token: (user: string, ttl?: number) => string,
    /** Do something to the server: `kill`, `start`, `stop`. */
    readonly ask: (what: string) => Promise<void>,
    /** Where it speaks HTTP, if that is told. */
    readonly httpUrl: string | undefined,
  ) {}

  device(user: string, options: ClientOptions = {}, token: Token = this.token(user)): Device {
    const device = new Device(this.url, token, options);
    this.#devices.push(device);
    return device;
  }

  /** All that was said, as somebody reads it who has just come. */
  async history(user: string, c: string): Promise<string[]> {
    const { client } = this.device(user, { pushes: false });
    const texts: string[] = [];
    for (let before: number | undefined; ;) {
      const page = await client.history(
        c,
        before === undefined ? { limit: 100 } : { limit: 100, before },
      );
      texts.unshift(...page.messages.map((message) => message.text!));
      if (!page.more) return texts;
      before = page.messages[0]!.seq;
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#devices.map((device) => device.client.close()));
  }
}

export const range = (n: number) => Array.from({ length: n }, (_, index) => index + 1);

/** Two devices in a conversation of their own. */
export async function pair(world: World, options: object = {}): Promise<[Device, Device, string]> {
  const id = crypto.randomUUID();
  const ann = world.device(`ann ${id}`, options);
  const bob = world.device(`bob ${id}`);
  await bob.client.connected();
  const c = await ann.client.createDirect(`bob ${id}`);
  await until("the conversation", () => bob.seqs(c).length > 0);
  return [ann, bob, c];
}

/** What a model shows. */
export const shown = (room: Conversation) => room.messages.map((each) => each.text);

/** It saw every event, once and in order, from the first on. */
export function whole(device: Device, c: string): void {
  const seqs = device.seqs(c);
  assert.deepEqual(seqs, range(seqs.length));
}
