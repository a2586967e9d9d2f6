/** Showing what lies far back, and coming back from there. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, Conversation } from "../src/index.js";
import { info, load, message } from "./support/room.js";
import { Server, type Peer } from "./support/server.js";

const LAST = 1_000;
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, n) => first + n);
const messages = (first: number, last: number) => range(first, last).map((seq) => message(seq));
const seqs = (room: Conversation) => room.messages.map((each) => each.seq);

/** Its newest three messages are loaded, of a thousand. */
async function opened(): Promise<[Client, Peer, Conversation]> {
  const [client, peer] = await new Server().online({ ackEvery: null });
  const room = client.conversation("c", { limit: 3 });
  await load(peer, info(LAST), messages(LAST - 2, LAST), true);
  return [client, peer, room];
}

async function page(peer: Peer, asked: object, first: number, last: number, more = true) {
  const item = await peer.expect("message.history");
  assert.deepEqual(item.d, { ...asked, limit: 3 });
  await peer.reply(item, { messages: messages(first, last), more, seq: LAST });
}

/** What is round the message at `seq` is shown. */
async function goneTo(peer: Peer, room: Conversation, seq: number): Promise<void> {
  const going = room.goTo(`m${seq}`);
  await page(peer, { around: `m${seq}` }, seq - 3, seq + 3);
  assert.ok(await going);
}

test("UI-02 it goes to a message that lies far back, and on from there", async () => {
  const [client, peer, room] = await opened();
  await goneTo(peer, room, 500);
  assert.deepEqual([seqs(room), room.isPast, room.more], [range(497, 503), true, true]);
  const older = room.loadOlder();
  await page(peer, { before: 497 }, 494, 496);
  await older;
  const newer = [room.loadNewer(), room.loadNewer()];
  await page(peer, { after: 503 }, 504, 506);
  await Promise.all(newer);
  assert.deepEqual(seqs(room), range(494, 506));
  await goneTo(peer, room, 20);
  assert.deepEqual(seqs(room), range(17, 23));
  room.toNewest();
  assert.deepEqual([seqs(room), room.isPast], [range(998, 1000), false]);
  assert.ok(await room.goTo("m999"), "it is here already");
  assert.deepEqual(await peer.rest(), []);
  await client.close();
});

test("UI-02 what is near is one with the newest messages", async () => {
  const [client, peer, room] = await opened();
  await goneTo(peer, room, 995);
  assert.deepEqual([seqs(room), room.isPast, room.more], [range(992, 1000), false, true]);
  await goneTo(peer, room, 985);
  assert.ok(room.isPast);
  const newer = room.loadNewer();
  await page(peer, { after: 988 }, 989, 991);
  await newer;
  assert.deepEqual(seqs(room), range(982, 991));
  const last = room.loadNewer();
  await page(peer, { after: 991 }, 992, 994);
  await last;
  assert.deepEqual([seqs(room), room.isPast], [range(982, 1000), false]);
  await room.loadNewer();
  assert.deepEqual(await peer.rest(), []);
  await client.close();
});

test("UI-02 at the beginning there is nothing older", async () => {
  const [client, peer, room] = await opened();
  const going = room.goTo("m2");
  await page(peer, { around: "m2" }, 1, 5);
  assert.ok(await going);
  assert.ok(!room.more);
  await room.loadOlder();
  assert.deepEqual(await peer.rest(), []);
  await client.close();
});

test("UI-02 what happens to what is shown far back is shown, and what is said is not", async () => {
  const [client, peer, room] = await opened();
  const going = room.goTo("m500");
  const asked = await peer.expect("message.history");
  const edited = (seq: number, of: number) => ({
    ...{ t: "message.edited", c: "c", seq, ts: seq },
    d: { id: `e${seq}`, by: "bob", message_id: `m${of}`, message_seq: of, text: `now ${seq}`, version: seq },
  });
  await peer.say(edited(LAST + 1, 500)); // the page is as of before
  await peer.reply(asked, { messages: messages(499, 501), more: true, seq: LAST });
  assert.ok(await going);
  await peer.say(edited(LAST + 2, 501));
  await peer.push(LAST + 3);
  const texts = () => room.messages.map((each) => each.text);
  assert.deepEqual(texts(), ["text 499", `now ${LAST + 1}`, `now ${LAST + 2}`]);
  room.active = true;
  assert.deepEqual(await peer.rest(), [], "what is not shown is not read");
  room.toNewest();
  assert.equal(texts().at(-1), `text ${LAST + 3}`);
  await client.close();
});

test("UI-02 who says something is at the newest messages", async () => {
  const [client, peer, room] = await opened();
  await goneTo(peer, room, 500);
  void room.goTo("m20"); // is wanted no more, either
  room.send("hello", { reply_to: "m500" });
  const last = room.messages.at(-1)!;
  assert.deepEqual([room.isPast, last.text, last.preview!.text], [false, "hello", "text 500"]);
  const asked = await peer.expect("message.history");
  await peer.reply(asked, { messages: messages(17, 23), more: true, seq: LAST });
  assert.ok(!room.isPast);
  await client.close();
});

test("UI-02 a message that is not there is not gone to, nor one that is wanted no more", async () => {
  const [client, peer, room] = await opened();
  const going = room.goTo("gone");
  await peer.refuse(await peer.expect("message.history"), "MESSAGE_NOT_FOUND");
  assert.equal(await going, false);
  await peer.say({
    ...{ t: "message.hidden", n: 1, ts: 1 },
    d: { conversation: "c", message_id: "m999", message_seq: 999, counted: true },
  });
  assert.equal(await room.goTo("m999"), false, "it is hidden");
  const first = room.goTo("m500");
  const asked = await peer.expect("message.history");
  await goneTo(peer, room, 300);
  await peer.reply(asked, { messages: messages(499, 501), more: true, seq: LAST });
  assert.equal(await first, false);
  assert.deepEqual(seqs(room), range(297, 303));
  await client.close();
});
