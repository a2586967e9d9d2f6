/** What a client says of what is its user's own, as methods. */

import { Calling, type PayloadOf, type ResultOf } from "./calling.js";

/** See `Commands`. Changes here hold on all devices of the user, and nobody else sees them. */
export abstract class OwnCommands extends Calling {
  /** A page of the inbox; its `next` is the cursor of the following one. */
  conversations(
    page: PayloadOf<"conversation.list"> = {},
  ): Promise<ResultOf<"conversation.list">> {
    return this.call("conversation.list", page);
  }

  /** How one keeps this conversation: muted, pinned, archived, unread. */
  async prefer(c: string, preference: PayloadOf<"preference.set">): Promise<void> {
    await this.call("preference.set", preference, c);
  }

  /** Delete it from one's own inbox, with all that was said so far. */
  async hideConversation(c: string): Promise<void> {
    await this.call("conversation.hide", {}, c);
  }

  /** Delete a message for oneself. */
  async hide(c: string, message: string): Promise<void> {
    await this.call("message.hide", { message_id: message }, c);
  }

  async star(c: string, message: string, on = true): Promise<void> {
    await this.call(on ? "message.star" : "message.unstar", { message_id: message }, c);
  }

  /** One's starred messages; `before` is the `next` of the page before. */
  stars(page: PayloadOf<"star.list"> = {}): Promise<ResultOf<"star.list">> {
    return this.call("star.list", page);
  }

  /** What one has begun to write; an empty text lets it go. `Conversation.draft` does so. */
  async saveDraft(c: string, text: string, options: { reply_to?: string } = {}): Promise<void> {
    await this.call("draft.save", { text, ...options }, c);
  }

  /** `message` is what `message.send` would get, at `sendAt` (ms since 1970). `id` is the caller's
   * name for it: said again, it is another message or time. */
  async schedule(
    c: string,
    id: string,
    sendAt: number,
    message: PayloadOf<"message.send">,
  ): Promise<void> {
    await this.call("message.schedule", { id, send_at: sendAt, message }, c);
  }

  async cancelScheduled(id: string): Promise<void> {
    await this.call("schedule.cancel", { id });
  }

  /** One's messages for later, the earliest first; `after` is the `next` of a page. */
  scheduled(page: PayloadOf<"schedule.list"> = {}): Promise<ResultOf<"schedule.list">> {
    return this.call("schedule.list", page);
  }

  settings(): Promise<ResultOf<"settings.get">> {
    return this.call("settings.get");
  }

  /** What is not given stays as it is. */
  async setSettings(settings: PayloadOf<"settings.set">): Promise<void> {
    await this.call("settings.set", settings);
  }

  /** Messages of one's conversations that match; `page` counts from 1. */
  search(query: PayloadOf<"message.search">): Promise<ResultOf<"message.search">> {
    return this.call("message.search", query);
  }

  /** What may be seen of them; who is not there is left out. `people` asks by itself. */
  users(users: readonly string[]): Promise<ResultOf<"user.get">> {
    return this.call("user.get", { users: [...users] });
  }

  /** Users to write to. */
  searchUsers(text: string, options: { limit?: number } = {}): Promise<ResultOf<"user.search">> {
    return this.call("user.search", { text, ...options });
  }

  /** Who is online of those with whom one shares a conversation. */
  online(page: PayloadOf<"presence.list"> = {}): Promise<ResultOf<"presence.list">> {
    return this.call("presence.list", page);
  }

  async acceptRequest(c: string): Promise<void> {
    await this.call("request.accept", {}, c);
  }

  async declineRequest(c: string): Promise<void> {
    await this.call("request.decline", {}, c);
  }

  /** Nothing passes between the two any more, but inside groups. */
  async block(user: string): Promise<void> {
    await this.call("user.block", { user });
  }

  /** What they say to one does not arrive; one may still write to them. */
  async restrict(user: string): Promise<void> {
    await this.call("user.restrict", { user });
  }

  /** Neither blocked nor restricted any more. */
  async unblock(user: string): Promise<void> {
    await this.call("user.unblock", { user });
  }

  /** Whom one keeps out, by pages in order of user id. */
  blocks(page: PayloadOf<"block.list"> = {}): Promise<ResultOf<"block.list">> {
    return this.call("block.list", page);
  }
}
