import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Client,
  linear,
  mayReconnect,
  OutboxForeign,
  ReconnectFailed,
  Refused,
} from "../src/index.js";
import { delay, exponential } from "../src/reconnect.js";
import { settled } from "./support/clock.js";
import { Server } from "./support/server.js";

test("CLI-01 exponential, one to thirty seconds", async () => {
  const server = new Server();
  server.down = true;
  const client = server.client();
  client.connect();
  await server.clock.advance(1_000 + 2_000 + 4_000 + 8_000 + 16_000 + 30_000 + 30_000);
  assert.deepEqual(server.attempts, [0, 1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000]);
  await client.close();
});

test("CLI-01 linear, five attempts, then no more", async () => {
  const server = new Server();
  server.down = true;
  const client = server.client({ backoff: linear });
  const failed = assert.rejects(client.connected(), ReconnectFailed);
  await server.clock.advance(60_000);
  await failed;
  assert.deepEqual(server.attempts, [0, 1_000, 3_000, 6_000, 10_000, 15_000]);
  assert.equal(client.state.state, "failed");
});

test("CLI-01 the count begins anew after a connection", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  server.down = true;
  await peer.drop();
  await server.clock.advance(3_000);
  server.down = false;
  await server.clock.advance(4_000);
  const next = await server.peer();
  await next.welcome();
  await next.drop();
  await server.clock.advance(1_000);
  assert.deepEqual(server.attempts, [0, 1_000, 3_000, 7_000, 8_000]);
  await client.close();
});

test("CLI-01 full jitter from the first retry on, on top of what the server asked for", () => {
  for (const random of [0, 0.25, 1]) {
    for (const advice of [undefined, 5_000]) {
      const bounds = exponential();
      const first = delay(bounds.next().value!, () => random, advice);
      assert.equal(first, (advice ?? 0) + 1_000 * random);
    }
  }
});

test("CONN-21 the close code decides whether to come back", async () => {
  for (const code of [1000, 1001, 3001, 3008, 3012, 3499]) assert.ok(mayReconnect(code), `${code}`);
  for (const code of [1002, 1009, 3500, 3503, 3999]) assert.ok(!mayReconnect(code), `${code}`);
  for (const [code, state] of [
    [3008, "waiting"],
    [3503, "refused"],
  ] as const) {
    const server = new Server();
    const [client, peer] = await server.online();
    await peer.close(code, "why");
    assert.equal(client.state.state, state);
    await client.close();
  }
});

test("CONN-21 a refused token says why, and is final", async () => {
  const server = new Server();
  const client = server.client();
  const refused = assert.rejects(client.connected(), (error) => {
    assert.ok(error instanceof Refused);
    assert.equal(error.code, 3500);
    return true;
  });
  const peer = await server.peer();
  const hello = await peer.expect("hello");
  await peer.refuse(hello, "AUTH_FAILED", { message: "The token is not valid." });
  await peer.close(3500, "token refused or expired");
  await refused;
  assert.deepEqual(client.state, {
    state: "refused",
    code: 3500,
    reason: "The token is not valid.",
  });
});

test("what is no palaver server is final", async () => {
  const server = new Server();
  server.protocol = "";
  const client = server.client();
  await assert.rejects(client.connected(), Refused);
});

test("advice at leave-taking is obeyed, and what was asked is still answered", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  const call = client.createDirect("bob");
  const asked = await peer.expect("conversation.create");
  await peer.say({ t: "goodbye", d: { reconnect_after: 2.5 } });
  const late = client.rename("c", "later");
  await peer.reply(asked, { c: "c" });
  assert.equal(await call, "c");
  await peer.over;
  await server.clock.advance(3_499);
  assert.equal(server.attempts.length, 1);
  await server.clock.advance(1);
  assert.equal(server.attempts.length, 2);
  const next = await server.peer();
  await next.welcome();
  await next.reply(await next.expect("conversation.rename"));
  await late;
  await client.close();
});

