import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "../src/index.js";
import { row, sent, Server, type Peer } from "./support/server.js";

async function opened(...rows: object[]): Promise<[Server, Client, Peer]> {
  const server = new Server();
  const [client, peer] = await server.online({ ackEvery: null });
  const loading = client.inbox.load();
  const list = await peer.expect("conversation.list");
  await peer.reply(list, { conversations: rows, next: null, unread: 3 });
  await loading;
  return [server, client, peer];
}

const order = (client: Client, filter?: "all" | "unread" | "archived" | "requests") =>
  client.inbox.rows(filter).map((each) => each.c);

test("newest activity first, pinned ones before", async () => {
  const [, client, peer] = await opened(row(1, 5), row(1, 7, { c: "d" }), row(1, 6, { c: "e" }));
  assert.deepEqual(order(client), ["d", "e", "c"]);
  await peer.say(sent(6, "new"));
  assert.deepEqual(order(client), ["c", "d", "e"]);
  assert.equal(client.inbox.get("c")!.last!.text, "new");
  const preference = { conversation: "e", muted_until: 0, pinned_at: 9, archived: false };
  await peer.say({ t: "preference.changed", n: 1, ts: 1, d: preference });
  assert.deepEqual(order(client), ["e", "c", "d"]);
  await client.close();
});

test("what has moved a row since its last message is known", async () => {
  const [, client, peer] = await opened(row(1, 5));
  await peer.say(sent(6, "new"));
  assert.equal(client.inbox.get("c")!.activity, undefined);
  const change = { id: "r", by: "bob", message_id: "m6", message_seq: 6, emoji: "🎉", on: true };
  await peer.say({ t: "reaction.changed", c: "c", seq: 7, ts: 7, d: { ...change, count: 1 } });
  assert.equal(client.inbox.get("c")!.activity?.kind, "reaction.changed");
  assert.equal(client.inbox.get("c")!.last!.text, "new");
  await peer.say(sent(8, "newer"));
  assert.equal(client.inbox.get("c")!.activity, undefined);
  await client.close();
});

test("pages follow one another", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const first = client.inbox.load();
  await peer.reply(await peer.item(), { conversations: [row(1, 5)], next: "n", unread: 0 });
  await first;
  assert.ok(client.inbox.more());
  const second = client.inbox.loadMore();
  const asked = await peer.item();
  assert.equal(asked.d.cursor, "n");
  await peer.reply(asked, { conversations: [row(1, 4, { c: "d" })], next: null, unread: 0 });
  await second;
  assert.deepEqual([order(client), client.inbox.more()], [["c", "d"], false]);
  await client.close();
});

test("what is unread is told, and what is read here is known at once", async () => {
  const [, client, peer] = await opened(row(1, 5, { unread: 2, last: { id: "m5", seq: 5 } }));
  assert.deepEqual(order(client, "unread"), ["c"]);
  await peer.say({ t: "unread.changed", ts: 1, d: { total: 4, conversations: { c: 3 } } });
  assert.deepEqual([client.inbox.unread, client.inbox.get("c")!.unread], [4, 3]);
  client.reads.read("c", 5);
  assert.deepEqual([client.inbox.unread, client.inbox.get("c")!.unread], [1, 0]);
  // The server does not know yet; then it does, and there is something new.
  await peer.say({ t: "unread.changed", ts: 1, d: { total: 5, conversations: { d: 2 } } });
  assert.deepEqual([client.inbox.unread, client.inbox.get("c")!.unread], [2, 0]);
  await peer.say({ t: "unread.changed", ts: 1, d: { total: 2, conversations: { c: 0 } } });
  assert.equal(client.inbox.unread, 2);
  await peer.say(sent(6));
  await peer.say({ t: "unread.changed", ts: 1, d: { total: 3, conversations: { c: 1 } } });
  assert.deepEqual([client.inbox.unread, client.inbox.get("c")!.unread], [3, 1]);
  await client.close();
});

test("archived and hidden ones are elsewhere, until there is something new", async () => {
  const [, client, peer] = await opened(row(1, 5), row(1, 4, { c: "d" }));
  const changed = (d: object) => peer.say({ t: "preference.changed", n: 1, ts: 1, d });
  await changed({ conversation: "c", archived: true });
  assert.deepEqual([order(client), order(client, "archived")], [["d"], ["c"]]);
  await changed({ conversation: "d", archived: false, hidden_seq: 4, hidden_number: 4 });
  assert.deepEqual(order(client), []);
  await peer.say(sent(5, "new", {}, "d"));
  assert.deepEqual(order(client), ["d"]);
  await client.close();
});

test("a last message that is edited or deleted says so", async () => {
  const last = { id: "m5", seq: 5, by: "bob", ts: 5, text: "old" };
  const [, client, peer] = await opened(row(1, 5, { last }));
  const change = { id: "e", by: "bob", message_id: "m5", message_seq: 5 };
  const edited = { ...change, text: "anew", version: 2 };
  await peer.say({ t: "message.edited", c: "c", seq: 6, ts: 6, d: edited });
  assert.equal(client.inbox.get("c")!.last!.text, "anew");
  await peer.say({ t: "message.deleted", c: "c", seq: 7, ts: 7, d: { ...change, counted: true } });
  assert.deepEqual(client.inbox.get("c")!.last, {
    id: "m5",
    seq: 5,
    by: "bob",
    ts: 5,
    deleted: true,
  });
  await client.close();
});

