import assert from "node:assert/strict";
import { test } from "node:test";
import { BadFrame, CallTimeout, ClientClosed, ConnectionLost, Rejected } from "../src/index.js";
import { settled } from "./support/clock.js";
import { Server } from "./support/server.js";

test("SEND-05 twenty sends in flight each get their own answer", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const calls = Array.from({ length: 20 }, (_, n) => client.send("c", `${n}`));
  const asked = await peer.rest();
  assert.equal(peer.frames.at(-1)!.length, 20, "what is said in one go is one frame");
  for (const item of asked.toReversed()) await peer.reply(item, { id: `m${item.d.text}` });
  assert.deepEqual(
    (await Promise.all(calls)).map((ok) => ok.id),
    Array.from({ length: 20 }, (_, n) => `m${n}`),
  );
  await client.close();
});

test("a refusal carries what the server says of it", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const refused = assert.rejects(client.rename("c", ""), (error) => {
    assert.ok(error instanceof Rejected);
    assert.equal(error.code, "VALIDATION_FAILED");
    assert.equal(error.details["field"], "title");
    assert.equal(error.name, "Rejected");
    return true;
  });
  await peer.refuse(await peer.item(), "VALIDATION_FAILED", { details: { field: "title" } });
  await refused;
  await client.close();
});

test("a retryable no is tried again when the server said", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const call = client.send("c", "text");
  const first = await peer.item();
  await peer.refuse(first, "RATE_LIMITED", { retryable: true, retry_after: 2 });
  await server.clock.advance(2_999);
  assert.deepEqual(await peer.rest(), []);
  await server.clock.advance(1);
  const second = await peer.item();
  assert.equal(second.d.client_id, first.d.client_id);
  assert.equal(second.d.attempt, undefined, "it has not happened");
  await peer.refuse(second, "UNAVAILABLE", { retryable: true });
  await server.clock.advance(2_000);
  const third = await peer.item();
  assert.equal(third.d.attempt, 2, "it may have happened");
  await peer.reply(third, { id: "m" });
  assert.equal((await call).id, "m");
  await client.close();
});

test("a no that outlasts the timeout is told", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const told = assert.rejects(client.send("c", "text"), Rejected);
  await peer.refuse(await peer.item(), "OVERLOADED", { retryable: true, retry_after: 10 });
  await told;
  await client.close();
});

test("no more than a window is in flight", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const calls = Array.from({ length: 40 }, (_, n) => client.send("c", `${n}`));
  const first = await peer.rest();
  assert.equal(first.length, 32);
  for (const item of first) await peer.reply(item);
  for (const item of await peer.rest()) await peer.reply(item);
  assert.equal((await Promise.all(calls)).length, 40);
  await client.close();
});

test("CLI-02 what is sent offline waits, and goes in order", async () => {
  const server = new Server();
  const client = server.client();
  const calls = ["one", "two", "three"].map((text) => client.send("c", text));
  client.connect();
  const peer = await server.peer();
  await peer.welcome();
  for (const text of ["one", "two", "three"]) {
    const item = await peer.expect("message.send");
    assert.equal(item.d.text, text);
    await peer.reply(item);
  }
  await Promise.all(calls);
  await client.close();
});

test("CLI-03 no answer within ten seconds, and the retry keeps its id", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const call = client.send("c", "text");
  const first = await peer.item();
  const late = assert.rejects(call, CallTimeout);
  await server.clock.advance(10_000);
  await late;
  const { again } = (await call.catch((error) => error)) as CallTimeout;
  const repeated = client.call("message.send", again[1] as any, again[2]);
  const second = await peer.item();
  assert.equal(second.d.client_id, first.d.client_id);
  assert.equal(second.d.attempt, 2);
  await peer.reply(first, { id: "late, disturbs nobody" });
  await peer.reply(second, { id: "m" });
  assert.equal((await repeated).id, "m");
  await client.close();
});

test("a durable call in flight is repeated on the next connection", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const call = client.send("c", "text");
  const first = await peer.item();
  await peer.drop();
  await server.clock.advance(1_000);
  const next = await server.peer();
  await next.welcome();
  const second = await next.item();
  assert.deepEqual(second.d, { ...first.d, attempt: 2 });
  await next.reply(second, { id: "m" });
  assert.equal((await call).id, "m");
  await client.close();
});

test("any other call in flight fails with the connection", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const call = client.members("c");
  await peer.expect("member.list");
  const lost = assert.rejects(call, ConnectionLost);
  await peer.drop();
  await lost;
  await client.close();
});

test("a call given up before it was written is never written", async () => {
  const server = new Server();
  const client = server.client();
  const call = client.call("message.send", { text: "text" }, "c", { timeout: 5 });
  const late = assert.rejects(call, (error) => error instanceof CallTimeout && !error.sent);
  await server.clock.advance(5);
  await late;
  client.connect();
  const peer = await server.peer();
  await peer.welcome();
  assert.deepEqual(await peer.rest(), []);
  await client.close();
});

test("what would end the connection is refused before it is written", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const wrong = ["\0", "\ud800", NaN, Infinity, new Date(), new Uint8Array(1), new Map(), () => 0];
  for (const value of [...wrong, 10n, Symbol("s")]) {
    await assert.rejects(client.send("c", "", { metadata: { value } }), BadFrame, String(value));
  }
  let deep: object = {};
  for (let n = 0; n < 17; n++) deep = { deep };
  await assert.rejects(client.send("c", "", { metadata: deep }), BadFrame);
  await assert.rejects(client.send("c", "x".repeat(2 ** 20)), Rejected);
  assert.deepEqual(await peer.rest(), []);
  await client.close();
});

test("frames stay below what the server takes", async () => {
  const server = new Server();
  const client = server.client();
  client.connect();
  const peer = await server.peer();
  await peer.welcome({}, { max_frame: 1_000 });
  for (let n = 0; n < 10; n++) client.send("c", "x".repeat(300)).catch(() => {});
  await settled();
  assert.deepEqual(
    peer.frames.slice(2).map((frame) => frame.length),
    [2, 2, 2, 2, 2],
  );
  await client.close();
});

test("closing fails the calls that wait, and those that come", async () => {
  const server = new Server();
  const [client] = await server.online();
  const call = assert.rejects(client.send("c", "text"), ClientClosed);
  await client.close();
  await call;
  await assert.rejects(client.send("c", "text"), ClientClosed);
  await assert.rejects(client.enqueue("c", "text"), ClientClosed);
});
