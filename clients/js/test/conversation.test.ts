import assert from "node:assert/strict";
import { test } from "node:test";
import type { Conversation } from "../src/index.js";
import { settled } from "./support/clock.js";
import { info, load, message, opened } from "./support/room.js";
import { sent, Server } from "./support/server.js";

const texts = (room: Conversation) => room.messages.map((each) => each.text ?? null);
const statuses = (room: Conversation) => room.messages.map((each) => each.status);

test("it loads by itself, and what happens meanwhile is on top", async () => {
  const server = new Server();
  const [client, peer] = await server.online({ ackEvery: null });
  const room = client.conversation("c");
  assert.equal(room.phase, "loading");
  const asked = [await peer.item(), await peer.item(), await peer.item()];
  await peer.reply(asked[1]!, info(2));
  const renamed = {
    t: "conversation.renamed",
    c: "c",
    seq: 3,
    ts: 3,
    d: { id: "e3", title: "New" },
  };
  await peer.say(renamed, sent(4));
  const edit = {
    id: "e5",
    by: "bob",
    message_id: "m2",
    message_seq: 2,
    text: "edited",
    version: 2,
  };
  await peer.say({ t: "message.edited", c: "c", seq: 5, ts: 5, d: edit });
  await peer.reply(asked[0]!);
  // The page is as of an earlier time than what was told.
  await peer.reply(asked[2]!, { messages: [message(1), message(2)], more: false, seq: 3 });
  assert.equal(room.phase, "ready");
  assert.deepEqual(texts(room), ["text 1", "edited", "text 4"]);
  assert.equal(room.info!.title, "New");
  await client.close();
});

test("events make of the messages what a fresh page would say", async () => {
  const [, client, peer, room] = await opened([message(1), message(2), message(3)], info(3));
  let seq = 3;
  const say = (t: string, at: number, d: object) =>
    peer.say({
      ...{ t, c: "c", seq: ++seq, ts: 9 },
      d: { id: `e${seq}`, by: "bob", message_id: `m${at}`, message_seq: at, ...d },
    });
  await say("message.edited", 1, { text: "anew", version: 2, mentions: ["ann"] });
  await say("message.pinned", 1, {});
  await say("reaction.changed", 2, { emoji: "👍", on: true, count: 1 });
  await say("reaction.changed", 2, { emoji: "👍", on: true, count: 2, by: "ann" });
  await say("message.forwarded", 2, { count: 3, own: 1 });
  await say("thread.replied", 2, { count: 1 });
  await say("poll.voted", 3, { tally: [1, 0], option: 0 });
  await say("message.deleted", 3, { counted: true });
  const [first, second, third] = room.messages as any[];
  const { text, version, mentions, edited_at, pinned } = first;
  assert.deepEqual(
    { text, version, mentions, edited_at, pinned },
    {
      ...{ text: "anew", version: 2, mentions: ["ann"], edited_at: 9, pinned: true },
    },
  );
  assert.deepEqual([second.reactions, second.reacted, second.forwards], [{ "👍": 2 }, ["👍"], 3]);
  assert.deepEqual(second.thread, { count: 1, last: { seq: 10, ts: 9, by: "bob" } });
  assert.deepEqual(third, {
    ...{ id: "m3", seq: 3, ts: 1003, kind: "message.sent", by: "bob", number: 3 },
    ...{ deleted_at: 9, redacted: true },
  });
  assert.deepEqual(room.info!.pins, { m1: 1 });
  await say("message.restored", 3, {
    counted: true,
    text: "back",
    rest: { type: "poll", mentions: null },
  });
  assert.deepEqual([room.messages[2]!.text, room.messages[2]!["type"]], ["back", "poll"]);
  assert.ok(!("deleted_at" in room.messages[2]!));
  await say("reaction.changed", 2, { emoji: "👍", on: false, count: 1, by: "ann" });
  assert.deepEqual([room.messages[1]!.reactions, room.messages[1]!.reacted], [{ "👍": 1 }, []]);
  await say("reaction.changed", 2, { emoji: "👍", on: false, count: 0 });
  assert.ok(!("reactions" in room.messages[1]!), "as history serves it");
  await say("message.unpinned", 1, {});
  await say("message.deleted", 2, { counted: true, reason: "expired" });
  assert.deepEqual(
    room.messages.map((each) => each.id),
    ["m1", "m3"],
  );
  await client.close();
});

