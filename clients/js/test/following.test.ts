import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, Push } from "../src/index.js";
import { settled } from "./support/clock.js";
import { row, sent, Server, type Peer } from "./support/server.js";

/** What a client tells, in short. */
function told(client: Client): string[] {
  const found: string[] = [];
  client.on("push", (push: Push) => {
    if (push.type === "event") found.push(`${push.kind} ${push.seq}`);
    else if (push.type === "signal") found.push(`${push.kind}`);
    else if (push.type === "reload") found.push(`reload ${push.reason} ${push.seq} ${push.keep}`);
  });
  return found;
}

/** The client knows `c` up to `seq` of epoch 1, and is told nothing of it. */
async function follows(client: Client, peer: Peer, seq: number): Promise<string[]> {
  const got = client.get("c");
  await peer.reply(await peer.expect("conversation.get"), { c: "c", epoch: 1, seq, marks: 0 });
  await got;
  return told(client);
}

async function again(server: Server, peer: Peer): Promise<Peer> {
  await peer.drop();
  await server.clock.advance(1_000);
  return server.peer();
}

test("events and signals come in the order of the wire", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found = await follows(client, peer, 1);
  await peer.say(sent(2), { t: "typing.started", c: "c", ts: 1, d: { by: "bob" } }, sent(3));
  assert.deepEqual(found, ["message.sent 2", "typing.started", "message.sent 3"]);
  await client.close();
});

test("WS-08 a gap is resumed, and what lies beyond comes in its place", async () => {
  const server = new Server();
  const [client, peer] = await server.online({ ackEvery: null });
  const found = await follows(client, peer, 1);
  await peer.push(2);
  await peer.push(5);
  await peer.push(6);
  const resume = await peer.expect("conversation.resume");
  assert.deepEqual(resume.d, { epoch: 1, seq: 2, marks: 0 });
  for (const seq of [3, 4, 5, 6]) await peer.push(seq);
  await peer.reply(resume, { recovered: true, epoch: 1, seq: 6, marks: { n: 0, moved: [] } });
  await peer.push(7);
  assert.deepEqual(
    found,
    [2, 3, 4, 5, 6, 7].map((seq) => `message.sent ${seq}`),
  );
  assert.deepEqual(await peer.rest(), []);
  await client.close();
});

test("hidden events leave no gap", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found = await follows(client, peer, 1);
  await peer.say({ t: "skipped", c: "c", seq: 4, d: { from: 2 } }, sent(5));
  assert.deepEqual(found, ["message.sent 5"]);
  await client.close();
});

test("CLI-05 after a reconnect what was missed comes before what is new", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found = await follows(client, peer, 1);
  await peer.push(2);
  const next = await again(server, peer);
  const asked = await next.welcome({ conversations: [row(1, 4)], cursor: "2" });
  assert.deepEqual(asked.d, { n: 0, cursor: "1" });
  const resume = await next.expect("conversation.resume");
  await next.push(5); // what is new is dropped until the answer, which covers it
  for (const seq of [3, 4, 5]) await next.push(seq);
  await next.reply(resume, { recovered: true, epoch: 1, seq: 5 });
  assert.deepEqual(
    found,
    [2, 3, 4, 5].map((seq) => `message.sent ${seq}`),
  );
  await client.close();
});

test("CLI-05 what cannot be recovered is to be reloaded", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found = await follows(client, peer, 5);
  const next = await again(server, peer);
  await next.welcome({ conversations: [row(2, 4)] });
  const resume = await next.expect("conversation.resume");
  const answer = { recovered: false, epoch: 2, seq: 4, reason: "diverged", reload_after: 3 };
  await next.reply(resume, answer);
  await next.push(5);
  assert.deepEqual(found, ["reload diverged 4 3", "message.sent 5"]);
  await client.close();
});

test("a conversation that came up meanwhile is reported and followed", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found = told(client);
  const next = await again(server, peer);
  await next.welcome({ conversations: [row(1, 7)] });
  await next.push(8);
  assert.deepEqual(found, ["reload new 7 0", "message.sent 8"]);
  await client.close();
});

test("who was removed meanwhile is told", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found = await follows(client, peer, 5);
  const next = await again(server, peer);
  await next.welcome({ left: ["c"] });
  const resume = await next.expect("conversation.resume");
  await next.reply(resume, { recovered: false, reason: "not_member" });
  assert.deepEqual(found, ["reload not_member 0 0"]);
  await client.close();
});

