/** What one has begun to write in a conversation: kept here at once, saved on the server every 2 s
 * at most (CLI-11), and followed when another device goes on with it. */

import type { Client } from "./client.js";
import { Model } from "./emitter.js";
import { draftKey } from "./personal.js";

const WAIT = 2_000;

export class Draft extends Model {
  #text: string;
  #replyTo: string | undefined;
  #unsaved: boolean;
  #saving = false;
  #cancel: (() => void) | undefined;
  #offs: (() => void)[];

  constructor(
    private readonly client: Client,
    private readonly c: string,
  ) {
    super();
    this.#unsaved = client.store.get(this.#key) !== undefined;
    const begun = client.personal.draft(c);
    this.#text = begun?.text ?? "";
    this.#replyTo = begun?.reply_to;
    this.#offs = [
      client.personal.onChange(() => this.#follow()),
      client.on("state", ({ state }) => state === "online" && this.#unsaved && this.#later()),
    ];
    if (this.#unsaved) this.#later();
  }

  get text(): string {
    return this.#text;
  }

  /** Id of the message that it answers. */
  get replyTo(): string | undefined {
    return this.#replyTo;
  }

  set(text: string, replyTo: string | undefined = this.#replyTo): void {
    this.#put(text, replyTo);
  }

  #put(text: string, replyTo: string | undefined): void {
    if (text === this.#text && replyTo === this.#replyTo) return;
    this.#text = text;
    this.#replyTo = replyTo;
    this.#unsaved = true;
    this.client.store.set(this.#key, JSON.stringify({ text, reply_to: replyTo }));
    this.#later();
    this.changed();
  }

  /** It answers another message, or none. */
  answer(replyTo: string | undefined): void {
    this.#put(this.#text, replyTo);
  }

  /** It was sent, which clears it on the server, too. */
  sent(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#text = "";
    this.#replyTo = undefined;
    this.#unsaved = false;
    this.client.store.set(this.#key, undefined);
    this.client.personal.drafts.delete(this.c);
    this.changed();
  }

  /** Nobody looks at it any more. What is not saved yet is kept here for the next time. */
  close(): void {
    this.#cancel?.();
    for (const off of this.#offs) off();
  }

  get #key(): string {
    return draftKey(this.c);
  }

  #server(): { text: string; reply_to?: string } {
    return this.client.personal.drafts.get(this.c) ?? { text: "" };
  }

  /** What another device has saved, unless this one knows better. */
  #follow(): void {
    const { text, reply_to } = this.#server();
    if (this.#unsaved || (text === this.#text && reply_to === this.#replyTo)) return;
    this.#text = text;
    this.#replyTo = reply_to;
    this.changed();
  }

  #later(): void {
    if (this.#saving) return;
    this.#cancel ??= this.client.clock.after(WAIT, () => void this.#save());
  }

  async #save(): Promise<void> {
    this.#cancel = undefined;
    const [text, replyTo] = [this.#text, this.#replyTo];
    this.#saving = true;
    try {
      const reply = replyTo === undefined ? {} : { reply_to: replyTo };
      await this.client.call("draft.save", { text, ...reply }, this.c);
      if (this.#unsaved && text === this.#text && replyTo === this.#replyTo) {
        this.#unsaved = false;
        this.client.store.set(this.#key, undefined);
      }
    } catch {
      return; // tried again with the next connection, or the next keystroke
    } finally {
      this.#saving = false;
    }
    if (this.#unsaved) this.#later();
  }
}
