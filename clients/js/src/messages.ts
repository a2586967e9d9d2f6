/** The messages of a conversation as they are now: pages of history, and what events made of them.
 *
 * Pure, and safe against repetition: an event sets things, so taking it twice does no harm. Every
 * change makes a new object of the message that it changes, so that views may compare by identity. */

import type { ConversationEvent, EventKind } from "./pushes.js";
import type { Status } from "./status.js";
import type { HistoryMessage, Page, ThreadHead } from "./wire.js";

/** A message on the screen: as `message.history` serves it, and what this client adds. */
export interface Message extends HistoryMessage {
  /** Of one's own, if it was sent from here. */
  client_id?: string;
  /** Of one's own only. */
  status?: Status;
  /** Why it could not be sent. */
  error?: Error;
}

/** So many events are remembered, since a page may be as of before the last of them. */
const RECENT = 1_000;
/** Characters of a message that is quoted. */
const PREVIEW = 140;

/** What goes with the message. */
const CONTENT = ["id", "seq", "ts", "kind", "by", "number", "thread", "context", "client_id"];

export class Messages {
  #list: Message[] = [];
  #recent: ConversationEvent[] = [];
  #provisional = new Set<string>();

  /** `system`: whether changes of the group are shown among the messages. `grows`: whether what is
   * said from now on belongs to them; if not, only what becomes of those that are here. */
  constructor(
    private readonly me: () => string | undefined,
    private readonly system: boolean,
    private readonly grows = true,
  ) {}

  /** In order of `seq`. */
  get all(): readonly Message[] {
    return this.#list;
  }

  get(id: string): Message | undefined {
    return this.#list.find((each) => each.id === id);
  }

  /** Whether the event of that command is here. */
  has(clientId: string): boolean {
    return this.#list.some((each) => each.client_id === clientId);
  }

  /** A page is as of its own `seq`: what was told since then changes what is new here. */
  show(page: Page): void {
    this.#merge(page, this.#clientIds());
  }

  /** Only the messages of `page`, and what was told since. */
  restart(page: Page): void {
    const clientIds = this.#clientIds();
    this.#list = [];
    this.#merge(page, clientIds);
  }

  /** By message id. A page does not say them. */
  #clientIds(): Map<string, string> {
    return new Map(this.#list.flatMap(({ id, client_id }) => (client_id ? [[id, client_id]] : [])));
  }

