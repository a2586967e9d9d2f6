/** What a client says, as methods: one line each over `call`, so that editors complete them. */

import type { CommandPayloads } from "./generated.js";
import { newId } from "./id.js";
import type { Outgoing } from "./outgoing.js";
import type { ConversationInfo, Durable, Page, Results } from "./wire.js";

export type CommandName = keyof CommandPayloads;
export type PayloadOf<K extends CommandName> = CommandPayloads[K];
export type ResultOf<K extends string> = K extends keyof Results ? Results[K] : Record<string, any>;

export interface CallOptions {
  /** ms for all of it, waiting for a connection included; 10 s if not given. */
  timeout?: number;
}

/** What a message says besides its text. */
export type MessageOptions = Omit<CommandPayloads["message.send"], "text" | "to" | "attempt">;

/** `c` is a conversation's id. See `Client.call` for what they reject with. */
export abstract class Commands {
  /** See `Client.call`. */
  abstract call<K extends CommandName>(
    name: K,
    payload?: PayloadOf<K>,
    c?: string,
    options?: CallOptions,
  ): Promise<ResultOf<K>>;

  /** See `Client.enqueueCall`. */
  abstract enqueueCall<K extends CommandName>(
    name: K,
    payload: PayloadOf<K>,
    c?: string,
  ): Promise<Outgoing>;

  /** Keep a message in the outbox, from where it is sent whenever there is a connection. */
  enqueue(c: string, text: string, options: MessageOptions = {}): Promise<Outgoing> {
    return this.enqueueCall("message.send", { text, ...options }, c);
  }

  send(c: string, text: string, options: MessageOptions = {}): Promise<Durable> {
    return this.call("message.send", { text, ...options }, c);
  }

  /** Into the direct conversation with `user`, which is made if need be. */
  sendTo(user: string, text: string, options: MessageOptions = {}): Promise<Durable> {
    return this.call("message.send", { text, to: user, ...options });
  }

  /** `version`: only if the message still is at it (1 before any edit). */
  edit(
    c: string,
    message: string,
    text: string,
    options: { version?: number; mentions?: string[] } = {},
  ): Promise<Durable> {
    return this.call("message.edit", { message_id: message, text, ...options }, c);
  }

  /** For everybody. */
  delete(c: string, message: string): Promise<Durable> {
    return this.call("message.delete", { message_id: message }, c);
  }

  /** Take a deletion back, as long as the server leaves it. */
  restore(c: string, message: string): Promise<Durable> {
    return this.call("message.restore", { message_id: message }, c);
  }

  /** For oneself. */
  async hide(c: string, message: string): Promise<void> {
    await this.call("message.hide", { message_id: message }, c);
  }

  /** A copy of a message of `c` to the conversation `to`. */
  forward(c: string, message: string, to: string): Promise<Durable> {
    return this.call("message.forward", { message_id: message, to }, c);
  }

  /** What a message said before it was edited, oldest first, where the product shows it. */
  versions(c: string, message: string): Promise<Results["message.versions"]> {
    return this.call("message.versions", { message_id: message }, c);
  }

  /** Send a message at `at` (ms since 1970). Again under the same `id`: another message or time. */
  async schedule(
    c: string,
    at: number,
    text: string,
    options: Omit<MessageOptions, "client_id"> = {},
    id: string = newId(),
  ): Promise<void> {
    await this.call("message.schedule", { id, send_at: at, message: { text, ...options } }, c);
  }

  /** Do not send what was scheduled under this id. */
  async cancelScheduled(id: string): Promise<void> {
    await this.call("schedule.cancel", { id });
  }

  /** Put `emoji` on a message, or take one's own off. */
  react(c: string, message: string, emoji: string, on = true): Promise<Durable> {
    return this.call("reaction.set", { message_id: message, emoji, on }, c);
  }

  /** Vote for an option of a poll; null takes the vote back. */
  vote(c: string, message: string, option: number | null): Promise<Durable> {
    return this.call("poll.vote", { message_id: message, option }, c);
  }

  pin(c: string, message: string): Promise<Durable> {
    return this.call("message.pin", { message_id: message }, c);
  }

  unpin(c: string, message: string): Promise<Durable> {
    return this.call("message.unpin", { message_id: message }, c);
  }

  async star(c: string, message: string, on = true): Promise<void> {
    await this.call(on ? "message.star" : "message.unstar", { message_id: message }, c);
  }

  /** Move the read mark up to `seq`, or to the end, at once; `Conversation.markRead` gathers. */
  read(c: string, seq?: number): Promise<Results["message.read"]> {
    return this.call("message.read", seq === undefined ? {} : { seq }, c);
  }