test("CLI-13 the states in their order", async () => {
  const server = new Server();
  const client = server.client();
  const states: string[] = [];
  client.on("state", (change) => states.push(change.state));
  client.connect();
  const peer = await server.peer();
  await peer.welcome();
  await peer.drop();
  assert.equal(client.state.state, "waiting");
  assert.equal(
    client.state.state === "waiting" && client.state.retryAt,
    server.clock.now() + 1_000,
  );
  await server.clock.advance(1_000);
  await (await server.peer()).welcome();
  await client.close();
  assert.deepEqual(states, ["connecting", "online", "waiting", "connecting", "online", "closed"]);
});

test("a silent server is asked once, then given up", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  await server.clock.advance(45_000);
  await peer.expect("ping");
  await peer.say({ t: "pong" });
  await server.clock.advance(45_000);
  await peer.expect("ping");
  await server.clock.advance(30_000);
  await peer.over;
  assert.equal(client.state.state, "waiting");
  await client.close();
});

test("a server that never welcomes is left", async () => {
  const server = new Server();
  const client = server.client();
  client.connect();
  const peer = await server.peer();
  await server.clock.advance(10_000);
  await peer.over;
  assert.equal(client.state.state, "waiting");
  await client.close();
});

test("a ping is answered", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  await peer.say({ t: "ping", id: 7 });
  assert.deepEqual(await peer.expect("pong"), { t: "pong", id: 7 });
  await client.close();
});

test("a fresh token for each connection, and before one runs out", async () => {
  const server = new Server();
  let count = 0;
  const client = server.client({ token: async () => `token ${++count}` });
  client.connect();
  const peer = await server.peer();
  const hello = await peer.expect("hello");
  assert.equal(hello.d.token, "token 1");
  const d = { user: "ann", connection: "1", ttl: 100, heartbeat: 3600 };
  await peer.say({ t: "welcome", id: hello.id!, v: 1, d });
  await peer.expect("sync.changes");
  await server.clock.advance(80_000);
  // What was not answered is asked again, too; the token comes in between.
  const refresh = (await peer.rest()).find((item) => item.t === "refresh")!;
  assert.equal(refresh.d.token, "token 2");
  await peer.reply(refresh, { ttl: 100 });
  await peer.drop();
  await server.clock.advance(1_000);
  assert.equal((await (await server.peer()).expect("hello")).d.token, "token 3");
  await client.close();
});

test("CONN-12 who can have a fresh token comes back after one has run out", async () => {
  const server = new Server();
  const [client, peer] = await server.online({ token: () => "fresh" });
  await peer.close(3500);
  await server.clock.advance(1_000);
  await (await server.peer()).welcome();
  assert.equal(client.state.state, "online");
  await client.close();
});

test("without a token to be had it tries again", async () => {
  const server = new Server();
  const tokens = [Promise.reject(new Error("offline")), "token"];
  const client = server.client({ token: () => tokens.shift()! });
  client.connect();
  await settled();
  assert.equal(client.state.state, "waiting");
  await server.clock.advance(1_000);
  await (await server.peer()).welcome();
  await client.close();
});

test("retryNow does not wait, but for as long as the server asked", async () => {
  const server = new Server();
  const [client, peer] = await server.online();
  server.down = true;
  await peer.drop();
  client.retryNow();
  await settled();
  assert.deepEqual(server.attempts, [0, 0]);
  server.down = false;
  await server.clock.advance(2_000);
  const next = await server.peer();
  await next.welcome();
  await next.say({ t: "goodbye", d: { reconnect_after: 5 } });
  client.retryNow();
  await server.clock.advance(4_999);
  assert.equal(server.attempts.length, 3);
  await server.clock.advance(1);
  assert.equal(server.attempts.length, 4);
  await client.close();
});

test("an address that is none is refused at once", () => {
  for (const url of ["", "http://localhost", "localhost:8765"]) {
    assert.throws(() => new Client(url, "token"), TypeError);
  }
});

test("the errors of a client that ended have their names", () => {
  assert.equal(new OutboxForeign("here").name, "OutboxForeign");
});
