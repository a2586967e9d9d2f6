/** The client under the names that tutoring's own pages use: `messages.send(recipientId, text,
 * bookingId)` and its like (CLI-14). For pages that were written for those; what is new says more
 * with `Client`.
 *
 *     const messages = new Messages(client);
 *     const message = await messages.send("50", "Next week?", "100");
 *
 * A thread is the direct conversation of two people, or theirs about one booking (the policies
 * `direct_key = "pair_context"` and `conversation_context = ["booking"]`). Ids are strings; numbers
 * are taken, too. Methods reject with what `Client.call` rejects with. */

import type { Client } from "../client.js";
import { Rejected } from "../errors.js";
import { newId } from "../id.js";
import type { ConversationInfo, HistoryMessage, UserFields } from "../wire.js";
import { addressee, iso, other } from "./between-two.js";

export type Id = string | number;

/** With what may be seen of the two: `sender_email`, `recipient_first_name`, … */
export interface Message {
  id: string;
  sender_id: string;
  recipient_id: string;
  booking_id: string | null;
  message: string;
  is_read: boolean;
  is_edited: boolean;
  /** When the recipient last read on, which may have been after they read this message. */
  read_at: string | null;
  edited_at: string | null;
  created_at: string;
  updated_at: string;
  [field: `${"sender" | "recipient"}_${string}`]: string | number | boolean | null;
}

/** With what may be seen of the other: `other_user_email`, … */
export interface Thread {
  other_user_id: string;
  booking_id: string | null;
  last_message: string;
  last_message_time: string;
  last_sender_id: string;
  unread_count: number;
  [field: `other_user_${string}`]: string | number | boolean | null;
}

export interface MessagePage {
  messages: Message[];
  total: number;
  page: number;
  page_size: number;
  total_pages: number;
}

/** What `conversation.list` looks for has at most so many characters; ids may have more. */
const LONGEST_TEXT = 100;
/** Of the messages that were given out or came, where they are is known for so many. */
const REMEMBERED = 10_000;

export class Messages {
  /** Conversation by message: the commands want both. */
  #where = new Map<string, string>();