test("a quotation says what the quoted message says", async () => {
  const quote = { reply_to: { id: "m1", seq: 1 }, preview: { by: "bob", text: "text 1" } };
  const [, client, peer, room] = await opened([message(1), message(2, quote)]);
  const change = { id: "e", by: "bob", message_id: "m1", message_seq: 1 };
  const edited = { ...change, text: "anew", version: 2 };
  await peer.say({ t: "message.edited", c: "c", seq: 3, ts: 3, d: edited });
  assert.equal(room.messages[1]!.preview!.text, "anew");
  await peer.say({ t: "message.deleted", c: "c", seq: 4, ts: 4, d: { ...change, counted: true } });
  assert.deepEqual(room.messages[1]!.preview, { unavailable: true });
  await client.close();
});

test("CLI-04 SEND-12 sending, sent, delivered, read", async () => {
  const [, client, peer, room] = await opened([]);
  room.send("hello");
  assert.deepEqual([texts(room), statuses(room)], [["hello"], ["sending"]]);
  const item = await peer.expect("message.send");
  await peer.say(sent(3, "hello", { by: "ann", client_id: item.d.client_id }));
  assert.deepEqual([texts(room), statuses(room)], [["hello"], ["sending"]]);
  await peer.reply(item, { c: "c", seq: 3, id: "m3", ts: 1003 });
  assert.deepEqual(statuses(room), ["sent"]);
  const told = (t: string) => peer.say({ t, c: "c", ts: 1, d: { by: "bob", seq: 3, at: 1 } });
  await told("message.delivered");
  assert.deepEqual(statuses(room), ["delivered"]);
  await told("message.read");
  assert.deepEqual(statuses(room), ["read"]);
  assert.deepEqual(room.whoHas(room.messages[0]!), ["bob"]);
  await client.close();
});

test("CLI-04 a message that failed can be retried, as the same one, or discarded", async () => {
  const [, client, peer, room] = await opened([]);
  room.send("hello");
  const first = await peer.expect("message.send");
  await peer.refuse(first, "CONVERSATION_LOCKED");
  assert.deepEqual(statuses(room), ["failed"]);
  assert.match(room.messages[0]!.error!.message, /locked/);
  room.retry(room.messages[0]!);
  assert.deepEqual(statuses(room), ["sending"]);
  const second = await peer.expect("message.send");
  assert.deepEqual(second.d, { ...first.d, attempt: 2 });
  await peer.refuse(second, "CONVERSATION_LOCKED");
  room.discard(room.messages[0]!);
  assert.deepEqual(room.messages, []);
  await client.close();
});

test("what was answered without its event has its place from the answer", async () => {
  const [, client, peer, room] = await opened([message(1)], info(1));
  room.send("hello");
  const item = await peer.expect("message.send");
  await peer.reply(item, { c: "c", seq: 2, id: "m2", ts: 1002 });
  assert.deepEqual(
    room.messages.map(({ id, status }) => [id, status]),
    [
      ["m1", undefined],
      ["m2", "sent"],
    ],
  );
  await peer.say(sent(2, "hello", { by: "ann", client_id: item.d.client_id }));
  assert.equal(room.messages.length, 2);
  await client.close();
});

test("what an earlier page left in the outbox is shown", async () => {
  const server = new Server();
  const client = server.client();
  await client.enqueue("c", "from before");
  await client.enqueue("d", "elsewhere");
  const room = client.conversation("c");
  assert.deepEqual([texts(room), statuses(room)], [["from before"], ["sending"]]);
  await client.close();
});

