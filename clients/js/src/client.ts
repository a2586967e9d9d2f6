/** The client: one connection that comes back by itself, calls that find their answers, and all
 * that happens as one ordered stream.
 *
 *     const client = new Client("wss://chat.example.org/v1/ws", () => fetchToken());
 *     client.on("message.sent", (event) => console.log(event.data.by, event.data.text));
 *     client.connect();
 *     await client.sendTo("bob", "hello");
 */

import { Calls, isDurable, type Payload, type Then } from "./calls.js";
import { either, sleep, systemClock, Timers, within, type Clock } from "./clock.js";
import { parse } from "./codec.js";
import type { CallOptions, CommandName, PayloadOf, ResultOf } from "./calling.js";
import { Commands } from "./commands.js";
import { address, Connection, Ended, httpAddress, webSocket } from "./connection.js";
import { Conversation, type ConversationOptions } from "./conversation.js";
import { Emitter } from "./emitter.js";
import {
  ClientClosed,
  OutboxForeign,
  PalaverError,
  ReconnectFailed,
  Refused,
  Rejected,
  type ClientEnded,
} from "./errors.js";
import { Follower } from "./follower.js";
import { newId } from "./id.js";
import { Inbox } from "./inbox.js";
import { Link } from "./link.js";
import type { ClientOptions, Token } from "./options.js";
import { Outbox } from "./outbox.js";
import { isRepeatable, Outgoing } from "./outgoing.js";
import { pageEvents } from "./page.js";
import { People } from "./people.js";
import { Personal } from "./personal.js";
import type { ConnectionState, Listeners, Push } from "./pushes.js";
import { Reads } from "./reads.js";
import { delay, exponential } from "./reconnect.js";
import { Sender } from "./sender.js";
import { browserStore, type Store } from "./store.js";
import { upload, type UploadOptions } from "./uploads.js";
import type { Row, Welcome } from "./wire.js";

export const CALL_TIMEOUT = 10_000;
/** After as many retryable refusals of one call the next one is given to the caller (C-51). */
const RETRIES = 3;
/** A function that gives no token for so long gives none. */
const TOKEN_TIMEOUT = 30_000;
/** The close code of a token that was refused or ran out. */
const BAD_TOKEN = 3500;

/** Whatever happens to the connection, it comes back; it ends when `close` is called, when the
 * server says not to come back, or when `backoff` comes to its end. */
export class Client extends Commands {
  readonly outbox: Outbox;
  /** What is one's own: preferences, drafts, stars, blocks. */
  readonly personal: Personal;
  /** The list of conversations. */
  readonly inbox: Inbox;
  /** Who the users are, as far as the server says. */
  readonly people: People;
  /** Gathers read marks. */
  readonly reads: Reads;
  readonly clock: Clock;
  readonly store: Store;
  /** What the server said of the last connection: user, ttl, durability, … */
  welcome: Welcome | undefined;
  /** To be shown; `on("state", …)` tells of changes. */
  state: ConnectionState = { state: "closed" };

  #url: string;
  #token: Token;
  #options: ClientOptions;
  #random: () => number;
  #timers: Timers;
  #emitter = new Emitter<Listeners>();
  #calls: Calls;
  #follower: Follower | undefined;
  #link: Link;
  #sender: Sender;
  #changed = new Emitter<{ rows: { rows: Row[]; left: string[] } }>();
  #conversations = new Map<string, Conversation>();
  #why: (() => ClientEnded) | undefined;
  #over = new AbortController();
  #started: Promise<void> | undefined;
  #waiting: { soonest: number; stop: AbortController } | undefined;
  #unhook: () => void = () => {};

  constructor(url: string, token: Token, options: ClientOptions = {}) {
    super();
    this.#url = address(url);
    this.#token = token;
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.clock = this.#timers = new Timers(options.clock ?? systemClock);
    this.store = options.store ?? browserStore();
    this.outbox = options.outbox ?? new Outbox();
    const follows = options.pushes ?? true;
    this.#calls = new Calls(this.clock);
    this.#follower = follows ? this.#follow() : undefined;
    const every = options.ackEvery === undefined ? 500 : options.ackEvery;
    const ackEvery = follows && every !== null ? every : undefined;
    this.#link = new Link(this.#calls, this.#follower, this.clock, ackEvery);
    const tell = follows ? (push: Push) => this.#push(push) : () => {};
    this.#sender = new Sender(this.outbox, this.#calls, this.clock, this.#random, tell);
    this.people = new People(this);
    this.personal = new Personal(this);
    this.reads = new Reads(this);
    this.inbox = new Inbox(this);
  }