test("a conversation that comes up is there, one that is left is not", async () => {
  const [, client, peer] = await opened(row(1, 5));
  await peer.say({ t: "conversation.created", c: "d", seq: 1, ts: 9, d: { id: "e", by: "bob" } });
  const get = await peer.expect("conversation.get");
  const members = { ann: { role: "member" }, bob: { role: "admin" } };
  await peer.reply(get, { ...row(1, 1, { c: "d" }), members, created_at: 9, title: "New" });
  assert.deepEqual(order(client), ["d", "c"]);
  assert.deepEqual(client.inbox.get("d")!.members, ["ann", "bob"]);
  await peer.say({ t: "member.removed", c: "c", seq: 6, d: { id: "e", by: "bob", user: "ann" } });
  assert.deepEqual(order(client), ["d"]);
  await client.close();
});

test("CLI-05 what changed while there was no connection is brought up to date", async () => {
  const [server, client, peer] = await opened(row(1, 5), row(1, 4, { c: "d" }));
  await peer.drop();
  await server.clock.advance(1_000);
  const next = await server.peer();
  await next.welcome({ conversations: [row(1, 5), row(1, 9, { c: "d", unread: 5 })], left: ["c"] });
  assert.deepEqual(order(client), ["d"]);
  assert.equal(client.inbox.get("d")!.unread, 5);
  assert.equal(client.inbox.unread, 3 + 5, "it was 3 in what is not loaded");
  await client.close();
});

test("requests are in no other list, and answered", async () => {
  const server = new Server();
  const [client, peer] = await server.online({ ackEvery: null });
  const loading = client.inbox.load("requests");
  const pending = row(1, 2, { c: "r", request: "pending" });
  await peer.reply(await peer.item(), { conversations: [pending], next: null, unread: 0 });
  await loading;
  assert.deepEqual([order(client), order(client, "requests")], [[], ["r"]]);
  await peer.say({
    t: "request.answered",
    n: 1,
    ts: 1,
    d: { conversation: "r", status: "declined" },
  });
  assert.deepEqual(order(client, "requests"), []);
  await client.close();
});

test("nobody who does not look at it pays for it", async () => {
  const server = new Server();
  const [client, peer] = await server.online({ ackEvery: null });
  await peer.push(1);
  assert.deepEqual(await peer.rest(), []);
  assert.deepEqual(client.inbox.rows(), []);
  await client.close();
});

test("users are asked for once, several together", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  assert.equal(client.people.get("bob"), undefined);
  assert.equal(client.people.get("cid"), undefined);
  const asked = await peer.expect("user.get");
  assert.deepEqual(asked.d, { users: ["bob", "cid"] });
  await peer.reply(asked, { users: { bob: { name: "Bob" } } });
  assert.deepEqual(client.people.get("bob"), { name: "Bob" });
  assert.equal(client.people.get("cid"), undefined);
  assert.deepEqual(await peer.rest(), [], "who is not known is not asked for again");
  await client.close();
});

test("requests, of which nothing is told, are asked for anew", async () => {
  const [, client, peer] = await opened(row(1, 5));
  const ask = async (...rows: object[]) => {
    const reloading = client.inbox.reload("requests");
    const asked = await peer.expect("conversation.list");
    assert.deepEqual(asked.d, { filter: "requests" });
    await peer.reply(asked, { conversations: rows, next: null, unread: 0 });
    await reloading;
  };
  await ask();
  assert.deepEqual(order(client, "requests"), []);
  await ask(row(1, 1, { c: "r", request: "pending" }));
  assert.deepEqual([order(client, "requests"), order(client)], [["r"], ["c"]]);
  await client.close();
});

test("what is told while a row is fetched is not lost", async () => {
  const [, client, peer] = await opened(row(1, 5));
  await peer.say(sent(1, "first", {}, "new"));
  const asked = await peer.expect("conversation.get");
  const info = (seq: number, text: string) => ({
    ...row(1, seq, { c: "new", last: { id: `m${seq}`, seq, by: "bob", ts: seq, text } }),
    ...{ members: {}, created_at: 1 },
  });
  // Both in one frame: the event is there before anybody has looked at the reply.
  const reply = { t: "reply", id: asked.id!, c: "new", ok: info(1, "first") };
  await peer.say(reply, sent(2, "second", {}, "new"));
  await peer.reply(await peer.expect("conversation.get"), info(2, "second"));
  assert.equal(client.inbox.get("new")!.last!.text, "second");
  await client.close();
});

test("a row stays while the server cannot say how it stands", async () => {
  const [server, client, peer] = await opened(row(1, 5));
  await peer.say({ t: "void", c: "c", seq: 6, ts: 6, d: { id: "v", of: "m5" } });
  for (const wait of [1_000, 2_000, 4_000, 0]) {
    await peer.refuse(await peer.expect("conversation.get"), "UNAVAILABLE", { retryable: true });
    assert.deepEqual(order(client), ["c"]);
    await server.clock.advance(wait);
  }
  const info = { kind: "group", epoch: 1, seq: 7, number: 7, unread: 0, title: "new", context: {} };
  const rest = { role: "member", members: {}, created_at: 1, last: null };
  await peer.reply(await peer.expect("conversation.get"), { c: "c", ...info, ...rest });
  assert.equal(client.inbox.get("c")!.title, "new");
  await client.close();
});
