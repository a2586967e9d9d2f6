/** One WebSocket connection: items in, frames out. Every way in which it ends is an `Ended`. */

import { parse, SUBPROTOCOL, type Item } from "./codec.js";
import type { Clock } from "./clock.js";
import { DISCONNECTS } from "./generated.js";

export const CONNECT_TIMEOUT = 10_000;

/** What is needed of a `WebSocket`; the browser's is one, and so is that of the package `ws`. */
export interface Socket {
  binaryType: string;
  readonly protocol: string;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export type SocketMaker = (url: string, protocols: string[]) => Socket;

/** The platform's own. */
export const webSocket: SocketMaker = (url, protocols) => new WebSocket(url, protocols) as Socket;

/** `ws:` or `wss:`, without path that of palaver. Throws a TypeError if it is neither. */
export function address(url: string): string {
  const parts = new URL(url);
  if (parts.protocol !== "ws:" && parts.protocol !== "wss:") {
    throw new TypeError(`not a WebSocket URL (wss://host/v1/ws): ${url}`);
  }
  if (parts.pathname === "/") parts.pathname = "/v1/ws";
  return parts.href;
}

/** Where the same server speaks HTTP, if nothing else is known: at its default port beside the
 * default one of WebSockets, else at the same, as behind a proxy. */
export function httpAddress(url: string): string {
  const parts = new URL(url.replace(/^ws/, "http"));
  if (parts.port === "8765") parts.port = "8766";
  return parts.origin;
}

/** The connection is over, or did not come about. `final`: coming back would not help. `advice`:
 * for so many milliseconds the server does not want to see this client again. */
export class Ended {
  constructor(
    readonly reason: string,
    readonly options: { code?: number; final?: boolean; advice?: number; cause?: Error } = {},
  ) {}

  get final(): boolean {
    return this.options.final ?? false;
  }
}

/** Whether a client that was closed with `code` should connect again (CONN-21). */
export function mayReconnect(code: number): boolean {
  return code >= 3000 ? code < 3500 : ![1002, 1003, 1007, 1009].includes(code);
}

export class Connection {
  /** Resolves once, with why it is over. */
  readonly ended: Promise<Ended>;
  #socket: Socket | undefined;
  #items: Item[] = [];
  #taker: ((item: Item) => void) | undefined;
  #end!: (ended: Ended) => void;
  #over = new AbortController();

  private constructor() {
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  /** Aborted when it is over: what belongs to the connection ends with it. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Open, or over already: then `ended` says why. It ends when this client has `left`. */
  static open(
    url: string,
    make: SocketMaker,
    clock: Clock,
    left: AbortSignal,
  ): Promise<Connection> {
    const connection = new Connection();
    const leave = () => connection.finish(new Ended("the client left", { code: 1000 }));
    left.addEventListener("abort", leave, { signal: connection.over });
    return new Promise((resolve) => {
      const cancel = clock.after(CONNECT_TIMEOUT, () => connection.finish("no answer"));
      const done = () => {
        cancel();
        resolve(connection);
      };
      void connection.ended.then(done);
      connection.#start(url, make, done);
    });
  }

  #start(url: string, make: SocketMaker, opened: () => void): void {
    let socket: Socket;
    try {
      socket = make(url, [SUBPROTOCOL]);
    } catch (error) {
      this.finish(new Ended(String(error), { final: true }));
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      if (socket.protocol === SUBPROTOCOL) opened();
      else this.finish(new Ended("this is no palaver server", { final: true }));
    };
    socket.onerror = () => {}; // a close follows, and says as much
    socket.onclose = (event: { code: number; reason: string }) => this.finish(closed(event));
    socket.onmessage = (event: { data: ArrayBuffer }) => this.#message(event.data);
  }

  /** From now on every item goes to `taker`, those that came before first; none if undefined. */
  take(taker: ((item: Item) => void) | undefined): void {
    this.#taker = taker;
    while (this.#taker !== undefined && this.#items.length > 0) this.#taker(this.#items.shift()!);
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (!this.over.aborted) this.#socket?.send(frame);
  }

  /** End it now; nothing that arrives later is heard. The first reason counts. */
  finish(why: Ended | string): void {
    if (this.over.aborted) return;
    this.#taker = undefined;
    this.#items = [];
    this.#over.abort();
    this.#end(typeof why === "string" ? new Ended(why) : why);
    const socket = this.#socket;
    if (socket === undefined) return;
    socket.onmessage = socket.onclose = socket.onopen = null;
    socket.close(1000);
  }

  #message(data: ArrayBuffer): void {
    try {
      this.#items.push(...parse(data));
    } catch {
      this.finish("the server sent something unreadable");
      return;
    }
    this.take(this.#taker);
  }
}

function closed({ code, reason }: { code: number; reason: string }): Ended {
  if (code === 1005 || code === 1006) return new Ended("the connection broke", { code: 1006 });
  return new Ended(reason || DISCONNECTS[code] || `closed with ${code}`, {
    code,
    final: !mayReconnect(code),
  });
}
