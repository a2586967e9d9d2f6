/** What is one's own, as one's own log tells it: preferences, drafts, stars, hidden messages,
 * blocks, settings, messages for later. Complete as soon as the client has caught up. */

import type { Client } from "./client.js";
import { Model } from "./emitter.js";
import type { Signal, SignalKind } from "./pushes.js";
import type { Preference } from "./wire.js";

export interface ServerDraft {
  text: string;
  reply_to?: string;
}

type Entry<K extends SignalKind> = Signal<K>["data"];

export class Personal extends Model {
  /** By conversation. */
  readonly preferences = new Map<string, Preference>();
  readonly drafts = new Map<string, ServerDraft>();
  /** Ids of messages. */
  readonly stars = new Set<string>();
  readonly hidden = new Set<string>();
  /** By user. */
  readonly blocks = new Map<string, "blocked" | "restricted">();
  /** By the id that one gave it. */
  readonly scheduled = new Map<string, Entry<"message.scheduled">>();
  /** Undefined if they were never set: see `settings.get` for the defaults. */
  settings: Entry<"settings.changed"> | undefined;

  constructor(private readonly client: Client) {
    super();
    const take = <K extends SignalKind>(kind: K, apply: (entry: Entry<K>) => void) =>
      client.on(kind, (signal) => {
        apply((signal as unknown as Signal<K>).data);
        this.changed();
      });
    take("preference.changed", (entry) => this.preferences.set(entry.conversation, entry));
    take("draft.saved", ({ conversation, ...draft }) => this.drafts.set(conversation, draft));
    take("draft.cleared", ({ conversation }) => this.drafts.delete(conversation));
    take("message.starred", ({ message_id }) => this.stars.add(message_id));
    take("message.unstarred", ({ message_id }) => this.stars.delete(message_id));
    take("message.hidden", ({ message_id }) => this.hidden.add(message_id));
    take("settings.changed", (entry) => (this.settings = entry));
    take("block.changed", ({ user, level }) => {
      if (level === "none") this.blocks.delete(user);
      else this.blocks.set(user, level);
    });
    take("message.scheduled", (entry) => {
      if (entry.message === undefined) this.scheduled.delete(entry.id);
      else this.scheduled.set(entry.id, entry);
    });
    take("schedule.cancelled", ({ id }) => this.scheduled.delete(id));
    take("schedule.failed", ({ id }) => this.scheduled.delete(id));
    // That it was sent only its message says, which is by that name.
    client.on("message.sent", ({ data }) => {
      if (data.by !== client.user || data.client_id === undefined) return;
      const sent = [...this.scheduled.values()].find(({ job }) => job === data.client_id);
      if (sent === undefined) return;
      this.scheduled.delete(sent.id);
      this.changed();
    });
  }
  /** What has been begun in `c`: as it is kept here, if the server does not have it yet. */
  draft(c: string): ServerDraft | undefined {
    const local = this.client.store.get(draftKey(c));
    return local === undefined ? this.drafts.get(c) : JSON.parse(local);
  }
}

/** Where it is kept until the server has it. */
export const draftKey = (c: string): string => `draft:${c}`;
