/** The list of conversations, as it is now. */

import type { Client } from "./client.js";
import type { PayloadOf } from "./calling.js";
import { Model } from "./emitter.js";
import { ClientEnded, NoAnswer, PalaverError, Rejected } from "./errors.js";
import type { ConversationEvent, Reload } from "./pushes.js";
import type { ConversationInfo, Last, Results, Row } from "./wire.js";

/** `all` but archived ones, `unread` of these, `archived`, and `requests`, which are in no other. */
export type Filter = "all" | "unread" | "archived" | "requests";

const SHOWN_MEMBERS = 5;

export class Inbox extends Model {
  #rows = new Map<string, Row>();
  /** How much is unread by conversation, as the server says, and in those that it has not told. */
  #told = new Map<string, number>();
  #others = 0;
  /** Where to go on; null: that was all. */
  #next = new Map<Filter, string | null>();
  /** The last event that was told of a conversation while it is fetched. */
  #fetching = new Map<string, number>();

  constructor(private readonly client: Client) {
    super();
    client.on("event", (event) => this.#event(event));
    client.on("reload", (reload) => this.#reload(reload));
    client.on("unread.changed", ({ data }) => {
      for (const [c, unread] of Object.entries(data.conversations)) {
        this.#told.set(c, unread);
        this.#update(c, { unread });
      }
      this.#total(data.total);
    });
    client.on("preference.changed", ({ data: { conversation, ...preference } }) => {
      if (this.#rows.has(conversation)) this.#update(conversation, { preference });
      else void this.#fetch(conversation);
    });
    client.on("request.answered", ({ data: { conversation, status } }) => {
      this.#remove(conversation);
      if (status === "accepted") void this.#fetch(conversation);
    });
    client.on("block.changed", ({ data: { conversation, level } }) => {
      if (level === "blocked" || level === "restricted") this.#remove(conversation);
      else void this.#fetch(conversation);
    });
    client.onRows(({ rows, left }) => {
      // Of a conversation that was not loaded, what was unread in it before is not known.
      const strange = this.#next.get("all") !== null && rows.some(({ c }) => !this.#told.has(c));
      for (const row of rows) this.#put(row);
      for (const c of left) this.#remove(c);
      if (strange && this.#next.size > 0) void this.#count();
    });
  }

  /** Unread messages of all conversations together. */
  get unread(): number {
    let unread = this.#others;
    for (const [c, told] of this.#told) unread += this.#isRead(c) ? 0 : told;
    return Math.max(unread, 0);
  }

  /** What has been loaded and came up since: pinned ones first, then newest activity first. */
  rows(filter: Filter = "all"): Row[] {
    const rows = [...this.#rows.keys()].map((c) => this.get(c)!);
    return rows.filter((row) => this.#is(row, filter)).sort(before);
  }

  get(c: string): Row | undefined {
    const row = this.#rows.get(c);
    return row !== undefined && row.unread > 0 && this.#isRead(c) ? { ...row, unread: 0 } : row;
  }

  /** Told by `reads`: what was read here counts as read, before the server knows. */
  read(c: string): void {
    if (this.#told.has(c)) this.changed();
  }

  /** Whether `loadMore` may bring more. */
  more(filter: Filter = "all"): boolean {
    return this.#next.get(filter) !== null;
  }

  /** Load the first page, once; what changes later comes by itself. */
  async load(filter: Filter = "all", limit?: number): Promise<void> {
    if (!this.#next.has(filter)) await this.loadMore(filter, limit);
  }

  /** Load the first page once more: of `requests` nothing is told, they have to be asked for. */
  async reload(filter: Filter, limit?: number): Promise<void> {
    this.#next.delete(filter);
    await this.loadMore(filter, limit);
  }

  /** Load the next page. */
  async loadMore(filter: Filter = "all", limit?: number): Promise<void> {
    const next = this.#next.get(filter);
    if (next === null) return;
    const page = await this.#page({
      filter,
      ...(limit === undefined ? {} : { limit }),
      ...(next === undefined ? {} : { cursor: next }),
    });
    this.#next.set(filter, page.next);
    for (const row of page.conversations) this.#put(row);
    this.#total(page.unread);
  }

  /** What happened while there was no connection changed the total, too, which no row says. */
  async #count(): Promise<void> {
    try {
      this.#total((await this.client.conversations({ limit: 1 })).unread);
    } catch (error) {
      if (!(error instanceof PalaverError)) throw error; // the next connection asks again
    }
  }

  /** The server says so. */
  #total(total: number): void {
    this.#others = total;
    for (const told of this.#told.values()) this.#others -= told;
    this.changed();
  }

  /** Whether it was read here up to its last message. */
  #isRead(c: string): boolean {
    const upTo = this.client.reads.upTo(c);
    return upTo > 0 && upTo >= (this.#rows.get(c)?.last?.seq ?? 0);
  }

  /** However often the connection breaks meanwhile. */
  async #page(asked: PayloadOf<"conversation.list">): Promise<Results["conversation.list"]> {
    for (;;) {
      try {
        const ever = { timeout: Infinity };
        return await this.client.call("conversation.list", asked, undefined, ever);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
      }
    }
  }

  #is(row: Row, filter: Filter): boolean {
    const request = row.request === "pending";
    const {
      archived = false,
      unread = false,
      hidden_seq = 0,
      hidden_number = 0,
    } = row.preference ?? {};
    if (request || filter === "requests") return request && filter === "requests";
    if (hidden_seq > 0 && row.number <= hidden_number) return false;
    if (archived || filter === "archived") return archived && filter === "archived";
    return filter === "all" || unread || row.unread > 0;
  }

  /** A row that is as of an earlier time than what is known changes nothing. */
  #put(row: Row): void {
    if (this.#next.size === 0) return;
    const known = this.#rows.get(row.c);
    if (known !== undefined && known.epoch === row.epoch && known.seq > row.seq) return;
    const own = this.client.personal.preferences.get(row.c) ?? row.preference;
    const now = { ...row, ...movedBy(known, row) };
    this.#rows.set(row.c, own === undefined ? now : { ...now, preference: own });
    if (row.request === undefined) this.#told.set(row.c, row.unread);
    this.changed();
  }

  #update(c: string, change: Partial<Row>): void {
    const row = this.#rows.get(c);
    if (row === undefined) return;
    this.#rows.set(c, { ...row, ...change });
    this.changed();
  }

  #remove(c: string): void {
    this.#told.delete(c);
    if (this.#rows.delete(c)) this.changed();
  }

  #reload({ conversation, reason }: Reload): void {
    if (reason === "not_member" || reason === "permission_denied") this.#remove(conversation);
    else void this.#fetch(conversation);
  }

  #event(event: ConversationEvent): void {
    const c = event.conversation;
    const me = this.client.user;
    if (this.#fetching.has(c)) this.#fetching.set(c, event.seq);
    if (event.kind === "member.removed" && event.data.user === me) return this.#remove(c);
    const row = this.#rows.get(c);
    const joined = event.kind === "member.added" && event.data.users.includes(me ?? "");
    if (row === undefined || joined || event.kind === "void") return void this.#fetch(c);
    if (event.seq <= row.seq) return;
    const activity = event.kind === "message.sent" ? undefined : event;
    this.#update(c, { seq: event.seq, ts: event.at, activity, ...changed(row, event, me) });
  }

  /** The row of one conversation, made of its state: there is no other way to get just one. */
  async #fetch(c: string): Promise<void> {
    if (this.#next.size === 0 || this.#fetching.has(c)) return; // nobody looks, or it is on its way
    this.#fetching.set(c, 0);
    try {
      let info: ConversationInfo;
      do {
        info = await this.#info(c);
      } while (info.seq < this.#fetching.get(c)!);
      const known = this.#rows.get(c);
      this.#rows.delete(c);
      this.#put({ ...rowOf(info), ...movedBy(known, info) });
    } catch (error) {
      if (error instanceof Rejected) this.#remove(c);
      else if (!(error instanceof NoAnswer || error instanceof ClientEnded)) throw error;
    } finally {
      this.#fetching.delete(c);
    }
  }

  /** However long the server cannot say. */
  async #info(c: string): Promise<ConversationInfo> {
    for (;;) {
      try {
        return await this.client.call("conversation.get", {}, c, { timeout: Infinity });
      } catch (error) {
        if (!(error instanceof Rejected && error.retryable)) throw error;
      }
    }
  }
}

function before(a: Row, b: Row): number {
  const pinned = (row: Row) => row.preference?.pinned_at ?? 0;
  return pinned(b) - pinned(a) || b.ts - a.ts || (a.c < b.c ? -1 : 1);
}

/** What has moved it last, which no answer says, if nothing has happened since. */
function movedBy(known: Row | undefined, now: Pick<Row, "epoch" | "seq">): Partial<Row> {
  if (known === undefined || known.epoch !== now.epoch || known.seq !== now.seq) return {};
  return { ts: known.ts, activity: known.activity };
}

function rowOf(info: ConversationInfo): Row {
  const { c, kind, epoch, seq, number, unread, title, context, role, last, request } = info;
  const members = Object.keys(info.members).slice(0, SHOWN_MEMBERS);
  const ts = Math.max(last?.ts ?? 0, info.created_at);
  const row = { c, kind, epoch, seq, number, unread, title, context, role, members, last, ts };
  return request === undefined ? row : { ...row, request };
}

/** What of the row an event changes besides its place. */
function changed(row: Row, event: ConversationEvent, me: string | undefined): Partial<Row> {
  const { last } = row;
  switch (event.kind) {
    case "message.sent": {
      const { id, by, text, type, attachments, number = row.number } = event.data;
      const fields: Record<string, unknown> = { id, seq: event.seq, by, ts: event.at, text, type };
      if (attachments !== undefined) fields["attachments"] = attachments.map((each) => each.type);
      const said = Object.entries(fields).filter(([, value]) => value !== undefined);
      return { number, last: Object.fromEntries(said) as unknown as Last };
    }
    case "message.edited":
      if (last?.id !== event.data.message_id || event.data.redacted) return {};
      return { last: { ...last, text: event.data.text } };
    case "message.deleted": {
      if (last?.id !== event.data.message_id) return {};
      const { text: _, attachments: __, ...rest } = last;
      return { last: { ...rest, deleted: true } };
    }
    case "message.restored": {
      if (last?.id !== event.data.message_id) return {};
      const { deleted: _, ...rest } = last;
      return { last: { ...rest, text: event.data.text } };
    }
    case "conversation.renamed":
      return { title: event.data.title };
    case "member.added": {
      const members = [...new Set([...row.members, ...event.data.users])];
      return { members: members.slice(0, SHOWN_MEMBERS) };
    }
    case "member.removed":
      return { members: row.members.filter((user) => user !== event.data.user) };
    case "member.role_changed":
      return event.data.user === me ? { role: event.data.role } : {};
    default:
      return {};
  }
}
