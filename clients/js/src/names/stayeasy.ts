/** The client under the names of stayeasy's own `ChatClient` (CLI-14). For pages that were written
 * for that; what is new says more with `Client`.
 *
 *     const chatClient = new ChatClient("https://chat.example.org", authToken);
 *     await chatClient.connect();
 *     chatClient.joinChat(chatId);
 *     chatClient.on("message", (message) => show(message.content));
 *     const { messageId } = await chatClient.sendMessage({ chatId, content: "Hello!" });
 *
 * A chat is a direct conversation. Methods reject with what `Client.call` rejects with. */

import { Client } from "../client.js";
import { Emitter } from "../emitter.js";
import type { ClientOptions, Token } from "../options.js";
import type { ConnectionState, ConversationEvent } from "../pushes.js";
import { linear } from "../reconnect.js";
import type { Attachment, ConversationInfo, HistoryMessage, UserFields } from "../wire.js";
import { addressee, iso } from "./between-two.js";

export interface NewMessage {
  chatId: string;
  content: string;
  propertyId?: string;
  attachments?: { url: string; type: Attachment["type"] }[];
}

export interface Sent {
  messageId: string;
  chatId: string;
  timestamp: Date;
}

/** `id`, and what may be seen of them: `name`, `role`, … */
export type Person = { id: string } & UserFields;

export interface ChatMessage {
  id: string;
  chatId: string;
  senderId: string;
  /** Null until it is known who is in the chat. */
  recipientId: string | null;
  propertyId: string | null;
  content: string;
  createdAt: string;
  /** When the recipient last read on, which may have been after they read this message. */
  readAt: string | null;
  sender: Person;
  recipient: Person | null;
  files: Attachment[];
}

export interface MessagePage {
  messages: ChatMessage[];
  pagination: {
    page: number;
    limit: number;
    total: number;
    totalPages: number;
    hasMore: boolean;
  };
}

/** What `on` takes. */
export interface Events {
  /** In a chat that was joined; one's own, too. */
  message: ChatMessage;
  connecting: ConnectionState;
  connected: ConnectionState;
  disconnected: ConnectionState;
  /** The fifth attempt failed, or the server said not to come back: there will be no other. */
  reconnect_failed: ConnectionState;
}

const EVENT_OF = {
  connecting: "connecting",
  online: "connected",
  waiting: "disconnected",
  closed: "disconnected",
  refused: "reconnect_failed",
  failed: "reconnect_failed",
} as const;

export class ChatClient {
  /** For all that has no name here; `client.close()` ends it. */
  readonly client: Client;
  #emitter = new Emitter<Events>();
  /** Those that were joined, as far as they are known. */
  #chats = new Map<string, ConversationInfo | undefined>();

  /** Where the server listens for WebSockets. It comes back five times, after 1, 2, 3, … s at most,
   * unless `options` say otherwise. */
  constructor(
    serverUrl: string = "http://localhost:8765",
    authToken: Token,
    options: ClientOptions = {},
  ) {
    const url = serverUrl.replace(/^http/, "ws");
    this.client = new Client(url, authToken, { backoff: linear, ...options });
    this.client.on("message.sent", (event) => this.#message(event));
    this.client.on("state", (state) => this.#emitter.emit(EVENT_OF[state.state], state));
  }

  /** Rejects if there will be no connection. */
  async connect(): Promise<void> {
    await this.client.connected();
  }

  /** Hear its messages. It need not be waited for. */
  joinChat(chatId: string): Promise<void> {
    const joined = this.#join(chatId);
    joined.catch(() => this.#chats.delete(chatId));
    return joined;
  }

  leaveChat(chatId: string): Promise<void> {
    this.#chats.delete(chatId);
    return this.client.unsubscribe(chatId);
  }

  /** Resolves when it is stored. Without a connection it waits for one, in its order, for ever. */
  async sendMessage({ chatId, content, propertyId, attachments }: NewMessage): Promise<Sent> {
    const outgoing = await this.client.enqueue(chatId, content, {
      ...(propertyId === undefined ? {} : { context: { property: propertyId } }),
      ...(attachments === undefined ? {} : { attachments }),
    });
    const { id, ts } = await outgoing.answer();
    return { messageId: id, chatId, timestamp: new Date(ts) };
  }

  /** Pages count from the newest one; within a page messages are oldest first. */
  async fetchMessages(
    chatId: string,
    { page = 1, limit = 50, before }: { page?: number; limit?: number; before?: Date } = {},
  ): Promise<MessagePage> {
    const earlier = before === undefined ? {} : { before_time: before.getTime() };
    const [chat, found] = await Promise.all([
      this.client.get(chatId),
      this.client.history(chatId, { page, limit, ...earlier }),
    ]);
    const messages = found.messages.map((each) => this.#shaped(chatId, each, chat));
    const { total = messages.length, total_pages: totalPages = 1 } = found;
    return { messages, pagination: { page, limit, total, totalPages, hasMore: page < totalPages } };
  }

  /** What it returns takes the listener away. */
  on<K extends keyof Events>(event: K, listener: (what: Events[K]) => void): () => void {
    return this.#emitter.on(event, listener);
  }

  async #join(chatId: string): Promise<void> {
    this.#chats.set(chatId, undefined);
    const [chat] = await Promise.all([this.client.get(chatId), this.client.subscribe(chatId)]);
    if (this.#chats.has(chatId)) this.#chats.set(chatId, chat);
  }

  #message({ conversation, seq, at, data }: ConversationEvent<"message.sent">): void {
    if (!this.#chats.has(conversation)) return;
    const message = { kind: "message.sent", ...data, seq, ts: at } as HistoryMessage;
    const chat = this.#chats.get(conversation);
    this.#emitter.emit("message", this.#shaped(conversation, message, chat));
  }

  #shaped(chatId: string, message: HistoryMessage, chat?: ConversationInfo): ChatMessage {
    const { id, by = "", text = "", ts, attachments = [], context } = message;
    const to = chat && addressee(chat, message);
    const recipient = to?.recipient ?? null;
    return {
      id,
      chatId,
      senderId: by,
      recipientId: recipient,
      propertyId: context?.["property"] ?? null,
      content: text,
      createdAt: iso(ts),
      readAt: to?.readAt ?? null,
      sender: this.#person(by),
      recipient: recipient === null ? null : this.#person(recipient),
      files: attachments,
    };
  }

  #person(id: string): Person {
    return { ...this.client.people.known(id), id };
  }
}