test("RCPT-06 marks that alone moved meanwhile come where one looks", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found = await follows(client, peer, 5);
  const subscribed = client.subscribe("c");
  await peer.reply(await peer.expect("conversation.subscribe"));
  await subscribed;
  const next = await again(server, peer);
  await next
    .expect("hello")
    .then((hello) => next.say({ t: "welcome", id: hello.id!, d: { user: "ann", heartbeat: 30 } }));
  await next.reply(await next.expect("conversation.subscribe"));
  await next.reply(await next.expect("sync.changes"), { conversations: [], cursor: "2" });
  const resume = await next.expect("conversation.resume");
  const moved = [{ user: "bob", read: 5, delivered: 5 }];
  await next.reply(resume, { recovered: true, epoch: 1, seq: 5, marks: { n: 3, moved } });
  assert.deepEqual(found, ["message.read", "message.delivered"]);
  await client.close();
});

test("a lost last event is found by the head", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  await follows(client, peer, 5);
  await peer.say({ t: "conversation.head", c: "c", d: { epoch: 1, seq: 5 } });
  await peer.say({ t: "conversation.head", c: "c", d: { epoch: 1, seq: 6 } });
  assert.deepEqual((await peer.expect("conversation.resume")).d.seq, 5);
  await client.close();
});

test("a resume is asked again when the server could not", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  await follows(client, peer, 5);
  await peer.push(7);
  const first = await peer.expect("conversation.resume");
  await peer.refuse(first, "UNAVAILABLE", { retryable: true, retry_after: 1 });
  await server.clock.advance(2_000);
  await peer.expect("conversation.resume");
  await client.close();
});

test("without an overview every conversation is resumed", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  await follows(client, peer, 5);
  const next = await again(server, peer);
  const hello = await next.expect("hello");
  await next.say({ t: "welcome", id: hello.id!, d: { user: "ann", heartbeat: 30 } });
  await next.refuse(await next.expect("sync.changes"), "FEATURE_DISABLED");
  await next.expect("conversation.resume");
  await client.close();
});

test("one's own log is followed by pushes, and caught up with in parts", async () => {
  const server = new Server();
  const client = server.client();
  const stars: string[] = [];
  client.on("message.starred", ({ data }) => stars.push(data.message_id));
  const star = (n: number) => ({ conversation: "c", message_id: `m${n}`, message_seq: n });
  const entry = (n: number) => ({ n, kind: "message.starred", ts: n, data: star(n) });
  const pushed = (n: number) => ({ t: "message.starred", n, ts: n, d: star(n) });
  client.connect();
  const peer = await server.peer();
  await peer.welcome({ log: [entry(1), entry(2)], more: true });
  await peer.say(pushed(9)); // tells nothing of what is missing before it
  const second = await peer.expect("sync.changes");
  assert.equal(second.d.n, 2);
  await peer.reply(second, { conversations: [], cursor: "2", log: [entry(3), entry(9)] });
  await peer.say(pushed(12));
  const next = await again(server, peer);
  assert.equal((await next.welcome()).d.n, 12);
  assert.deepEqual(stars, ["m1", "m2", "m9", "m3", "m9", "m12"]);
  assert.deepEqual([...client.personal.stars], ["m1", "m2", "m9", "m3", "m12"]);
  await client.close();
});

test("MSG-23 what is scheduled is known until it is sent, cancelled or failed", async () => {
  const [client, peer] = await new Server().online({ ackEvery: null });
  const said = (n: number, t: string, id: string, more: object = {}) =>
    peer.say({ t, n, ts: n, d: { id, job: `job ${id}`, conversation: "c", ...more } });
  for (const [n, id] of ["a", "b", "c", "d"].entries()) {
    await said(n + 1, "message.scheduled", id, { send_at: 9, message: { text: id } });
  }
  const known = () => [...client.personal.scheduled.keys()];
  assert.deepEqual(known(), ["a", "b", "c", "d"]);
  await said(5, "schedule.cancelled", "a");
  await said(6, "schedule.failed", "b", { error: "PERMISSION_DENIED" });
  await peer.push(1, "c", { by: "ann", client_id: "job c" });
  await peer.push(2, "d", { by: "bob", client_id: "job d" });
  assert.deepEqual(known(), ["d"]);
  await client.close();
});

test("RCPT-09 marks told together come singly", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found = told(client);
  const mark = (by: string) => ({ by, seq: 4, at: 1 });
  const d = { read: [mark("bob"), mark("cid")], delivered: [mark("bob")] };
  await peer.say({ t: "message.receipts", c: "c", ts: 1, d });
  assert.deepEqual(found, ["message.read", "message.read", "message.delivered"]);
  await client.close();
});

