import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  browserOutbox,
  IndexedDBOutbox,
  type Client,
  OutboxForeign,
  OutboxUnusable,
  type Outgoing,
} from "../src/index.js";
import { Server } from "./support/server.js";

let count = 0;
const name = () => `outbox ${count++}`;

test("what a page leaves behind the next one sends, in order, under the same ids", async () => {
  const server = new Server();
  const db = name();
  const first = server.client({ outbox: new IndexedDBOutbox(db) });
  for (const text of ["one", "two", "three"]) await first.enqueue("c", text);
  const ids = first.outbox.waiting.map((each) => each.clientId);
  await first.close();

  const second = server.client({ outbox: new IndexedDBOutbox(db) });
  second.connect();
  const peer = await server.peer();
  await peer.welcome();
  for (const [n, text] of ["one", "two", "three"].entries()) {
    const { d, ...item } = await peer.expect("message.send");
    assert.deepEqual([d.text, d.client_id, d.attempt], [text, ids[n], 2]);
    await peer.reply(item, { c: "c" });
  }
  await second.close();

  const third = new IndexedDBOutbox(db);
  await third.open();
  assert.deepEqual(third.waiting, [], "what was answered is gone");
  await third.close();
});

test("nobody sends what another user wrote, also after the page has gone", async () => {
  const server = new Server();
  const db = name();
  const ann = server.client({ outbox: new IndexedDBOutbox(db) });
  await ann.enqueue("c", "from ann");
  const peer = server.peer();
  ann.connect();
  await (await peer).welcome();
  await ann.close();

  const bob = server.client({ outbox: new IndexedDBOutbox(db) });
  const foreign = assert.rejects(bob.connected(), OutboxForeign);
  const other = await server.peer();
  const hello = await other.expect("hello");
  await other.say({ t: "welcome", id: hello.id!, d: { user: "bob", heartbeat: 30 } });
  await foreign;
  await bob.close();
});

test("what was left is shown before there is a connection", async () => {
  const server = new Server();
  server.down = true;
  const db = name();
  const first = server.client({ outbox: new IndexedDBOutbox(db) });
  await first.enqueue("c", "left behind");
  await first.close();
  const second = server.client({ outbox: new IndexedDBOutbox(db) });
  second.connect();
  const room = second.conversation("c");
  while (second.outbox.waiting.length === 0) await new Promise(setImmediate);
  assert.deepEqual(
    room.messages.map((each) => [each.text, each.status]),
    [["left behind", "sending"]],
  );
  await second.close();
});

/** Web Locks, as far as they are used, for the pages of one test. */
async function withLocks(act: () => Promise<void>): Promise<void> {
  const held = new Map<string, Promise<void>>();
  const locks = {
    request: async (lock: string, ...[options, act = options]: any[]) => {
      while (held.has(lock)) await held.get(lock);
      if (options.signal?.aborted) throw new DOMException("aborted", "AbortError");
      const use = Promise.resolve(act()).finally(() => held.delete(lock));
      held.set(lock, use);
      await use;
    },
    query: async () => ({ held: [...held.keys()].map((name) => ({ name })) }),
  };
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
  try {
    await act();
  } finally {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else delete (globalThis as any).navigator;
  }
}

const texts = (client: Client) => client.outbox.waiting.map((each) => each.payload["text"]);

test("a page that lives keeps what it has, one that opens takes what the dead left", async () => {
  await withLocks(async () => {
    const server = new Server();
    const db = name();
    const first = server.client({ outbox: new IndexedDBOutbox(db) });
    await first.enqueue("c", "of the first");
    const second = server.client({ outbox: new IndexedDBOutbox(db) });
    await second.enqueue("c", "of the second");
    assert.equal(second.outbox.waiting.length, 1);
    const room = second.conversation("c");
    await first.close(); // as a page does that is loaded anew, after the new one has begun
    while (second.outbox.waiting.length < 2) await new Promise(setImmediate);
    assert.deepEqual(texts(second), ["of the second", "of the first"]);
    assert.deepEqual(
      room.messages.map((each) => each.text),
      ["of the second", "of the first"],
    );
    await second.close();
    const third = server.client({ outbox: new IndexedDBOutbox(db) });
    await third.enqueue("c", "of the third");
    assert.deepEqual(texts(third), ["of the second", "of the first", "of the third"]);
    await third.close();
  });
});

/** A page of `user`, who is away before anything of what is written there gets through. */
async function page(server: Server, db: string, user: string, text: string): Promise<Client> {
  const client = server.client({ outbox: new IndexedDBOutbox(db) });
  client.connect();
  const peer = await server.peer();
  await peer.welcome({}, { user });
  await peer.rest();
  await client.enqueue("c", text);
  return client;
}

test("of what two users left behind under one name, each sends their own", async () => {
  await withLocks(async () => {
    const server = new Server();
    const db = name();
    const ann = await page(server, db, "ann", "from ann");
    const bob = await page(server, db, "bob", "from bob");
    await ann.close();
    await bob.close();
    const found: unknown[] = [];
    for (const nth of ["first", "second"]) {
      const outbox = new IndexedDBOutbox(db);
      await outbox.open();
      const [first, ...others] = outbox.waiting;
      assert.deepEqual(others, [], `what is taken over has one owner: the ${nth}`);
      found.push(first!.payload["text"]);
      await assert.rejects(outbox.claim(first!.payload["text"] === "from ann" ? "bob" : "ann"));
      await outbox.drop(first!);
      await outbox.close();
    }
    assert.deepEqual(found.toSorted(), ["from ann", "from bob"]);
  });
});

test("what comes late is of the client that is there now", async () => {
  await withLocks(async () => {
    const server = new Server();
    const db = name();
    const other = server.client({ outbox: new IndexedDBOutbox(db) });
    await other.enqueue("c", "of the other page");
    const outbox = new IndexedDBOutbox(db);
    const first = server.client({ outbox });
    await first.enqueue("c", "of this page");
    await first.close();
    const second = server.client({ outbox });
    await second.enqueue("c", "of this page, too");
    const late = new Promise<Outgoing>((resolve) => outbox.onLate(resolve));
    await other.close();
    assert.equal((await late).error, undefined, "it waits for a connection, as all do");
    await second.close();
  });
});

test("where nothing can be kept it is in memory, or refused, as one wants it", async () => {
  const { open } = indexedDB;
  indexedDB.open = () => {
    throw new DOMException("no storage in private windows", "SecurityError");
  };
  try {
    await assert.rejects(new IndexedDBOutbox(name()).open(), OutboxUnusable);
    const server = new Server();
    const client = server.client({ outbox: browserOutbox(name()) });
    await client.enqueue("c", "text");
    client.connect();
    const peer = await server.peer();
    await peer.welcome();
    await peer.reply(await peer.expect("message.send"), { c: "c" });
    assert.deepEqual(client.outbox.waiting, []);
    await client.close();
  } finally {
    indexedDB.open = open;
  }
});
