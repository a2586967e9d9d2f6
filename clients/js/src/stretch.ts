/** Messages of a conversation without a gap between them, longer on either side as it is asked for. */

import type { PayloadOf } from "./calling.js";
import type { Messages } from "./messages.js";
import type { Page } from "./wire.js";

/** Asks for a page of history. */
export type Ask = (page: PayloadOf<"message.history">) => Promise<Page>;

export class Stretch {
  /** Whether there are messages before the first one here. */
  more = true;
  #older: Promise<void> | undefined;
  #newer: Promise<boolean> | undefined;

  /** `limit`: messages that are asked for at once. */
  constructor(
    readonly messages: Messages,
    private readonly ask: Ask,
    private readonly limit: number,
  ) {}

  /** Begin anew with the newest page. */
  restart(page: Page): void {
    this.messages.restart(page);
    this.more = page.more;
  }

  /** Begin with what is round a message. */
  async loadAround(id: string): Promise<void> {
    const page = await this.ask({ around: id, limit: this.limit });
    const before = page.messages.findIndex((each) => each.id === id);
    this.messages.show(page);
    this.more = page.more && before >= this.limit;
  }

  /** Once at a time. */
  loadOlder(): Promise<void> {
    return (this.#older ??= this.#loadOlder().finally(() => (this.#older = undefined)));
  }

  async #loadOlder(): Promise<void> {
    const first = this.messages.all[0];
    if (!this.more || first === undefined) return;
    const page = await this.ask({ before: first.seq, limit: this.limit });
    // It began anew meanwhile: then this page does not join it.
    if (this.messages.all[0]?.seq !== first.seq) return;
    this.messages.show(page);
    this.more = page.more;
  }

  /** Whether these are the newest ones now. Once at a time. */
  loadNewer(): Promise<boolean> {
    return (this.#newer ??= this.#loadNewer().finally(() => (this.#newer = undefined)));
  }

  async #loadNewer(): Promise<boolean> {
    const last = this.messages.all.at(-1);
    const page = await this.ask({ after: last?.seq ?? 0, limit: this.limit });
    this.messages.show(page);
    return !page.more;
  }

  /** Whether `later`, which goes on from somewhere, begins within these. */
  reaches(later: Stretch): boolean {
    const [last, next] = [this.messages.all.at(-1), later.messages.all[0]];
    return last !== undefined && next !== undefined && last.seq >= next.seq;
  }

  /** Take in `earlier`, between which and these there is no gap. */
  join(earlier: Stretch): void {
    const { all } = earlier.messages;
    const [first, here] = [all[0], this.messages.all[0]];
    if (here === undefined || (first !== undefined && first.seq < here.seq)) {
      this.more = earlier.more;
    }
    // They are up to date: nothing that was told is to be put on top.
    this.messages.show({ messages: [...all], more: false, seq: Infinity });
  }
}
