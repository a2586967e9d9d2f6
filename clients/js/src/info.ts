/** What is known of a conversation besides its messages: members, title, settings, marks. */

import type { ConversationEvent } from "./pushes.js";
import { raise, reached, type MarkKind, type MarkSeqs, type Status } from "./status.js";
import type { ConversationInfo, Member } from "./wire.js";

/** As `conversation.get` says it; events later than that bring it up to date. */
export class Info {
  #info: ConversationInfo;
  #marks = new Map<string, MarkSeqs>();

  constructor(info: ConversationInfo) {
    this.#info = info;
    for (const [user, { read, delivered }] of Object.entries(info.members)) {
      this.mark(user, "read", read?.seq ?? 0);
      this.mark(user, "delivered", delivered?.seq ?? 0);
    }
  }

  get now(): Readonly<ConversationInfo> {
    return this.#info;
  }

  /** How far a member has read, and what they hold. */
  marks(user: string): Readonly<MarkSeqs> | undefined {
    return this.#marks.get(user);
  }

  /** Users whose mark has reached `seq`. */
  whoReached(seq: number, kind: MarkKind): string[] {
    return [...this.#marks].filter(([, marks]) => marks[kind] >= seq).map(([user]) => user);
  }

  mark(user: string, kind: MarkKind, seq: number): void {
    let marks = this.#marks.get(user);
    if (marks === undefined) {
      if (!(user in this.#info.members)) return;
      this.#marks.set(user, (marks = { read: 0, delivered: 0 }));
    }
    raise(marks, kind, seq);
  }

  /** What has become of `me`'s message at `seq`. */
  status(seq: number, me: string): Status {
    // Of a large group only oneself is known, so who reads is not.
    const all = this.#marks.size >= this.#info.member_count;
    const others = [...this.#marks].filter(([user]) => user !== me).map(([, marks]) => marks);
    return all ? reached(seq, others) : "sent";
  }

  /** Taking an event again does no harm. */
  apply(event: ConversationEvent, me: string | undefined): void {
    const info = this.#info;
    const set = (change: Partial<ConversationInfo>) => (this.#info = { ...info, ...change });
    switch (event.kind) {
      case "message.sent":
        if (event.data.by !== undefined) this.mark(event.data.by, "read", event.seq);
        if (event.data.number !== undefined) set({ number: event.data.number });
        break;
      case "conversation.renamed":
        set({ title: event.data.title });
        break;
      case "conversation.settings_changed": {
        const { id: _, by: __, client_id: ___, ...changed } = event.data;
        set({ settings: { ...info.settings, ...(changed as Record<string, string>) } });
        break;
      }
      case "conversation.locked":
        set({ lock: { until: event.data.until ?? null } });
        break;
      case "conversation.unlocked":
        set({ lock: {} });
        break;
      case "member.added":
        this.#added(event.data.users, event.data.role, event);
        break;
      case "member.removed":
        this.#removed(event.data.user);
        break;
      case "member.role_changed": {
        const { user, role } = event.data;
        const member = info.members[user];
        if (member !== undefined)
          set({ members: { ...info.members, [user]: { ...member, role } } });
        if (user === me) this.#info = { ...this.#info, role };
        break;
      }
      case "message.pinned":
        set({ pins: { ...info.pins, [event.data.message_id]: event.data.message_seq } });
        break;
      case "message.unpinned": {
        const { [event.data.message_id]: _, ...pins } = info.pins;
        set({ pins });
        break;
      }
      case "reference.dropped":
        if (event.data.message_id === undefined) {
          const gone = Object.keys(event.data.context).map((type) => [type, null]);
          set({ context: { ...info.context, ...Object.fromEntries(gone) } });
        }
        break;
    }
  }

  #added(users: readonly string[], role: string, { seq, at }: ConversationEvent): void {
    const { members, member_count } = this.#info;
    const fresh = users.filter((user) => !(user in members));
    const mark = { seq, at };
    const added: Record<string, Member> = {};
    for (const user of fresh) added[user] = { role, read: mark, delivered: mark };
    this.#info = {
      ...this.#info,
      members: { ...members, ...added },
      member_count: member_count + fresh.length,
    };
    for (const user of fresh) this.mark(user, "read", seq);
  }

  #removed(user: string): void {
    const { [user]: member, ...members } = this.#info.members;
    if (member === undefined) return;
    this.#marks.delete(user);
    this.#info = { ...this.#info, members, member_count: this.#info.member_count - 1 };
  }
}