test("CLI-07 older messages are loaded when asked for", async () => {
  const server = new Server();
  const [client, peer] = await server.online({ ackEvery: null });
  const room = client.conversation("c", { limit: 2 });
  await load(peer, info(6), [message(5), message(6)], true);
  assert.ok(room.more);
  const loading = [room.loadOlder(), room.loadOlder()];
  const asked = await peer.expect("message.history");
  assert.deepEqual(asked.d, { before: 5, limit: 2 });
  await peer.reply(asked, { messages: [message(3), message(4)], more: false, seq: 6 });
  await Promise.all(loading);
  assert.deepEqual(await peer.rest(), [], "once at a time");
  assert.deepEqual(
    room.messages.map((each) => each.seq),
    [3, 4, 5, 6],
  );
  assert.ok(!room.more);
  await client.close();
});

test("CLI-05 what the server never stored is gone, and the rest loaded anew", async () => {
  const [server, client, peer, room] = await opened([message(1), message(2)]);
  await peer.push(3);
  await peer.drop();
  await server.clock.advance(1_000);
  const next = await server.peer();
  const hello = await next.expect("hello");
  await next.say({ t: "welcome", id: hello.id!, d: { user: "ann", heartbeat: 30 } });
  const rest = await next.rest();
  const named = (name: string) => rest.find((item) => item.t === name)!;
  await next.refuse(named("presence.get"), "FEATURE_DISABLED");
  await next.reply(named("conversation.subscribe"));
  await next.reply(named("sync.changes"), { conversations: [], cursor: "2" });
  const resume = await next.expect("conversation.resume");
  const answer = { recovered: false, epoch: 2, seq: 2, reason: "diverged", reload_after: 2 };
  await next.reply(resume, answer);
  assert.deepEqual(texts(room), ["text 1", "text 2"]);
  await load(next, info(3, { epoch: 2 }), [message(1), message(2), message(3, { text: "other" })]);
  assert.deepEqual(texts(room), ["text 1", "text 2", "other"]);
  await client.close();
});

test("what the server lost before it replied is being sent again, and shown once", async () => {
  const [server, client, peer, room] = await opened();
  room.send("hello");
  const first = await peer.expect("message.send");
  const said = { by: "ann", client_id: first.d.client_id };
  await peer.say(sent(3, "hello", said));
  await peer.drop();
  await server.clock.advance(1_000);
  const next = await server.peer();
  const hello = await next.expect("hello");
  await next.say({ t: "welcome", id: hello.id!, d: { user: "ann", heartbeat: 30 } });
  const rest = await next.rest();
  const named = (name: string) => rest.find((item) => item.t === name)!;
  await next.refuse(named("presence.get"), "FEATURE_DISABLED");
  await next.reply(named("conversation.subscribe"));
  await next.reply(named("sync.changes"), { conversations: [], cursor: "2" });
  const resume = await next.expect("conversation.resume");
  assert.deepEqual([texts(room).at(-1), statuses(room).at(-1)], ["hello", "sending"]);
  const answer = { recovered: false, epoch: 2, seq: 2, reason: "diverged", reload_after: 2 };
  await next.reply(resume, answer);
  assert.deepEqual(texts(room), ["text 1", "text 2", "hello"], "it is on its way once more");
  assert.equal(room.messages[2]!.seq, Infinity);
  await next.say(sent(3, "hello", said));
  await load(next, info(3, { epoch: 2 }), [message(1), message(2), message(3, { text: "hello", by: "ann" })]);
  assert.deepEqual(texts(room), ["text 1", "text 2", "hello"]);
  assert.deepEqual(statuses(room), [undefined, undefined, "sending"]);
  await next.reply(named("message.send"), { c: "c", seq: 3, id: "m3", ts: 1003 });
  assert.deepEqual([texts(room).length, statuses(room).at(-1)], [3, "sent"]);
  await client.close();
});

test("a void takes a message back", async () => {
  const [, client, peer, room] = await opened();
  await peer.push(3);
  await peer.say({ t: "void", c: "c", seq: 3, d: { id: "v", of: "m3" } });
  assert.deepEqual(texts(room), ["text 1", "text 2"]);
  await client.close();
});

