/** What is to be sent whenever there is a connection, in order and bounded.
 *
 * `Outbox` lives as long as its object, `IndexedDBOutbox` as long as the browser keeps its data. */

import { Emitter } from "./emitter.js";
import { ClientClosed, OutboxForeign, OutboxFull, OutboxUnusable } from "./errors.js";
import type { Outgoing } from "./outgoing.js";

export interface OutboxBounds {
  /** 1000 if not given. */
  maxCommands?: number;
  /** Of all of them together; 16 MiB if not given. */
  maxBytes?: number;
  /** What has no answer so many ms after it was enqueued fails with `Expired`; never, if not given. */
  maxAge?: number;
}

/** In memory. One client uses it at a time; what one leaves behind the next one sends.
 *
 * What is beyond its bounds is refused (`OutboxFull`). It belongs to the user as whom it was first
 * connected, until it is empty. */
export class Outbox {
  readonly where: string = "the outbox";
  readonly maxAge: number;
  readonly #maxCommands: number;
  readonly #maxBytes: number;
  #kept = new Map<string, Outgoing>();
  #bytes = 0;
  #last = 0;
  #owner: string | undefined;
  #opened = false;
  #keeping: Promise<unknown> = Promise.resolve();
  #late = new Emitter<{ late: Outgoing }>();

  constructor(bounds: OutboxBounds = {}) {
    this.#maxCommands = bounds.maxCommands ?? 1000;
    this.#maxBytes = bounds.maxBytes ?? 16 * 2 ** 20;
    this.maxAge = bounds.maxAge ?? Infinity;
  }

  /** What has no answer yet, the oldest first. */
  get waiting(): readonly Outgoing[] {
    return [...this.#kept.values()].filter((each) => each.state === "queued");
  }

  /** For a client. What is in it may have been sent before. Rejects with `OutboxUnusable`. */
  async open(): Promise<void> {
    if (this.#opened) throw new OutboxUnusable(this.where, "it is in use");
    this.#opened = true;
    try {
      const { owner, kept } = await this.load();
      this.#owner = kept.length > 0 ? owner : undefined;
      this.#bytes = 0;
      this.#kept.clear();
      for (const outgoing of kept) {
        outgoing.reopen();
        this.#add(outgoing);
        this.#late.emit("late", outgoing);
      }
    } catch (error) {
      this.#opened = false;
      throw error;
    }
  }

  /** It is `user` who sends what is in it, and nobody else. Rejects with `OutboxForeign`. */
  async claim(user: string): Promise<void> {
    if (this.#owner === undefined) {
      this.#owner = user;
      await this.own(user);
    } else if (this.#owner !== user) throw new OutboxForeign(this.where);
  }

  /** Once this resolves, it is kept; calls resolve in the order in which they were made.
   *
   * If one of this client id is kept already, that is given back instead. If it rejects
   * (`OutboxFull`, `OutboxUnusable`), `outgoing` is not kept. */
  keep(outgoing: Outgoing): Promise<Outgoing> {
    return this.#inTurn(() => this.#keep(outgoing));
  }

  /** Tells of what gets into it otherwise than by `keep`: what was left in it, as it is opened, and
   * what is taken over. */
  onLate(listener: (outgoing: Outgoing) => void): () => void {
    return this.#late.on("late", listener);
  }

  async #keep(outgoing: Outgoing): Promise<Outgoing> {
    if (!this.#opened) throw new ClientClosed();
    const known = this.#kept.get(key(outgoing));
    if (known !== undefined) return known;
    const count = this.#kept.size;
    if (count >= this.#maxCommands || this.#bytes + outgoing.size > this.#maxBytes) {
      throw new OutboxFull(count, this.#bytes);
    }
    outgoing.n = this.#last + 1;
    await this.insert(outgoing, this.#owner);
    this.#add(outgoing);
    return outgoing;
  }

  /** It has its answer. */
  async drop(outgoing: Outgoing): Promise<void> {
    if (!this.#kept.delete(key(outgoing))) return;
    this.#bytes -= outgoing.size;
    await this.remove(outgoing).catch(() => {}); // sent once more, and answered as a repetition
  }

  /** The client has ended. What is in it stays. */
  async close(): Promise<void> {
    this.#opened = false;
    await this.#keeping;
  }

  /** `take` what somebody else has left: it is given the last place that is taken, and the owner. */
  protected inherit(
    take: (last: number, owner: string | undefined) => Promise<Outgoing[]>,
  ): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#opened) return;
      for (const outgoing of await take(this.#last, this.#owner)) {
        outgoing.reopen();
        this.#add(outgoing);
        this.#late.emit("late", outgoing);
      }
    });
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#keeping.then(act);
    this.#keeping = done.catch(() => undefined);
    return done;
  }

  #add(outgoing: Outgoing): void {
    this.#kept.set(key(outgoing), outgoing);
    this.#bytes += outgoing.size;
    this.#last = Math.max(this.#last, outgoing.n);
  }

  // What a storage adds.

  protected async load(): Promise<{ owner: string | undefined; kept: Outgoing[] }> {
    return { owner: this.#owner, kept: [...this.waiting] };
  }

  protected async insert(_outgoing: Outgoing, _owner: string | undefined): Promise<void> {}

  protected async remove(_outgoing: Outgoing): Promise<void> {}

  protected async own(_user: string): Promise<void> {}
}

const key = (outgoing: Outgoing) => `${outgoing.lane} ${outgoing.clientId}`;
