import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, ClientClosed, MemoryStore, Outbox, type Socket } from "../src/index.js";
import { FakeClock, settled } from "./support/clock.js";
import { Server } from "./support/server.js";

const never = () => new Promise<never>(() => {});

test("close leaves no timer, whatever was going on", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const room = client.conversation("c");
  const asked = [await peer.item(), await peer.item(), await peer.item()];
  const member = { role: "member" };
  const info = { c: "c", epoch: 1, seq: 1, number: 1, unread: 1, marks: 0, member_count: 2 };
  await peer.reply(asked[0]!);
  await peer.reply(asked[1]!, { ...info, members: { ann: member, bob: member } });
  const expires_at = server.clock.now() + 60_000;
  const message = { id: "m1", seq: 1, ts: 1, kind: "message.sent", by: "bob", expires_at };
  await peer.reply(asked[2]!, { messages: [message], more: false, seq: 1 });
  await peer.push(2);
  await peer.push(3);
  await peer.say({ t: "typing.started", c: "c", ts: 1, d: { by: "bob" } });
  room.keystroke();
  room.draft.set("unfinished");
  room.markRead();
  room.send("hello");
  const call = assert.rejects(client.rename("c", "title"), ClientClosed);
  client.retryNow();
  await settled();
  assert.ok(server.clock.pending > 5);
  await client.close();
  await call;
  room.keystroke();
  room.markRead();
  await settled();
  assert.equal(server.clock.pending, 0);
  assert.equal(client.outbox.waiting.length, 1);
});

test("close does not wait for a token, and connects no more", async () => {
  const server = new Server();
  let got!: (token: string) => void;
  const client = server.client({ token: () => new Promise((resolve) => (got = resolve)) });
  client.connect();
  await settled();
  await client.close();
  got("too late");
  await settled();
  assert.deepEqual(server.attempts, []);
  assert.equal(server.clock.pending, 0);
});

test("close does not wait for a connection that is being made", async () => {
  const clock = new FakeClock();
  const closed: number[] = [];
  const socket = () => ({ close: (code: number) => closed.push(code) }) as unknown as Socket;
  const client = new Client("ws://test", "token", { clock, socket, store: new MemoryStore() });
  const connected = assert.rejects(client.connected(), ClientClosed);
  await settled();
  await client.close();
  await connected;
  assert.deepEqual(closed, [1000]);
  assert.equal(clock.pending, 0);
});

test("a token that never comes is asked for once more", async () => {
  const server = new Server();
  let asked = 0;
  const client = server.client({ token: () => (asked++ === 0 ? never() : "token") });
  client.connect();
  await server.clock.advance(30_000);
  assert.equal(client.state.state, "waiting");
  await server.clock.advance(1_000);
  await (await server.peer()).welcome();
  assert.equal(client.state.state, "online");
  await client.close();
});

test("what was closed does not begin again", async () => {
  const server = new Server();
  const outbox = new Outbox();
  const client = server.client({ outbox });
  await client.close();
  client.connect();
  await settled();
  assert.equal(client.state.state, "closed");
  await outbox.open(); // it is free
  await outbox.close();
});

test("a client that was refused lets go of its outbox, once", async () => {
  const server = new Server();
  const outbox = new Outbox();
  const [first, peer] = await server.online({ outbox });
  await first.enqueue("c", "text");
  await peer.expect("message.send");
  await peer.close(3500, "the token has run out");
  assert.equal(first.state.state, "refused");

  const second = server.client({ outbox, token: "another" });
  second.connect();
  const next = await server.peer();
  await next.welcome();
  await first.close();
  const again = await next.expect("message.send");
  assert.equal(again.d.attempt, 2);
  await second.enqueue("c", "more");
  await next.reply(again, { c: "c" });
  assert.equal((await next.expect("message.send")).d.text, "more");
  await second.close();
});