test("CLI-06 a subscription is renewed on every connection, until it is taken back", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const subscribed = client.subscribe("c");
  await peer.reply(await peer.expect("conversation.subscribe"));
  await subscribed;
  const next = await again(server, peer);
  await next.welcome();
  await next.expect("conversation.subscribe");
  void client.unsubscribe("c").catch(() => {});
  const last = await again(server, next);
  await last.welcome();
  assert.deepEqual(await last.rest(), []);
  await client.close();
});

test("CLI-06 a subscription outlasts a server that cannot just now", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const subscribed = client.subscribe("c");
  await peer.reply(await peer.expect("conversation.subscribe"));
  await subscribed;
  const next = await again(server, peer);
  await next.welcome();
  const busy = { retryable: true, retry_after: 2 };
  await next.refuse(await next.expect("conversation.subscribe"), "OVERLOADED", busy);
  await server.clock.advance(3_000);
  await next.refuse(await next.expect("conversation.subscribe"), "PERMISSION_DENIED");
  const last = await again(server, next);
  await last.welcome();
  assert.deepEqual(await last.rest(), [], "but not the loss of the right to it");
  await client.close();
});

test("what is taken is acknowledged at most twice a second", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  await follows(client, peer, 1);
  await peer.say(sent(2), sent(3));
  await peer.push(4, "one's own", { by: "ann" });
  const acks = async () => (await peer.rest()).map(({ t, c, seq }) => `${t} ${c} ${seq}`);
  assert.deepEqual(await acks(), ["ack c 3"]);
  await peer.push(5);
  await peer.push(6);
  await server.clock.advance(499);
  assert.deepEqual(await acks(), []);
  await server.clock.advance(1);
  assert.deepEqual(await acks(), ["ack c 6"]);
  await client.close();
});

test("a void takes back what is known", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found = await follows(client, peer, 1);
  await peer.push(2);
  await peer.say({ t: "void", c: "c", seq: 2, d: { id: "v", of: "m2" } });
  assert.deepEqual(found, ["message.sent 2", "void 2"]);
  await client.close();
});

test("what is met in the middle is to be loaded", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found = told(client);
  await peer.push(7);
  await peer.say({ t: "member.added", c: "d", seq: 9, d: { id: "e", by: "bob", users: ["ann"] } });
  assert.deepEqual(found, ["reload new 6 0", "message.sent 7", "member.added 9"]);
  await client.close();
});

test("a client that only calls follows nothing", async () => {
  const server = new Server();
  const client = server.client({ pushes: false });
  const found = told(client);
  client.connect();
  const peer = await server.peer();
  const hello = await peer.expect("hello");
  await peer.say({ t: "welcome", id: hello.id!, d: { user: "ann", heartbeat: 30 } });
  await peer.push(7);
  assert.deepEqual(await peer.rest(), []);
  assert.deepEqual(found, []);
  await client.close();
});

test("CLI-06 a listener that throws disturbs nobody else", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const thrown: string[] = [];
  globalThis.reportError = (error) => thrown.push(error.message);
  const off = client.on("message.sent", () => {
    throw new Error("in a listener");
  });
  const found = await follows(client, peer, 1);
  await peer.push(2);
  off();
  await peer.push(3);
  await settled();
  assert.deepEqual(found, ["message.sent 2", "message.sent 3"]);
  assert.deepEqual(thrown, ["in a listener"]);
  await client.close();
});

test("a key that is special to JavaScript is one like any other, whoever sends it", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found: unknown[] = [];
  client.on("message.sent", ({ data }) => found.push(data.metadata));
  const metadata = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2, "other": 3}');
  await peer.push(1, "hello", { metadata });
  assert.equal(client.state.state, "online");
  assert.equal(found.length, 1);
  const { other, constructor, polluted } = found[0] as Record<string, unknown>;
  assert.deepEqual([other, constructor, polluted], [3, 2, undefined]);
  assert.equal(({} as any).polluted, undefined);
  await client.close();
});

test("what was not acknowledged when the connection broke is after the next", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  await follows(client, peer, 1);
  await peer.push(2);
  assert.equal((await peer.expect("ack")).seq, 2);
  await peer.push(3);
  const next = await again(server, peer);
  await next.welcome();
  assert.deepEqual(
    (await next.rest()).filter((item) => item.t === "ack").map(({ c, seq }) => [c, seq]),
    [["c", 3]],
  );
  await client.close();
});
