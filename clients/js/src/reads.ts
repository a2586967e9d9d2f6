/** Gathers read marks: sent 2 s after the first, or when ten have moved (RCPT-09, CLI-09). */

import type { Client } from "./client.js";
import { NoAnswer, Rejected } from "./errors.js";

const WAIT = 2_000;
const MANY = 10;

export class Reads {
  #marks = new Map<string, number>();
  #upTo = new Map<string, number>();
  #moves = 0;
  #cancel: (() => void) | undefined;

  constructor(private readonly client: Client) {
    client.on("state", ({ state }) => state === "online" && this.#marks.size > 0 && this.#later());
  }

  /** How far a conversation was read here, whether or not the server knows yet. */
  upTo(c: string): number {
    return this.#upTo.get(c) ?? 0;
  }

  /** Everything up to `seq` has been read. Of several marks of a conversation the last is sent. */
  read(c: string, seq: number): void {
    if (seq <= this.upTo(c)) return;
    this.#upTo.set(c, seq);
    this.client.inbox.read(c);
    this.#marks.set(c, seq);
    this.#moves++;
    if (this.#moves >= MANY) void this.flush();
    else this.#later();
  }

  /** Send now. Without a connection they wait for the next one. */
  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#moves = 0;
    if (this.client.state.state !== "online") return;
    const marks = [...this.#marks];
    this.#marks.clear();
    await Promise.all(marks.map(([c, seq]) => this.#send(c, seq)));
  }

  async #send(c: string, seq: number): Promise<void> {
    try {
      await this.client.read(c, seq);
    } catch (error) {
      const again = error instanceof NoAnswer || (error instanceof Rejected && error.retryable);
      if (this.upTo(c) === seq) this.#upTo.delete(c);
      if (again) this.read(c, seq);
    }
  }

  #later(): void {
    this.#cancel ??= this.client.clock.after(WAIT, () => void this.flush());
  }
}
