/** What is said on one connection: sign in, read, write, stay alive, take leave. */

import type { Calls } from "./calls.js";
import { sleep, type Clock } from "./clock.js";
import { DEFAULT_MAX_BYTES, type Item } from "./codec.js";
import { Ended, type Connection } from "./connection.js";
import { Rejected } from "./errors.js";
import type { Follower } from "./follower.js";
import type { Welcome } from "./wire.js";

export const WELCOME_TIMEOUT = 10_000;
const HEARTBEAT = 30;
/** Times the server's heartbeat: a server that is silent for so long is asked. */
const PATIENCE = 1.5;
/** How long whoever was asked may take where there is reason to doubt. */
const DOUBT = 5_000;
/** Of a token's life. */
const REFRESH_AT = 0.8;

/** Serves one connection after another; what is kept between them is in `calls`. */
export class Link {
  #acks = new Map<string, number>();
  #acking = false;
  #connection: Connection | undefined;
  #heard = 0;

  constructor(
    private readonly calls: Calls,
    private readonly follower: Follower | undefined,
    private readonly clock: Clock,
    private readonly ackEvery: number | undefined,
  ) {}

  /** The application holds every event up to `seq`. */
  taken(conversation: string, seq: number): void {
    if (this.ackEvery === undefined) return;
    this.#acks.set(conversation, seq);
    void this.#acknowledge(this.ackEvery);
  }

  /** Sign in; returns the welcome, or why there is none. */
  async open(connection: Connection, hello: Record<string, any>): Promise<Welcome | Ended> {
    let refusal: Rejected | undefined;
    const cancel = this.clock.after(WELCOME_TIMEOUT, () =>
      connection.finish(refusal?.message ?? "no welcome in time"),
    );
    const welcome = new Promise<Welcome>((resolve) => {
      connection.take((item) => {
        if (item.t === "welcome") {
          connection.take(undefined);
          resolve(item.d as Welcome);
        } else if (item.t === "reply" && item.error !== undefined) {
          refusal = new Rejected(item.error);
        }
      });
      connection.send(this.calls.hello(hello));
    });
    const answer = await Promise.race([welcome, connection.ended]);
    cancel();
    if (!(answer instanceof Ended) || refusal === undefined) return answer;
    const advice = refusal.retryAfter ?? answer.options.advice;
    const options = advice === undefined ? {} : { advice };
    return new Ended(refusal.message, { ...answer.options, ...options });
  }

  /** Until the connection ends; resolves with why. */
  async run(
    connection: Connection,
    welcome: Welcome,
    token: (() => Promise<string>) | undefined,
  ): Promise<Ended> {
    this.#connection = connection;
    this.#heard = this.clock.now();
    this.calls.connected(welcome.max_frame ?? DEFAULT_MAX_BYTES, (frame) => connection.send(frame));
    this.follower?.connected(connection.over, welcome.user);
    if (this.ackEvery !== undefined) void this.#acknowledge(this.ackEvery);
    const heartbeat = (welcome.heartbeat || HEARTBEAT) * 1000;
    void this.#watch(connection, heartbeat * PATIENCE, heartbeat);
    if (token !== undefined && welcome.ttl) {
      void this.#refresh(connection, token, welcome.ttl * 1000);
    }
    const leave = this.#take(connection);
    const ended = await connection.ended;
    this.#connection = undefined;
    return leave() ?? ended;
  }

  /** There is reason to doubt the connection, since the network changed or the machine slept. */
  check(): void {
    if (this.#connection !== undefined) void this.#ask(this.#connection, DOUBT);
  }

  /** The network is gone: what is written would wait until somebody notices. */
  cut(): void {
    this.#connection?.finish("there is no network");
  }

  /** Items are handled one by one, in the order of their arrival. What it returns tells how the
   * server has taken leave, if it has. */
  #take(connection: Connection): () => Ended | undefined {
    let leave: Ended | undefined;
    connection.take((item: Item) => {
      this.#heard = this.clock.now();
      if (item.t === "reply") this.calls.reply(item);
      else if (item.t === "ping") this.calls.post({ ...item, t: "pong" });
      else if (item.t === "goodbye") {
        const advice = (item.d?.reconnect_after ?? 0) * 1000;
        leave = new Ended("the server is shutting down", { advice });
        this.calls.pause();
      } else if (item.t !== "pong") this.follower?.take(item);
      // The server drains: what was asked is still answered here, the rest elsewhere.
      if (leave !== undefined && !this.calls.inFlight) connection.finish(leave);
    });
    return () => leave;
  }

  /** A server that is silent for long is asked once, then given up. */
  async #watch(connection: Connection, patience: number, answer: number): Promise<void> {
    while (!connection.over.aborted) {
      const quiet = this.clock.now() - this.#heard;
      if (quiet < patience) await sleep(this.clock, patience - quiet, connection.over);
      else await this.#ask(connection, answer);
    }
  }

  async #ask(connection: Connection, patience: number): Promise<void> {
    const asked = this.clock.now();
    this.calls.post({ t: "ping" });
    this.#heard = Math.min(this.#heard, asked - 1);
    await sleep(this.clock, patience, connection.over);
    if (this.#heard < asked) connection.finish("no sign of life from the server");
  }

  /** As long as there is a connection; the rest follows on the next one. */
  async #acknowledge(every: number): Promise<void> {
    if (this.#acking) return;
    this.#acking = true;
    await null; // what comes in one frame is acknowledged as one
    const over = this.#connection?.over;
    while (over?.aborted === false && this.#acks.size > 0) {
      for (const [c, seq] of this.#acks) {
        if (this.calls.post({ t: "ack", c, seq })) this.#acks.delete(c);
      }
      await sleep(this.clock, every, over);
    }
    this.#acking = false;
  }

  /** A new token before the old one runs out; without one the server ends the connection. */
  async #refresh(connection: Connection, fresh: () => Promise<string>, ttl: number): Promise<void> {
    for (;;) {
      await sleep(this.clock, ttl * REFRESH_AT, connection.over);
      if (connection.over.aborted) return;
      try {
        const answer = await this.calls.perform(
          "refresh",
          { token: await fresh() },
          { timeout: ttl },
        );
        ttl = answer["ttl"] ? answer["ttl"] * 1000 : ttl;
      } catch {
        ttl = Math.max(ttl * (1 - REFRESH_AT), 1_000);
      }
    }
  }
}