  constructor(private readonly client: Client) {
    client.on("message.sent", ({ conversation, data }) => this.#remember(data.id, conversation));
  }

  /** Begins the thread if there is none. What it answers is as it was stored: masked, if it is to
   * be. */
  async send(recipientId: Id, text: string, bookingId?: Id): Promise<Message> {
    const client_id = newId();
    let said = text;
    const off = this.client.on("message.sent", ({ data }) => {
      if (data.client_id === client_id) said = data.text;
    });
    const context = about(bookingId);
    try {
      const recipient = String(recipientId);
      const sent = await this.client.sendTo(recipient, text, { client_id, ...context });
      this.#remember(sent.id!, sent.c!);
      const me = this.client.user!;
      return {
        ...this.#known("sender", me),
        ...this.#known("recipient", recipient),
        id: sent.id!,
        sender_id: me,
        recipient_id: recipient,
        booking_id: context.context?.booking ?? null,
        message: said,
        is_read: false,
        is_edited: false,
        read_at: null,
        edited_at: null,
        created_at: iso(sent.ts!),
        updated_at: iso(sent.ts!),
      };
    } finally {
      off();
    }
  }

  /** Those in which something was said, the newest first. */
  async listThreads(limit = 100): Promise<Thread[]> {
    const { conversations } = await this.client.conversations({ limit });
    return conversations.flatMap(({ c, kind, members, context, last, unread }) => {
      const user = other(members, this.client.user);
      if (kind !== "direct" || user === undefined || last === null) return [];
      this.#remember(last.id, c);
      return {
        ...this.#known("other_user", user),
        other_user_id: user,
        booking_id: context["booking"] ?? null,
        last_message: last.text ?? "",
        last_message_time: iso(last.ts),
        last_sender_id: last.by ?? "",
        unread_count: unread,
      };
    });
  }

  /** Messages of a page are oldest first; which page is the first, the server says. A thread that
   * there is not is empty. */
  async getThreadMessages(
    otherUserId: Id,
    bookingId?: Id,
    page = 1,
    pageSize = 50,
  ): Promise<MessagePage> {
    const c = await this.#find(otherUserId, bookingId);
    if (c === undefined) {
      return { messages: [], total: 0, page, page_size: pageSize, total_pages: 0 };
    }
    const [info, found] = await Promise.all([
      this.client.get(c),
      this.client.history(c, { page, limit: pageSize }),
    ]);
    const shown = found.messages.filter((each) => each.redacted !== true);
    const messages = shown.map((each) => this.#shaped(each, info));
    const { total = messages.length, total_pages = 1 } = found;
    return { messages, total, page, page_size: pageSize, total_pages };
  }

  async searchMessages(q: string, page = 1, pageSize = 20): Promise<MessagePage> {
    const found = await this.client.search({ query: q, page, limit: pageSize });
    const threads = new Map<string, ConversationInfo>();
    const there = [...new Set(found.hits.map((hit) => hit.c))];
    await Promise.all(there.map(async (c) => threads.set(c, await this.client.get(c))));
    const messages = found.hits.map((hit) => this.#shaped(hit, threads.get(hit.c)!));
    const { total, total_pages } = found;
    return { messages, total, page, page_size: pageSize, total_pages };
  }

  /** With all that was said before it. */
  async markRead(id: string): Promise<void> {
    await this.client.call("message.read", { message_ids: [id] }, this.#of(id));
  }

  async markThreadRead(otherUserId: Id, bookingId?: Id): Promise<void> {
    const c = await this.#find(otherUserId, bookingId);
    if (c !== undefined) await this.client.read(c);
  }

  async editMessage(id: string, text: string): Promise<Message> {
    const c = this.#of(id);
    await this.client.edit(c, id, text);
    const [info, found] = await Promise.all([
      this.client.get(c),
      this.client.history(c, { around: id, limit: 1 }),
    ]);
    return this.#shaped(found.messages.find((each) => each.id === id)!, info);
  }

  async deleteMessage(id: string): Promise<void> {
    await this.client.delete(this.#of(id), id);
  }

  /** The conversation of a thread, if there is one: to look for it makes none. */
  async #find(otherUserId: Id, bookingId?: Id): Promise<string | undefined> {
    const user = String(otherUserId);
    const begins = [...user].slice(0, LONGEST_TEXT).join("");
    const wanted = about(bookingId);
    for (let cursor: string | null | undefined; cursor !== null;) {
      const more = cursor === undefined ? {} : { cursor };
      const asked = { text: begins, limit: 200, ...wanted, ...more };
      const page = await this.client.conversations(asked);
      const found = page.conversations.find(
        ({ kind, members, context }) =>
          kind === "direct" &&
          members.includes(user) &&
          (context["booking"] ?? undefined) === wanted.context?.booking,
      );
      if (found !== undefined) return found.c;
      cursor = page.next;
    }
    return undefined;
  }

  #shaped(message: HistoryMessage, info: ConversationInfo): Message {
    const { id, by = "", text = "", ts, edited_at, context = info.context } = message;
    const { recipient = "", isRead, readAt } = addressee(info, message);
    this.#remember(id, info.c);
    return {
      ...this.#known("sender", by),
      ...this.#known("recipient", recipient),
      id,
      sender_id: by,
      recipient_id: recipient,
      booking_id: context["booking"] ?? null,
      message: text,
      is_read: isRead,
      is_edited: edited_at !== undefined,
      read_at: readAt,
      edited_at: edited_at === undefined ? null : iso(edited_at),
      created_at: iso(ts),
      updated_at: iso(edited_at ?? ts),
    };
  }

  /** What may be seen of them: an answer that names users tells it besides. */
  #known<P extends string>(prefix: P, user: string): Record<`${P}_${string}`, UserFields[string]> {
    const fields = Object.entries(this.client.people.known(user) ?? {});
    return Object.fromEntries(fields.map(([name, value]) => [`${prefix}_${name}`, value])) as any;
  }

  #remember(id: string, c: string): void {
    this.#where.delete(id);
    this.#where.set(id, c);
    if (this.#where.size > REMEMBERED) this.#where.delete(this.#where.keys().next().value!);
  }

  #of(id: string): string {
    const c = this.#where.get(id);
    if (c !== undefined) return c;
    const message = `nothing told of the message ${id} yet`;
    throw new Rejected({ code: "MESSAGE_NOT_FOUND", message, details: { message_id: id } });
  }
}

function about(bookingId?: Id): { context?: { booking: string } } {
  return bookingId === undefined ? {} : { context: { booking: String(bookingId) } };
}