test("GRP-13 changes of the group are shown where that is wanted", async () => {
  const server = new Server();
  const [client, peer] = await server.online({ ackEvery: null });
  const room = client.conversation("c", { system: true });
  await load(peer, info(2), [message(2)]);
  const d = { id: "e3", by: "bob", users: ["cid"], role: "member" };
  await peer.say({ t: "member.added", c: "c", seq: 3, ts: 3, d });
  assert.deepEqual(
    room.messages.map((each) => each.kind),
    ["message.sent", "member.added"],
  );
  assert.equal(room.info!.member_count, 3);
  await client.close();
});

test("who leaves sees nothing more of it", async () => {
  const [, client, peer, room] = await opened();
  await peer.say({ t: "member.removed", c: "c", seq: 3, d: { id: "e", by: "bob", user: "ann" } });
  assert.equal(room.phase, "gone");
  await client.close();
});

test("what there is none of is gone, and says why", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const room = client.conversation("c");
  for (let n = 0; n < 3; n++) await peer.refuse(await peer.item(), "PERMISSION_DENIED");
  assert.equal(room.phase, "gone");
  assert.match(room.error!.message, /permission/);
  await client.close();
});

test("who types is shown until they stop, write, or were not heard of for long", async () => {
  const [server, client, peer, room] = await opened();
  const says = (t: string) => peer.say({ t, c: "c", ts: 1, d: { by: "bob" } });
  await says("typing.started");
  assert.deepEqual(room.typing, ["bob"]);
  await says("typing.stopped");
  assert.deepEqual(room.typing, []);
  await says("typing.started");
  await peer.push(3);
  assert.deepEqual(room.typing, []);
  await says("typing.started");
  await server.clock.advance(12_000);
  assert.deepEqual(room.typing, []);
  await client.close();
});

test("CLI-08 RCPT-13 ten keystrokes are one start, and it stops by itself", async () => {
  const [server, client, peer, room] = await opened();
  const said = async () => (await peer.rest()).map((item) => item.t);
  for (let n = 0; n < 10; n++) {
    room.keystroke();
    await server.clock.advance(100);
  }
  assert.deepEqual(await said(), ["typing.start"]);
  await server.clock.advance(5_000);
  assert.deepEqual(await said(), ["typing.start", "typing.stop"]);
  room.keystroke();
  room.send("quick");
  await server.clock.advance(1_000);
  assert.deepEqual(await said(), ["message.send"], "who sends at once was not seen typing");
  await client.close();
});

test("CLI-09 RCPT-09 reads are gathered for two seconds, or ten", async () => {
  const [server, client, peer, room] = await opened();
  const said = async () => (await peer.rest()).filter((item) => item.t === "message.read");
  await peer.push(3);
  room.markRead(room.messages[1]);
  room.markRead();
  await server.clock.advance(1_999);
  assert.deepEqual(await said(), []);
  await server.clock.advance(1);
  const [read] = await said();
  assert.deepEqual([read!.c, read!.d], ["c", { seq: 3 }]);
  for (let seq = 4; seq <= 13; seq++) {
    await peer.push(seq);
    room.markRead();
  }
  assert.deepEqual(
    (await said()).map((item) => item.d.seq),
    [13],
  );
  await client.close();
});

test("CLI-09 a mark that could not be told is told on the next connection", async () => {
  const [server, client, peer, room] = await opened();
  await peer.push(3);
  await peer.drop();
  room.markRead();
  await server.clock.advance(1_000);
  const next = await server.peer();
  await next.welcome();
  await server.clock.advance(2_000);
  assert.deepEqual((await next.rest()).find((item) => item.t === "message.read")!.d, { seq: 3 });
  await client.close();
});

test("CLI-10 what is seen is read", async () => {
  const [, client, peer, room] = await opened([message(1)], info(1, { unread: 1 }));
  assert.equal(room.unread, 1);
  room.active = true;
  assert.equal(room.unread, 0);
  await peer.push(2);
  void client.reads.flush();
  await settled();
  assert.equal((await peer.rest()).find((item) => item.t === "message.read")!.d.seq, 2);
  const unread = { total: 1, conversations: { c: 1 } };
  await peer.say({ t: "unread.changed", ts: 1, d: unread }); // the server did not know yet
  assert.equal(room.unread, 0);
  room.active = false;
  await peer.push(3);
  await peer.say({ t: "unread.changed", ts: 1, d: unread });
  assert.equal(room.unread, 1);
  await client.close();
});

