import assert from "node:assert/strict";
import { test } from "node:test";
import { Expired, Outbox, OutboxForeign, OutboxFull, Rejected, type Client } from "../src/index.js";
import { settled } from "./support/clock.js";
import { sent, Server } from "./support/server.js";

/** What becomes of messages, in short. */
function told(client: Client): string[] {
  const found: string[] = [];
  client.on("message.sent", ({ data }) => found.push(`event ${data.text}`));
  client.on("sent", ({ outgoing }) => found.push(`sent ${outgoing.payload["text"]}`));
  client.on("failed", ({ outgoing }) => found.push(`failed ${outgoing.payload["text"]}`));
  return found;
}

test("CLI-02 what is enqueued offline is sent in order after the connection", async () => {
  const server = new Server();
  const client = server.client();
  for (const text of ["one", "two", "three"]) await client.enqueue("c", text);
  client.connect();
  const peer = await server.peer();
  await peer.welcome();
  for (const text of ["one", "two", "three"]) {
    const item = await peer.expect("message.send");
    assert.equal(item.d.text, text);
    assert.deepEqual(await peer.rest(), [], "one at a time");
    await peer.reply(item, { c: "c" });
  }
  assert.deepEqual(client.outbox.waiting, []);
  await client.close();
});

test("CLI-04 it is told after the event that it led to", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found = told(client);
  const outgoing = await client.enqueue("c", "hello");
  assert.equal(outgoing.state, "queued");
  const item = await peer.expect("message.send");
  const event = sent(1, "hello", { by: "ann", client_id: item.d.client_id });
  await peer.say(event, { t: "reply", id: item.id!, ok: { c: "c", seq: 1, id: "m1", ts: 1 } });
  assert.deepEqual(found, ["event hello", "sent hello"]);
  assert.equal((await outgoing.answer())["seq"], 1);
  assert.equal(outgoing.state, "sent");
  await client.close();
});

test("a retryable no holds its conversation until the server wants it again", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  await client.enqueue("c", "one");
  await client.enqueue("c", "two");
  const first = await peer.item();
  await peer.refuse(first, "OVERLOADED", { retryable: true, retry_after: 5 });
  await client.enqueue("d", "elsewhere");
  assert.equal((await peer.item()).d.text, "elsewhere");
  await server.clock.advance(5_999);
  assert.deepEqual(await peer.rest(), []);
  await server.clock.advance(1);
  const second = await peer.item();
  assert.deepEqual(second.d, first.d);
  await client.close();
});

test("a final no is told, and the next one goes", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const found = told(client);
  const refused = await client.enqueue("c", "one");
  await client.enqueue("c", "two");
  await peer.refuse(await peer.item(), "PERMISSION_DENIED");
  assert.equal((await peer.item()).d.text, "two");
  assert.deepEqual(found, ["failed one"]);
  await assert.rejects(refused.answer(), Rejected);
  await client.close();
});

test("SEND-06 a break before the answer makes it a repetition, also of what was left", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  await client.enqueue("c", "text");
  const first = await peer.item();
  await peer.drop();
  await server.clock.advance(1_000);
  const next = await server.peer();
  await next.welcome();
  assert.deepEqual((await next.item()).d, { ...first.d, attempt: 2 });
  await client.close();

  const heir = server.client({ outbox: client.outbox });
  heir.connect();
  const last = await server.peer();
  await last.welcome();
  const item = await last.item();
  assert.equal(item.d.client_id, first.d.client_id);
  assert.ok(item.d.attempt > 2);
  await heir.close();
});

test("only what can be repeated can be enqueued", async () => {
  const server = new Server();
  const [client] = await server.online();
  await client.enqueueCall("reaction.set", { message_id: "m", emoji: "👍" }, "c");
  await client.enqueueCall("message.read", { seq: 4 }, "c");
  await assert.rejects(client.enqueueCall("message.read", {}, "c"), TypeError);
  await assert.rejects(client.enqueueCall("typing.start", {}, "c"), TypeError);
  await client.close();
});

test("too old a command fails, and says whether it was sent", async () => {
  const server = new Server();
  const client = server.client({ outbox: new Outbox({ maxAge: 60_000 }) });
  const found = told(client);
  const early = await client.enqueue("c", "never sent");
  await server.clock.advance(60_000);
  await assert.rejects(early.answer(), (error) => error instanceof Expired && !error.sent);
  client.connect();
  const peer = await server.peer();
  await peer.welcome();
  const late = await client.enqueue("c", "sent");
  await peer.expect("message.send");
  await server.clock.advance(60_000);
  await assert.rejects(late.answer(), (error) => error instanceof Expired && error.sent);
  assert.deepEqual(found, ["failed never sent", "failed sent"]);
  await client.close();
});

test("a full outbox takes no more until something is answered", async () => {
  const server = new Server();
  const [client, peer] = await server.online({ outbox: new Outbox({ maxCommands: 2 }) });
  await client.enqueue("c", "one");
  await client.enqueue("c", "two");
  await assert.rejects(client.enqueue("c", "three"), OutboxFull);
  await peer.reply(await peer.item());
  await client.enqueue("c", "three");
  await client.close();
});

test("many conversations leave room for calls", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  for (let n = 0; n < 100; n++) await client.enqueue(`c${n}`, "text");
  assert.equal((await peer.rest()).length, 16);
  void client.get("c").catch(() => {});
  await peer.expect("conversation.get");
  await client.close();
});

test("SEND-06 the same client id is kept once", async () => {
  const server = new Server();
  const client = server.client();
  const first = await client.enqueue("c", "text", { client_id: "k" });
  assert.equal(await client.enqueue("c", "text", { client_id: "k" }), first);
  await client.close();
});

test("nobody sends what another user wrote", async () => {
  const server = new Server();
  const outbox = new Outbox();
  const ann = server.client({ outbox });
  await ann.enqueue("c", "from ann");
  ann.connect();
  await (await server.peer()).welcome();
  await ann.close();
  const bob = server.client({ outbox });
  const foreign = assert.rejects(bob.connected(), OutboxForeign);
  const peer = await server.peer();
  const hello = await peer.expect("hello");
  await peer.say({ t: "welcome", id: hello.id!, d: { user: "bob", heartbeat: 30 } });
  await foreign;
  await settled();
  assert.equal(bob.state.state, "refused");
  assert.deepEqual(await peer.rest(), []);
  assert.equal(outbox.waiting.length, 1);
});