  /** Whom the server takes this client for; undefined before the first connection. */
  get user(): string | undefined {
    return this.welcome?.user;
  }

  /** Start connecting. It does not wait for it; calls do. What has ended does not begin again. */
  connect(): void {
    if (this.#why === undefined) this.#started ??= this.#start();
  }

  /** Resolves as soon as there is a connection. Rejects with `ClientEnded`. */
  connected(): Promise<Welcome> {
    this.connect();
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.#why !== undefined) reject(this.#why());
        else if (this.state.state === "online") resolve(this.welcome!);
        else return false;
        return true;
      };
      if (look()) return;
      const off = this.on("state", () => look() && off());
    });
  }

  /** Close the connection for good; no timer is left. What is in the outbox stays there. */
  async close(): Promise<void> {
    this.#end(() => new ClientClosed());
    this.#waiting?.stop.abort();
    this.#tell({ state: "closed" });
    this.#timers.end();
    await this.#started;
    await this.#release();
  }

  /** Call `listener` with every push of a type (`event`, `signal`, `reload`, `state`, `sent`,
   * `failed`), every event or signal of a name (`message.sent`), or every `push`. It is called in
   * order and before anything later is looked at. What it returns takes the listener away. */
  on<K extends keyof Listeners>(name: K, listener: (push: Listeners[K]) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  /** The model of a conversation, the same one each time until it is closed. */
  conversation(c: string, options?: ConversationOptions): Conversation {
    let found = this.#conversations.get(c);
    if (found === undefined) {
      found = new Conversation(this, c, options, () => this.#conversations.delete(c));
      this.#conversations.set(c, found);
    }
    return found;
  }

  /** Carry out a command; resolves with the `ok` of its Reply. Any number may be in flight.
   *
   * Without a connection it waits for one; calls are written in the order in which they were made.
   * A durable command gets a `client_id` unless it has one, and is written again if the connection
   * breaks: it happens once. Any other rejects with `ConnectionLost` then. A no that is retryable
   * is tried again, at most three times and not before the server asked for it.
   *
   * Rejects with `Rejected` (the server's no), `CallTimeout` when all of that has taken `timeout`
   * ms, or `ClientEnded`. */
  override async call<K extends CommandName>(
    name: K,
    payload: PayloadOf<K> = {} as PayloadOf<K>,
    c?: string,
    options: CallOptions = {},
  ): Promise<ResultOf<K>> {
    const asked: Payload = { ...payload };
    if (isDurable(name)) asked["client_id"] ??= newId();
    const observe = this.#follower?.observer(name, c, asked);
    const then: Then = (ok) => {
      observe?.(ok);
      // Everywhere but there it is who they are, not where.
      if (ok["users"] !== undefined && name !== "presence.get") this.people.learn(ok["users"]);
    };
    const deadline = this.clock.now() + (options.timeout ?? CALL_TIMEOUT);
    const bounds = exponential();
    for (let retries = 0; ; retries++) {
      const timeout = deadline - this.clock.now();
      try {
        const ok = await this.#calls.perform(name, asked, { conversation: c, timeout, then });
        return ok as ResultOf<K>;
      } catch (error) {
        if (!(error instanceof Rejected) || !error.retryable || retries === RETRIES) throw error;
        const wait = delay(bounds.next().value!, this.#random, error.retryAfter);
        if (this.clock.now() + wait >= deadline) throw error;
        if (isDurable(name) && error.mayHaveHappened) {
          asked["attempt"] = (asked["attempt"] ?? 1) + 1;
        }
        await sleep(this.clock, wait, this.#over.signal);
      }
    }
  }

  /** Say something to which no answer is wanted, if there is a connection now: typing. */
  tell<K extends CommandName>(name: K, payload: PayloadOf<K>, c: string): void {
    this.#calls.post({ t: name, c, d: payload });
  }

  /** Keep a command in the outbox; once this resolves, it outlives whatever that outlives.
   *
   * It is sent whenever there is a connection, repeated under its `client_id` until it has an
   * answer, and not before the server asked for it. What was enqueued for one conversation is
   * carried out in that order; an ordinary call may overtake it. What becomes of it is pushed as
   * `Sent` or `Failed`. Enqueued again under the same `client_id`, it is kept once.
   *
   * For durable commands, and `message.read` with a position; a TypeError for others. Rejects with
   * `Rejected` or `BadFrame` if it could never be sent, `OutboxFull`, `OutboxUnusable`, or
   * `ClientEnded`; then it is not kept. */
  override async enqueueCall<K extends CommandName>(
    name: K,
    payload: PayloadOf<K>,
    c?: string,
  ): Promise<Outgoing> {
    if (this.#why !== undefined) throw this.#why();
    const asked: Payload = { ...payload };
    if (!isRepeatable(name, asked)) {
      throw new TypeError(`${name} cannot be repeated safely, so it cannot be enqueued`);
    }
    const clientId: string = asked["client_id"] ?? newId();
    if (isDurable(name)) asked["client_id"] = clientId;
    const item = this.#calls.encode(0, name, asked, c);
    // What the caller does with nested values later is no longer part of it.
    const kept: Payload = parse(item)[0]!.d;
    await this.#opened();
    const at = this.clock.now();
    const record = { name, payload: kept, conversation: c, clientId, at, size: item.length };
    return this.#sender.enqueue(new Outgoing(record));
  }

  /** Where files are: `upload` brings them there, and `attachments` tells paths below it. */
  get httpUrl(): string {
    return (this.#options.httpUrl ?? httpAddress(this.#url)).replace(/\/$/, "");
  }

  /** Bring a file, or a blob, to the server; the id is for `uploads` of a message. What does not
   * get through is tried again, at most three times (CLI-12); then it can be given once more.
   *
   * Rejects with `Rejected` (the type, the size, …), `UploadFailed`, `ClientEnded`, what the
   * token's function rejects with, or the reason of `options.signal`. */
  upload(content: Blob, options: UploadOptions = {}): Promise<string> {
    const { signal } = options;
    const over = this.#over.signal;
    const given = { ...options, signal: signal === undefined ? over : either(signal, over) };
    return upload(content, given, {
      url: this.httpUrl,
      token: async () => (typeof this.#token === "string" ? this.#token : this.#fresh()),
      clock: this.clock,
      random: this.#random,
      http: this.#options.http,
    });
  }

  /** Try now instead of at `retryAt`; not before the time that the server asked for. With a
   * connection, see whether it is alive. The browser's `online` event and a page that is looked at
   * again do so by themselves. */
  retryNow(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return this.#link.check();
    const patience = waiting.soonest - this.clock.now();
    if (patience <= 0) waiting.stop.abort();
    else this.clock.after(patience, () => waiting.stop.abort());
  }

  /** Rows of the inbox that changed while there was no connection, and conversations that are left.
   * For the models. */
  onRows(listener: (changed: { rows: Row[]; left: string[] }) => void): () => void {
    return this.#changed.on("rows", listener);
  }

  #follow(): Follower {
    return new Follower(this.#calls, this.clock, this.#random, {
      push: (push) => this.#push(push),
      changed: (rows, left) => this.#changed.emit("rows", { rows, left }),
    });
  }

  #push(push: Push): void {
    this.#emitter.emit("push", push);
    this.#emitter.emit(push.type, push as never);
    if (push.type === "event" || push.type === "signal") {
      this.#emitter.emit(push.kind, push as never);
    }
    if (push.type === "event" && push.data.by !== this.user) {
      this.#link.taken(push.conversation, push.seq);
    }
  }

  #opening: Promise<void> | undefined;

  /** The outbox is open, and what was left in it is being sent. */
  #opened(): Promise<void> {
    return (this.#opening ??= this.outbox.open().then(() => this.#sender.start()));
  }

  #released: Promise<void> | undefined;

  /** Whoever comes next may have the outbox. */
  #release(): Promise<void> {
    const opened = this.#opening;
    if (opened === undefined) return Promise.resolve();
    return (this.#released ??= opened.then(
      () => this.outbox.close(),
      () => {}, // it is not ours
    ));
  }

  async #start(): Promise<void> {
    this.#unhook = pageEvents(
      () => this.retryNow(),
      () => void this.reads.flush(),
      () => this.#link.cut(),
    );
    try {
      await this.#opened();
    } catch (error) {
      const reason = (error as Error).message;
      this.#end(() => new ReconnectFailed(reason));
      this.#tell({ state: "failed", reason });
      return;
    }
    await this.#run();
  }

  /** Connect, stay, come back. */
  async #run(): Promise<void> {
    const backoff = this.#options.backoff ?? exponential;
    let bounds = backoff();
    while (this.#why === undefined) {
      this.#tell({ state: "connecting" });
      const { ended, was } = await this.#attempt();
      let expired = false;
      if (was === "online") {
        bounds = backoff();
        // The token held until now, as on a laptop that slept: a fresh one will again.
        expired = ended.options.code === BAD_TOKEN && typeof this.#token !== "string";
      }
      this.#calls.disconnected();
      this.#follower?.disconnected();
      if (this.#why !== undefined) return;
      const bound = bounds.next();
      if ((ended.final && !expired) || bound.done) return this.#giveUp(ended);
      await this.#wait(ended, delay(bound.value, this.#random, ended.options.advice));
    }
  }

  async #wait(ended: Ended, wait: number): Promise<void> {
    const now = this.clock.now();
    const stop = new AbortController();
    this.#waiting = { soonest: now + (ended.options.advice ?? 0), stop };
    this.#tell({ state: "waiting", reason: ended.reason, retryAt: now + wait });
    await sleep(this.clock, wait, stop.signal);
    this.#waiting = undefined;
  }

  /** One connection, from the token to its end. */
  async #attempt(): Promise<{ ended: Ended; was: "connecting" | "online" }> {
    const fresh = typeof this.#token === "string" ? undefined : () => this.#fresh();
    const failed = (ended: Ended) => ({ ended, was: "connecting" as const });
    let token: string;
    try {
      token = fresh === undefined ? (this.#token as string) : await fresh();
    } catch (error) {
      return failed(new Ended(`no token to be had: ${(error as Error)?.message ?? error}`));
    }
    const left = this.#over.signal;
    if (left.aborted) return failed(new Ended("the client left"));
    const connection = await Connection.open(
      this.#url,
      this.#options.socket ?? webSocket,
      this.clock,
      left,
    );
    const { device } = this.#options;
    const hello = device === undefined ? { token } : { token, device };
    const welcome = await this.#link.open(connection, hello);
    if (welcome instanceof Ended) return failed(welcome);
    this.welcome = welcome;
    try {
      await this.outbox.claim(welcome.user);
    } catch (error) {
      const cause = error as PalaverError;
      connection.finish(cause.message);
      return failed(new Ended(cause.message, { cause, final: cause instanceof OutboxForeign }));
    }
    if (connection.over.aborted) return failed(await connection.ended);
    this.#tell({ state: "online", user: welcome.user });
    return { ended: await this.#link.run(connection, welcome, fresh), was: "online" };
  }

  /** What the token's function gives. */
  async #fresh(): Promise<string> {
    const token = this.#token as () => string | Promise<string>;
    const asked = async () => token();
    return within(this.clock, TOKEN_TIMEOUT, this.#over.signal, asked());
  }

  #giveUp(ended: Ended): void {
    const { reason, final } = ended;
    const { code, cause } = ended.options;
    if (cause instanceof OutboxForeign) this.#end(() => new OutboxForeign(cause.where));
    else if (final) this.#end(() => new Refused(reason, code));
    else this.#end(() => new ReconnectFailed(reason));
    void this.#release();
    this.#tell(final ? { state: "refused", reason, code } : { state: "failed", reason });
  }

  #end(why: () => ClientEnded): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#over.abort(why());
    this.#unhook();
    this.#sender.end(why);
    this.#calls.end(why);
  }

  #tell(state: ConnectionState): void {
    if (this.state.state === "closed" && state.state === "closed") return;
    this.state = state;
    this.#push({ type: "state", ...state });
  }
}