  #merge(page: Page, clientIds: ReadonlyMap<string, string>): void {
    for (const message of page.messages) {
      const client_id = clientIds.get(message.id);
      this.put(client_id === undefined ? message : { ...message, client_id });
    }
    for (const event of this.since(page.seq)) this.#apply(event);
  }

  /** Events after `seq` that were told, as far as they are remembered. */
  since(seq: number): ConversationEvent[] {
    return this.#recent.filter((event) => event.seq > seq);
  }

  /** What happened above `seq` is not so: forget it. */
  dropAbove(seq: number): void {
    this.#list = this.#list.filter((each) => each.seq <= seq);
    this.#recent = this.#recent.filter((each) => each.seq <= seq);
  }

  /** False if what it says cannot be shown without loading something. */
  take(event: ConversationEvent): boolean {
    this.#recent.push(event);
    if (this.#recent.length > RECENT) this.#recent.shift();
    return this.#apply(event);
  }

  /** Adds it, or takes the place of what is at its `seq`. */
  put(message: Message): void {
    const index = this.#index(message.seq);
    const there = this.#list[index]?.seq === message.seq;
    this.#list = this.#list.toSpliced(index, there ? 1 : 0, message);
  }

  /** What is known of it from elsewhere, until its event or a page comes. */
  putProvisional(message: Message): void {
    this.#provisional.add(message.id);
    this.put(message);
  }

  remove(id: string): void {
    this.#list = this.#list.filter((each) => each.id !== id);
  }

  #apply(event: ConversationEvent): boolean {
    const { at, seq, data } = event;
    switch (event.kind) {
      case "message.sent":
      case "message.posted":
        if (!this.grows) return true;
        if (this.#provisional.delete(data.id)) this.put(shown(event));
        else this.put(again(shown(event), this.#at(seq)));
        return true;
      case "message.edited":
        if (event.data.redacted) return true;
        this.#change(event.data, (old) => {
          const { mentions: _, entities: __, ...rest } = old;
          const { text, version, mentions, entities } = event.data;
          const said = { text, version, ...without({ mentions, entities }) } as Partial<Message>;
          return "deleted_at" in old ? old : { ...rest, ...said, edited_at: at };
        });
        this.#requote(event.data.message_id, (preview) => ({
          ...preview,
          text: [...event.data.text].slice(0, PREVIEW).join(""),
        }));
        return true;
      case "message.deleted":
        this.#requote(event.data.message_id, () => ({ unavailable: true }));
        if (event.data.reason === "expired") this.remove(event.data.message_id);
        else this.#change(event.data, (old) => tombstone(old, at));
        return true;
      case "message.restored":
        return this.#restore(event.data);
      case "message.pinned":
        this.#change(event.data, (old) => ({ ...old, pinned: true }));
        return true;
      case "message.unpinned":
        this.#change(event.data, ({ pinned: _, ...old }) => old as Message);
        return true;
      case "reaction.changed":
        this.#change(event.data, (old) => this.#reacted(old, event.data));
        return true;
      case "poll.voted":
        this.#change(event.data, (old) => {
          const { tally, option } = event.data;
          const votes = { ...old.votes };
          if (option === undefined) delete votes[data.by!];
          else votes[data.by!] = option;
          return { ...old, tally, votes };
        });
        return true;
      case "message.forwarded":
        this.#change(event.data, (old) => ({ ...old, forwards: event.data.count }));
        return true;
      case "thread.replied": {
        const last = { seq: seq + 1, ts: at, ...without({ by: data.by }) };
        this.#change(event.data, (old) => ({
          ...old,
          thread: { count: event.data.count, last } as ThreadHead,
        }));
        return true;
      }
      case "thread.recounted":
        this.#change(event.data, (old) => ({
          ...old,
          thread: { ...(old.thread as ThreadHead), count: event.data.count },
        }));
        return true;
      case "reference.dropped": {
        const { message_id, message_seq, context } = event.data;
        if (message_id === undefined || message_seq === undefined) return true;
        const gone = Object.fromEntries(Object.keys(context).map((type) => [type, null]));
        this.#change({ message_id, message_seq }, (old) => ({
          ...old,
          context: { ...old.context, ...gone },
        }));
        return true;
      }
      case "void":
        if (this.get(event.data.of) === undefined) return false;
        this.remove(event.data.of);
        return true;
      default:
        if (this.grows && this.system && isSystem(event.kind)) this.put(shown(event));
        return true;
    }
  }

  #restore(data: ConversationEvent<"message.restored">["data"]): boolean {
    const old = this.#at(data.message_seq);
    const isLoaded = (this.#list[0]?.seq ?? Infinity) <= data.message_seq;
    if (old === undefined) return !isLoaded;
    const { deleted_at: _, redacted: __, ...rest } = old;
    const back: Message = { ...rest, text: data.text, ...data.rest };
    for (const [name, value] of Object.entries(back)) if (value === null) delete back[name];
    this.put(back);
    return true;
  }

  #reacted(old: Message, data: ConversationEvent<"reaction.changed">["data"]): Message {
    const { emoji, count, on, by } = data;
    const { reactions: before, reacted: own = [], ...rest } = old;
    const reactions = { ...before, [emoji]: count };
    if (count === 0) delete reactions[emoji];
    if (Object.keys(reactions).length === 0) return rest as Message;
    if (by !== this.me()) return { ...rest, reactions, reacted: own };
    const others = own.filter((each) => each !== emoji);
    return { ...rest, reactions, reacted: on ? [...others, emoji] : others };
  }

  #change(
    { message_seq }: { message_id: string; message_seq: number },
    change: (old: Message) => Message,
  ): void {
    const old = this.#at(message_seq);
    if (old !== undefined) this.put(change(old));
  }

  /** Those that answer the message `id` show of it what `change` says. */
  #requote(id: string, change: (old: Message["preview"]) => Message["preview"]): void {
    for (const each of this.#list) {
      if (each.reply_to?.id !== id || each.preview?.unavailable) continue;
      const preview = change(each.preview);
      if (preview !== undefined) this.put({ ...each, preview });
    }
  }

  #at(seq: number): Message | undefined {
    const found = this.#list[this.#index(seq)];
    return found?.seq === seq ? found : undefined;
  }

  /** Where `seq` is, or belongs. */
  #index(seq: number): number {
    let [low, high] = [0, this.#list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#list[middle]!.seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Changes of a group that an app shows between the messages (GRP-13). */
function isSystem(kind: EventKind): boolean {
  return kind !== "conversation.created" && /^(member|conversation)\./.test(kind);
}

function shown(event: ConversationEvent): Message {
  return { seq: event.seq, ts: event.at, kind: event.kind, ...event.data } as Message;
}

/** What became of a message that is told again stays. */
function again(told: Message, known: Message | undefined): Message {
  return known?.id === told.id ? { ...told, ...known } : told;
}

function tombstone(old: Message, deleted_at: number): Message {
  const kept = Object.entries(old).filter(([name]) => CONTENT.includes(name));
  return { ...(Object.fromEntries(kept) as unknown as Message), deleted_at, redacted: true };
}

function without<T extends object>(fields: T): Partial<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}