test("CLI-11 a draft is saved every two seconds at most, and cleared by sending", async () => {
  const [server, client, peer, room] = await opened();
  room.draft.set("h");
  await server.clock.advance(1_000);
  room.draft.set("hello");
  assert.deepEqual(await peer.rest(), []);
  await server.clock.advance(1_000);
  const save = await peer.expect("draft.save");
  assert.equal(save.d.text, "hello");
  assert.ok(client.store.get("draft:c"), "until it is saved it is kept here");
  await peer.reply(save, { n: 1 });
  assert.equal(client.store.get("draft:c"), undefined);
  room.draft.set("hello you");
  room.send(room.draft.text);
  assert.equal(room.draft.text, "");
  await server.clock.advance(5_000);
  assert.deepEqual(
    (await peer.rest()).map((item) => item.t),
    ["message.send"],
  );
  await client.close();
});

test("CLI-11 a draft of another device is followed, one's own comes first", async () => {
  const [, client, peer, room] = await opened();
  const saved = (n: number, text: string) =>
    peer.say({ t: "draft.saved", n, ts: 1, d: { conversation: "c", text, reply_to: "m1" } });
  await saved(1, "from the phone");
  assert.deepEqual([room.draft.text, room.draft.replyTo], ["from the phone", "m1"]);
  room.draft.set("from here");
  await saved(2, "the phone again");
  assert.equal(room.draft.text, "from here");
  await client.close();
});

test("what is hidden for oneself, or has expired, is not shown", async () => {
  const server = new Server();
  const [client, peer] = await server.online({ ackEvery: null });
  const room = client.conversation("c");
  const expires_at = server.clock.now() + 5_000;
  await load(peer, info(3), [message(1), message(2, { expires_at }), message(3)]);
  const hidden = { conversation: "c", message_id: "m1", message_seq: 1, counted: true };
  await peer.say({ t: "message.hidden", n: 1, ts: 1, d: hidden });
  assert.deepEqual(texts(room), ["text 2", "text 3"]);
  await server.clock.advance(5_000);
  assert.deepEqual(texts(room), ["text 3"]);
  await client.close();
});

test("it tells of its changes once for all that comes in one go", async () => {
  const [, client, peer, room] = await opened([message(1, { by: "ann" }), message(2)]);
  let changes = 0;
  const off = room.onChange(() => changes++);
  const before = room.messages;
  assert.equal(room.messages, before, "the same while nothing changes");
  await peer.say(sent(3, "more", { by: "cid" }), sent(4, "and more", { by: "cid" }));
  assert.equal(changes, 1);
  assert.notEqual(room.messages, before);
  assert.equal(room.messages[0], before[0], "what did not change is the same object");
  off();
  await peer.push(5);
  assert.equal(changes, 1);
  await client.close();
});

test("CLI-06 a conversation that is closed hears nothing more", async () => {
  const [, client, peer, room] = await opened();
  room.close();
  await peer.expect("conversation.unsubscribe");
  await peer.push(3);
  assert.equal(room.messages.length, 2);
  assert.notEqual(client.conversation("c"), room);
  await client.close();
});

test("a request that is accepted is a conversation like any other", async () => {
  const [, client, peer, room] = await opened([message(1)], info(1, { request: "pending" }));
  assert.equal(room.info!.request, "pending");
  const answered = { conversation: "c", status: "accepted" };
  await peer.say({ t: "request.answered", n: 1, ts: 1, d: answered });
  await load(peer, info(1), [message(1)]);
  assert.equal(room.info!.request, undefined);
  await client.close();
});

test("without a connection nobody is known to be online", async () => {
  const [, client, peer, room] = await opened();
  await peer.say({ t: "presence.changed", c: "c", ts: 1, d: { user: "bob", online: true } });
  assert.ok(room.isOnline("bob"));
  await peer.drop();
  await settled();
  assert.ok(!room.isOnline("bob"));
  await client.close();
});
