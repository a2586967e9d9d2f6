import assert from "node:assert/strict";
import { test } from "node:test";
import { Rejected, type Client } from "../src/index.js";
import { Messages } from "../src/names/tutoring.js";
import { row, sent, Server, type Peer } from "./support/server.js";

const users = {
  ann: { email: "ann@example.org", role: "student" },
  bob: { email: "bob@example.org", role: "tutor" },
};
const at = new Date(1_700_000_000_000).toISOString();
const said = (id: string, by: string, more: object = {}) => ({
  ...{ id, seq: 5, ts: 1_700_000_000_000, kind: "message.sent", by, number: 4, text: "Hello" },
  ...more,
});
const info = {
  c: "c",
  context: { booking: "100" },
  members: { ann: { role: "member", read: { seq: 3, at: 1 } }, bob: { role: "member" } },
  users,
};
const message = {
  id: "m5",
  sender_id: "bob",
  sender_email: "bob@example.org",
  sender_role: "tutor",
  recipient_id: "ann",
  recipient_email: "ann@example.org",
  recipient_role: "student",
  booking_id: "100",
  message: "Hello",
  is_read: false,
  is_edited: false,
  read_at: null,
  edited_at: null,
  created_at: at,
  updated_at: at,
};

async function begun(): Promise<[Messages, Peer, Client]> {
  const [client, peer] = await new Server().online({ ackEvery: null });
  return [new Messages(client), peer, client];
}

/** It looks for the thread about booking 100, and finds `c`, on the second page. */
async function found(peer: Peer): Promise<void> {
  const first = await peer.expect("conversation.list");
  assert.deepEqual(first.d, { text: "bob", limit: 200, context: { booking: "100" } });
  const like = { kind: "direct", members: ["ann", "bobby"], context: { booking: "100" } };
  await peer.reply(first, { conversations: [row(1, 2, { c: "d", ...like })], next: "2" });
  const second = await peer.expect("conversation.list");
  assert.equal(second.d.cursor, "2");
  const it = { kind: "direct", members: ["ann", "bob"], context: { booking: "100" } };
  await peer.reply(second, { conversations: [row(1, 5, it)], next: null });
}

test("CLI-14 send, which begins the thread", async () => {
  const [messages, peer, client] = await begun();
  const answer = messages.send(50, "555-1234", 100);
  const asked = await peer.expect("message.send");
  const { client_id, ...rest } = asked.d;
  assert.deepEqual(rest, { to: "50", text: "555-1234", context: { booking: "100" } });
  await peer.say(sent(2, "***-****", { id: "m2", by: "ann", client_id }));
  await peer.reply(asked, { c: "c", seq: 2, id: "m2", ts: 1_700_000_000_000 });
  assert.deepEqual(await answer, {
    id: "m2",
    sender_id: "ann",
    recipient_id: "50",
    booking_id: "100",
    message: "***-****",
    is_read: false,
    is_edited: false,
    read_at: null,
    edited_at: null,
    created_at: at,
    updated_at: at,
  });
  await client.close();
});

test("CLI-14 listThreads", async () => {
  const [messages, peer, client] = await begun();
  const answer = messages.listThreads(100);
  const asked = await peer.expect("conversation.list");
  assert.deepEqual(asked.d, { limit: 100 });
  const two = { kind: "direct", members: ["ann", "bob"] };
  const last = { id: "m5", seq: 5, by: "bob", ts: 1_700_000_000_000, text: "Tuesday?" };
  const conversations = [
    row(1, 5, { ...two, last, unread: 2, context: { booking: "100" } }),
    row(1, 1, { ...two, c: "d", context: {} }),
  ];
  await peer.reply(asked, { conversations, next: null, unread: 2, users });
  assert.deepEqual(await answer, [
    {
      other_user_id: "bob",
      other_user_email: "bob@example.org",
      other_user_role: "tutor",
      booking_id: "100",
      last_message: "Tuesday?",
      last_message_time: at,
      last_sender_id: "bob",
      unread_count: 2,
    },
  ]);
  await client.close();
});

