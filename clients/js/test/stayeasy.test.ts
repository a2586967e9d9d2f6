import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore, ReconnectFailed } from "../src/index.js";
import { ChatClient, type ChatMessage } from "../src/names/stayeasy.js";
import { settled } from "./support/clock.js";
import { sent, Server, type Peer } from "./support/server.js";

const users = { ann: { name: "Ann", role: "guest" }, bob: { name: "Bob", role: "owner" } };
const info = {
  c: "c",
  context: {},
  members: { ann: { role: "member" }, bob: { role: "member", read: { seq: 2, at: 1 } } },
  users,
};

function chat(server: Server): ChatClient {
  const { clock, socket } = server;
  const given = { clock, socket, random: () => 1, store: new MemoryStore(), ackEvery: null };
  return new ChatClient("http://test", "token", given);
}

async function connected(): Promise<[ChatClient, Peer, Server]> {
  const server = new Server();
  const client = chat(server);
  const done = client.connect();
  const peer = await server.peer();
  await peer.welcome();
  await done;
  return [client, peer, server];
}

/** One after another it hears the messages of `c`. */
async function joined(client: ChatClient, peer: Peer): Promise<ChatMessage[]> {
  const heard: ChatMessage[] = [];
  client.on("message", (message) => heard.push(message));
  const done = client.joinChat("c");
  await peer.reply(await peer.expect("conversation.get"), info);
  await peer.reply(await peer.expect("conversation.subscribe"));
  await done;
  return heard;
}

test("CLI-14 connect, which gives up after five more attempts", async () => {
  const server = new Server();
  server.down = true;
  const client = chat(server);
  const states: string[] = [];
  for (const state of ["connecting", "connected", "disconnected", "reconnect_failed"] as const) {
    client.on(state, () => states.push(state));
  }
  const failed = assert.rejects(client.connect(), ReconnectFailed);
  await server.clock.advance(60_000);
  await failed;
  assert.deepEqual(server.attempts, [0, 1_000, 3_000, 6_000, 10_000, 15_000]);
  assert.deepEqual(states.slice(0, 3), ["connecting", "disconnected", "connecting"]);
  assert.equal(states.at(-1), "reconnect_failed");
  await client.client.close();
});

test("CLI-14 sendMessage, kept until there is a connection", async () => {
  const server = new Server();
  const client = chat(server);
  const answer = client.sendMessage({
    chatId: "c",
    content: "Hello!",
    propertyId: "p9",
    attachments: [{ url: "https://example.com/file.jpg", type: "image" }],
  });
  await settled();
  assert.equal(client.client.outbox.waiting.length, 1);
  void client.connect();
  const peer = await server.peer();
  await peer.welcome();
  const asked = await peer.expect("message.send");
  const { client_id: _, ...said } = asked.d;
  assert.deepEqual([asked.c, said], [
    "c",
    {
      text: "Hello!",
      context: { property: "p9" },
      attachments: [{ url: "https://example.com/file.jpg", type: "image" }],
    },
  ]);
  await peer.reply(asked, { c: "c", seq: 2, id: "m2", ts: 5 });
  assert.deepEqual(await answer, { messageId: "m2", chatId: "c", timestamp: new Date(5) });
  await client.client.close();
});

test("CLI-14 joinChat, and on: messages of the chats that were joined", async () => {
  const [client, peer] = await connected();
  await peer.push(1);
  const heard = await joined(client, peer);
  const context = { property: "p9" };
  await peer.say(sent(2, "Hello!", { context }), sent(1, "elsewhere", {}, "d"));
  assert.deepEqual(heard, [
    {
      id: "m2",
      chatId: "c",
      senderId: "bob",
      recipientId: "ann",
      propertyId: "p9",
      content: "Hello!",
      createdAt: new Date(1002).toISOString(),
      readAt: null,
      sender: { id: "bob", name: "Bob", role: "owner" },
      recipient: { id: "ann", name: "Ann", role: "guest" },
      files: [],
    },
  ]);
  const left = client.leaveChat("c");
  await peer.reply(await peer.expect("conversation.unsubscribe"));
  await left;
  await peer.push(3);
  assert.equal(heard.length, 1);
  await client.client.close();
});

test("CLI-14 a chat that cannot be joined fails only those who wait for it", async () => {
  const [client, peer] = await connected();
  void client.joinChat("c");
  await peer.refuse(await peer.expect("conversation.get"), "CONVERSATION_NOT_FOUND");
  await settled();
  const again = assert.rejects(client.joinChat("c"));
  await peer.rest();
  await client.client.close();
  await again;
});

test("CLI-14 fetchMessages", async () => {
  const [client, peer] = await connected();
  const before = new Date(1_700_000_000_000);
  const answer = client.fetchMessages("c", { page: 1, limit: 2, before });
  await peer.reply(await peer.expect("conversation.get"), info);
  const asked = await peer.expect("message.history");
  assert.deepEqual([asked.c, asked.d], ["c", { page: 1, limit: 2, before_time: before.getTime() }]);
  const said = { ts: 5, kind: "message.sent", number: 1, text: "Hello!" };
  const files = [{ type: "image", url: "https://example.com/file.jpg" }];
  const messages = [
    { ...said, id: "m2", seq: 2, by: "ann", attachments: files },
    { ...said, id: "m3", seq: 3, by: "ann" },
  ];
  const told = { more: true, seq: 3, page: 1, limit: 2, total: 3, total_pages: 2 };
  await peer.reply(asked, { messages, ...told });
  const page = await answer;
  assert.deepEqual(page.pagination, { page: 1, limit: 2, total: 3, totalPages: 2, hasMore: true });
  assert.deepEqual(
    page.messages.map(({ id, recipientId, readAt }) => [id, recipientId, readAt]),
    [
      ["m2", "bob", new Date(1).toISOString()],
      ["m3", "bob", null],
    ],
  );
  assert.deepEqual(page.messages[0]!.files, files);
  await client.client.close();
});
