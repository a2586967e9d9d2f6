/** The examples of the products' own pages, as they stand there. */

import assert from "node:assert/strict";
import { ChatClient, type ChatMessage } from "../../src/names/stayeasy.js";
import { Messages } from "../../src/names/tutoring.js";
import { pair, until, type World } from "./world.js";

export async function tutoring_s_own_page(world: World): Promise<void> {
  const [ann, bob] = await pair(world);
  const [messages, theirs] = [new Messages(ann.client), new Messages(bob.client)];
  const [recipientId, otherUserId] = [bob.client.user!, bob.client.user!];
  const [bookingId, page, pageSize] = [100, 1, 50];

  const message = await messages.send(recipientId, "I like calculus", bookingId);
  assert.equal(message.booking_id, "100");
  await messages.send(recipientId, "about nothing");
  const threads = await messages.listThreads(100);
  assert.deepEqual(
    threads.map((each) => [each.other_user_id, each.booking_id, each.last_message]),
    [
      [otherUserId, null, "about nothing"],
      [otherUserId, "100", "I like calculus"],
    ],
  );
  const result = await messages.getThreadMessages(otherUserId, bookingId, page, pageSize);
  assert.deepEqual(result, { messages: [message], total: 1, page, page_size: 50, total_pages: 1 });

  const [, thread] = await theirs.listThreads(100);
  assert.deepEqual([thread!.booking_id, thread!.unread_count], ["100", 1]);
  const [there] = (await theirs.getThreadMessages(ann.client.user!, bookingId)).messages;
  assert.equal(there!.is_read, false);
  await theirs.markRead(there!.id);
  await theirs.markThreadRead(ann.client.user!);
  assert.deepEqual(
    (await theirs.listThreads()).map((each) => each.unread_count),
    [0, 0],
  );
  const [read] = (await messages.getThreadMessages(otherUserId, bookingId)).messages;
  assert.equal(read!.is_read, true);

  const updated = await messages.editMessage(message.id, "I like algebra");
  assert.deepEqual([updated.message, updated.is_edited], ["I like algebra", true]);
  const query = "algebra";
  while ((await messages.searchMessages(query, 1, 20)).total === 0); // it is filled behind
  const results = await messages.searchMessages(query, 1, 20);
  assert.deepEqual(results.messages, [updated]);
  await messages.deleteMessage(message.id);
  assert.deepEqual((await messages.getThreadMessages(otherUserId, bookingId)).messages, []);
}

export async function stayeasy_s_own_page(world: World): Promise<void> {
  const [guest, owner, chatId] = await pair(world);
  const authToken = world.token(guest.client.user!);
  const chatClient = new ChatClient(world.url, authToken, { socket: guest.socket });

  await chatClient.connect();
  chatClient.joinChat(chatId);
  const heard: ChatMessage[] = [];
  chatClient.on("message", (message) => heard.push(message));
  const result = await chatClient.sendMessage({ chatId, content: "Hello!", propertyId: "p9" });
  await owner.client.send(chatId, "Hello yourself!");
  await until("an answer", () => heard.length === 2);
  assert.deepEqual(
    heard.map(({ id, senderId, propertyId, content }) => [id, senderId, propertyId, content]),
    [
      [result.messageId, guest.client.user, "p9", "Hello!"],
      [heard[1]!.id, owner.client.user, null, "Hello yourself!"],
    ],
  );
  const { messages, pagination } = await chatClient.fetchMessages(chatId, { page: 1, limit: 1 });
  assert.deepEqual(
    messages.map(({ content, recipientId }) => [content, recipientId]),
    [["Hello yourself!", guest.client.user]],
  );
  assert.deepEqual(pagination, { page: 1, limit: 1, total: 2, totalPages: 2, hasMore: true });
  const before = new Date(result.timestamp.getTime() + 1);
  const earlier = await chatClient.fetchMessages(chatId, { before });
  assert.equal(earlier.messages[0]!.content, "Hello!");
  await chatClient.client.close();
}
