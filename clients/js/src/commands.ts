/** What a client says in conversations, as methods: one line each over `call`, so that editors
 * complete them. What is its user's own is in `OwnCommands`. */

import { given, type PayloadOf, type ResultOf } from "./calling.js";
import type { CommandPayloads } from "./generated.js";
import type { Outgoing } from "./outgoing.js";
import { OwnCommands } from "./own-commands.js";
import type { ConversationInfo, Durable, Page } from "./wire.js";

/** What a message says besides its text. */
export type MessageOptions = Omit<CommandPayloads["message.send"], "text" | "to" | "attempt">;

/** `c` is a conversation's id, `message` a message's. See `Client.call` for what they reject with.
 * Lists continue as docs/protocol.md says: from `next`, or from the last thing they gave. */
export abstract class Commands extends OwnCommands {
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

  /** A copy of a message of `c` to the conversation `to`. */
  forward(c: string, message: string, to: string, clientId?: string): Promise<Durable> {
    return this.call("message.forward", given({ message_id: message, to, client_id: clientId }), c);
  }

  /** Put `emoji` on a message, or take one's own off. */
  react(c: string, message: string, emoji: string, on = true): Promise<Durable> {
    return this.call("reaction.set", { message_id: message, emoji, on }, c);
  }

  /** Vote for an option of a poll; null takes the vote back. */
  vote(c: string, message: string, option: number | null): Promise<Durable> {
    return this.call("poll.vote", { message_id: message, option }, c);
  }

  /** A text that the product suggests, with its gaps filled. */
  sendTemplate(
    c: string,
    template: string,
    variables?: Record<string, string>,
    clientId?: string,
  ): Promise<Durable> {
    return this.call("template.send", given({ template, variables, client_id: clientId }), c);
  }

  /** The texts that the product suggests, with the names of their gaps. */
  templates(): Promise<ResultOf<"template.list">> {
    return this.call("template.list");
  }

  pin(c: string, message: string): Promise<Durable> {
    return this.call("message.pin", { message_id: message }, c);
  }

  unpin(c: string, message: string): Promise<Durable> {
    return this.call("message.unpin", { message_id: message }, c);
  }

  /** What is pinned; `before` is a seq. */
  pins(c: string, page: PayloadOf<"pin.list"> = {}): Promise<Page> {
    return this.call("pin.list", page, c);
  }

  /** Move the read mark up to `seq`, or to the end, at once; `Conversation.markRead` gathers. */
  read(c: string, seq?: number): Promise<ResultOf<"message.read">> {
    return this.call("message.read", seq === undefined ? {} : { seq }, c);
  }

  /** Who has read a message, and when. */
  readers(
    c: string,
    message: string,
    after?: string,
    limit?: number,
  ): Promise<ResultOf<"message.readers">> {
    return this.call("message.readers", given({ message_id: message, after, limit }), c);
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

  /** Nobody writes there until then (ms since 1970), or for good. */
  lock(c: string, until?: number): Promise<Durable> {
    return this.call("conversation.lock", given({ until }), c);
  }

  unlock(c: string): Promise<Durable> {
    return this.call("conversation.unlock", {}, c);
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

  /** A page of messages, oldest first; without a cursor the newest. */
  history(
    c: string,
    page: PayloadOf<"message.history"> = {},
  ): Promise<ResultOf<"message.history">> {
    return this.call("message.history", page, c);
  }

  /** Replies in the thread under a message, oldest first. */
  thread(c: string, message: string, page: { after?: number; limit?: number } = {}): Promise<Page> {
    return this.call("thread.list", { message_id: message, ...page }, c);
  }

  /** Messages with attachments, newest first; `before` is a seq. */
  media(c: string, page: PayloadOf<"media.list"> = {}): Promise<Page> {
    return this.call("media.list", page, c);
  }

  /** Addresses to load a message's attachments from. */
  attachments(c: string, message: string): Promise<ResultOf<"attachment.list">> {
    return this.call("attachment.list", { message_id: message }, c);
  }

  /** What a message said before it was edited, where the product shows it. */
  versions(c: string, message: string): Promise<ResultOf<"message.versions">> {
    return this.call("message.versions", { message_id: message }, c);
  }

  members(c: string, page: PayloadOf<"member.list"> = {}): Promise<ResultOf<"member.list">> {
    return this.call("member.list", page, c);
  }

  presence(c: string): Promise<ResultOf<"presence.get">> {
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
  async typing(c: string, on = true, thread?: string): Promise<void> {
    await this.call(on ? "typing.start" : "typing.stop", given({ thread }), c);
  }
}