test("CLI-14 getThreadMessages", async () => {
  const [messages, peer, client] = await begun();
  const answer = messages.getThreadMessages("bob", "100", 2, 10);
  await found(peer);
  await peer.reply(await peer.expect("conversation.get"), info);
  const asked = await peer.expect("message.history");
  assert.deepEqual([asked.c, asked.d], ["c", { page: 2, limit: 10 }]);
  const page = [
    said("m2", "bob", { seq: 2, edited_at: 1_700_000_001_000, text: "Bye" }),
    said("m3", "bob", { seq: 4, redacted: true }),
    said("m5", "bob"),
  ];
  const told = { more: false, seq: 5, page: 2, limit: 10, total: 13, total_pages: 2 };
  await peer.reply(asked, { messages: page, ...told });
  const edited = new Date(1_700_000_001_000).toISOString();
  const first = { ...message, id: "m2", message: "Bye", is_read: true };
  const changed = { is_edited: true, edited_at: edited, updated_at: edited };
  assert.deepEqual(await answer, {
    messages: [{ ...first, ...changed, read_at: new Date(1).toISOString() }, message],
    total: 13,
    page: 2,
    page_size: 10,
    total_pages: 2,
  });
  await client.close();
});

test("CLI-14 a thread that there is not is empty, and looking makes none", async () => {
  const [messages, peer, client] = await begun();
  const answer = messages.getThreadMessages("bob");
  const about = { kind: "direct", members: ["ann", "bob"], context: { booking: "100" } };
  await peer.reply(await peer.expect("conversation.list"), {
    conversations: [row(1, 5, about)],
    next: null,
  });
  const empty = { messages: [], total: 0, page: 1, page_size: 50, total_pages: 0 };
  assert.deepEqual(await answer, empty);
  await client.close();
});

test("CLI-14 searchMessages", async () => {
  const [messages, peer, client] = await begun();
  const answer = messages.searchMessages("calculus", 1, 20);
  const asked = await peer.expect("message.search");
  assert.deepEqual(asked.d, { query: "calculus", page: 1, limit: 20 });
  const hits = [said("m5", "bob", { c: "c" }), said("m4", "ann", { c: "c", seq: 4 })];
  await peer.reply(asked, { hits, page: 1, limit: 20, total: 2, total_pages: 1, users });
  await peer.reply(await peer.expect("conversation.get"), info);
  const { messages: shown, ...page } = await answer;
  assert.deepEqual(page, { total: 2, page: 1, page_size: 20, total_pages: 1 });
  assert.deepEqual(shown[0], message);
  assert.deepEqual([shown[1]!.sender_id, shown[1]!.recipient_id], ["ann", "bob"]);
  assert.deepEqual(await peer.rest(), [], "one question for each conversation");
  await client.close();
});

test("CLI-14 markRead, editMessage and deleteMessage, of what was told", async () => {
  const [messages, peer, client] = await begun();
  await peer.push(5, "Hello");
  const read = messages.markRead("m5");
  const marked = await peer.expect("message.read");
  assert.deepEqual([marked.c, marked.d], ["c", { message_ids: ["m5"] }]);
  await peer.reply(marked, { seq: 5, at: 1, unread: 0 });
  await read;

  const edited = messages.editMessage("m5", "Bye");
  const asked = await peer.expect("message.edit");
  assert.deepEqual([asked.c, asked.d.message_id, asked.d.text], ["c", "m5", "Bye"]);
  await peer.reply(asked, { c: "c", seq: 6, id: "e6", ts: 1 });
  await peer.reply(await peer.expect("conversation.get"), info);
  const around = await peer.expect("message.history");
  assert.deepEqual(around.d, { around: "m5", limit: 1 });
  await peer.reply(around, { messages: [said("m5", "bob", { text: "Bye" })], more: false, seq: 6 });
  assert.deepEqual(await edited, { ...message, message: "Bye" });

  const deleted = messages.deleteMessage("m5");
  const gone = await peer.expect("message.delete");
  assert.deepEqual([gone.c, gone.d.message_id], ["c", "m5"]);
  await peer.reply(gone, { c: "c", seq: 7, id: "e7", ts: 1 });
  await deleted;
  await assert.rejects(messages.markRead("another"), (error) => {
    assert.ok(error instanceof Rejected);
    assert.equal(error.code, "MESSAGE_NOT_FOUND");
    return true;
  });
  await client.close();
});

test("CLI-14 markThreadRead", async () => {
  const [messages, peer, client] = await begun();
  const done = messages.markThreadRead("bob", "100");
  await found(peer);
  const asked = await peer.expect("message.read");
  assert.deepEqual([asked.c, asked.d], ["c", {}]);
  await peer.reply(asked, { seq: 5, at: 1, unread: 0 });
  await done;
  await client.close();
});
