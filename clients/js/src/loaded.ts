/** What of a conversation is loaded, and what of that is shown: its newest messages, or those round
 * a message that lies somewhere back. */

import { Rejected } from "./errors.js";
import { Messages, type Message } from "./messages.js";
import type { ConversationEvent } from "./pushes.js";
import { Stretch, type Ask } from "./stretch.js";

export class Loaded {
  readonly newest: Stretch;
  #past: Stretch | undefined;
  /** What will be shown as soon as it is loaded. */
  #sought: Stretch | undefined;

  constructor(
    private readonly me: () => string | undefined,
    private readonly system: boolean,
    private readonly limit: number,
    private readonly ask: Ask,
  ) {
    this.newest = this.#stretch(true);
  }

  #stretch(grows: boolean): Stretch {
    const { me, system, ask, limit } = this;
    const more = system ? { system } : {};
    return new Stretch(new Messages(me, system, grows), (page) => ask({ ...page, ...more }), limit);
  }

  get shown(): Stretch {
    return this.#past ?? this.newest;
  }

  get isPast(): boolean {
    return this.#past !== undefined;
  }

  get all(): Message[] {
    return [...this.newest.messages.all, ...(this.#past?.messages.all ?? [])];
  }

  get(id: string): Message | undefined {
    return this.shown.messages.get(id) ?? this.newest.messages.get(id);
  }

  /** Whether the message is shown now. */
  async goTo(id: string): Promise<boolean> {
    this.#sought = undefined;
    if (this.shown.messages.get(id) !== undefined) return true;
    if (this.newest.messages.get(id) !== undefined) {
      this.toNewest();
      return true;
    }
    // It hears of what happens before its page comes.
    const sought = (this.#sought = this.#stretch(false));
    try {
      await sought.loadAround(id);
    } catch (error) {
      if (error instanceof Rejected && error.code === "MESSAGE_NOT_FOUND") return false;
      throw error;
    }
    if (sought !== this.#sought) return false;
    this.#sought = undefined;
    this.#past = sought;
    this.#meet(sought, false);
    return true;
  }

  async loadOlder(): Promise<void> {
    await this.shown.loadOlder();
  }

  async loadNewer(): Promise<void> {
    const past = this.#past;
    if (past === undefined) return;
    const complete = await past.loadNewer();
    if (past === this.#past) this.#meet(past, complete);
  }

  /** If it reaches the newest messages, they are one. */
  #meet(past: Stretch, complete: boolean): void {
    if (!complete && !past.reaches(this.newest)) return;
    this.newest.join(past);
    this.#past = undefined;
  }

  toNewest(): void {
    this.#past = this.#sought = undefined;
  }

  /** False if what the event says of the newest ones cannot be shown without loading something. */
  take(event: ConversationEvent): boolean {
    for (const stretch of [this.#past, this.#sought]) stretch?.messages.take(event);
    return this.newest.messages.take(event);
  }
}