  /** Who has read a message, and when. */
  readers(c: string, message: string, after?: string): Promise<Results["message.readers"]> {
    return this.call("message.readers", given({ message_id: message, after }), c);
  }

  /** The id of the direct conversation with `user`, which may have existed before. */
  async createDirect(user: string): Promise<string> {
    const ok = await this.call("conversation.create", { kind: "direct", members: [user] });
    return ok.c!;
  }

  /** The id of a new group with `members` and oneself, in the highest role. */
  async createGroup(
    members: readonly string[],
    title?: string,
    clientId?: string,
  ): Promise<string> {
    const group = { kind: "group" as const, members: [...members] };
    const ok = await this.call(
      "conversation.create",
      given({ ...group, title, client_id: clientId }),
    );
    return ok.c!;
  }

  rename(c: string, title: string): Promise<Durable> {
    return this.call("conversation.rename", { title }, c);
  }

  changeSettings(
    c: string,
    settings: Omit<CommandPayloads["conversation.change_settings"], "client_id" | "attempt">,
  ): Promise<Durable> {
    return this.call("conversation.change_settings", settings, c);
  }

  addMembers(c: string, users: readonly string[]): Promise<Durable> {
    return this.call("member.add", { users: [...users] }, c);
  }

  removeMember(c: string, user: string): Promise<Durable> {
    return this.call("member.remove", { user }, c);
  }

  setRole(c: string, user: string, role: CommandPayloads["member.set_role"]["role"]) {
    return this.call("member.set_role", { user, role }, c);
  }

  /** The last admin of others must `confirm`. */
  leave(c: string, confirm = false): Promise<Durable> {
    return this.call("conversation.leave", confirm ? { confirm } : {}, c);
  }

  /** The conversation as it stands at `seq`: the snapshot to which later events apply. */
  get(c: string): Promise<ConversationInfo> {
    return this.call("conversation.get", {}, c);
  }

  /** A page of the inbox; its `next` is the cursor of the following one. */
  conversations(page: PayloadOf<"conversation.list"> = {}): Promise<Results["conversation.list"]> {
    return this.call("conversation.list", page);
  }

  /** A page of messages, oldest first; without a cursor the newest. */
  history(c: string, page: PayloadOf<"message.history"> = {}): Promise<Page> {
    return this.call("message.history", page, c);
  }

  /** Replies in the thread under a message, oldest first. */
  thread(c: string, message: string, page: { after?: number; limit?: number } = {}): Promise<Page> {
    return this.call("thread.list", { message_id: message, ...page }, c);
  }

  search(query: PayloadOf<"message.search">): Promise<Results["message.search"]> {
    return this.call("message.search", query);
  }

  members(c: string, page: PayloadOf<"member.list"> = {}): Promise<Results["member.list"]> {
    return this.call("member.list", page, c);
  }

  presence(c: string): Promise<Results["presence.get"]> {
    return this.call("presence.get", { conversation: c });
  }

  /** Get typing, receipts and presence of `c`, also after a reconnect. */
  async subscribe(c: string): Promise<void> {
    await this.call("conversation.subscribe", {}, c);
  }

  async unsubscribe(c: string): Promise<void> {
    await this.call("conversation.unsubscribe", {}, c);
  }

  /** Repeat it while typing goes on; `Conversation.keystroke` does so. */
  async typing(c: string, on = true): Promise<void> {
    await this.call(on ? "typing.start" : "typing.stop", {}, c);
  }

  /** How one keeps this conversation: muted, pinned, archived, unread. */
  async prefer(c: string, preference: PayloadOf<"preference.set">): Promise<void> {
    await this.call("preference.set", preference, c);
  }

  /** Delete it from one's own inbox, with all that was said so far. */
  async hideConversation(c: string): Promise<void> {
    await this.call("conversation.hide", {}, c);
  }

  async acceptRequest(c: string): Promise<void> {
    await this.call("request.accept", {}, c);
  }

  async declineRequest(c: string): Promise<void> {
    await this.call("request.decline", {}, c);
  }

  async block(user: string): Promise<void> {
    await this.call("user.block", { user });
  }

  async restrict(user: string): Promise<void> {
    await this.call("user.restrict", { user });
  }

  async unblock(user: string): Promise<void> {
    await this.call("user.unblock", { user });
  }
}

type Given<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

/** Without what is undefined. */
function given<T extends object>(fields: T): Given<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<T>;
}
