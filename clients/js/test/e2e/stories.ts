/** What two people do with the client, against a real server. Names as of the Python client's. */

import assert from "node:assert/strict";
import { NoAnswer, Outbox, Rejected, Refused, type Conversation } from "../../src/index.js";
import { until, type Device, type World } from "./world.js";

const range = (n: number) => Array.from({ length: n }, (_, index) => index + 1);

/** Two devices in a conversation of their own. */
async function pair(world: World, options: object = {}): Promise<[Device, Device, string]> {
  const id = crypto.randomUUID();
  const ann = world.device(`ann ${id}`, options);
  const bob = world.device(`bob ${id}`);
  await bob.client.connected();
  const c = await ann.client.createDirect(`bob ${id}`);
  await until("the conversation", () => bob.seqs(c).length > 0);
  return [ann, bob, c];
}

const shown = (room: Conversation) => room.messages.map((each) => each.text);

/** It saw every event, once and in order, from the first on. */
function whole(device: Device, c: string): void {
  const seqs = device.seqs(c);
  assert.deepEqual(seqs, range(seqs.length));
}

export async function two_users_talk(world: World): Promise<void> {
  const [ann, bob, c] = await pair(world);
  const [here, there] = [ann.client.conversation(c), bob.client.conversation(c)];
  await until("both", () => here.phase === "ready" && there.phase === "ready");
  here.keystroke();
  await until("typing", () => there.typing.length === 1);
  here.send("hello");
  await until("hello", () => shown(there).includes("hello") && there.typing.length === 0);
  await until("sent", () => here.messages[0]!.status !== "sending");
  await bob.client.inbox.load();
  await until("unread", () => bob.client.inbox.unread === 1 && there.unread === 1);
  there.active = true;
  await bob.client.reads.flush();
  await until("read", () => here.messages[0]!.status === "read");
  assert.deepEqual(here.whoHas(here.messages[0]!), [bob.client.user]);
  there.send("hello yourself", { reply_to: there.messages[0]!.id });
  await until("an answer", () => here.messages[1]?.preview?.text === "hello");
  await there.react(there.messages[0]!, "❤️");
  await here.edit(here.messages[0]!, "hello, bob");
  await there.pin(there.messages[0]!);
  await here.delete(here.messages[0]!);
  await until("a tombstone", () => there.messages[0]!.redacted === true);
  const fresh = await bob.client.history(c);
  for (const [n, message] of fresh.messages.entries()) {
    const { client_id: _, status: __, ...seen } = there.messages[n]!;
    assert.deepEqual(seen, message);
  }
  assert.deepEqual(here.info!.pins, (await ann.client.get(c)).pins);
}

export async function what_was_missed_comes_after_the_reconnect(world: World): Promise<void> {
  const [ann, bob, c] = await pair(world);
  await ann.client.send(c, "1");
  await until("the first", () => bob.texts(c).length === 1);
  bob.cut();
  await until("the cut", () => bob.client.state.state === "waiting");
  for (const n of range(20).slice(1)) await ann.client.send(c, `${n}`);
  bob.back();
  await until("what was missed", () => bob.texts(c).length === 20);
  await ann.client.send(c, "21");
  await until("what is new", () => bob.texts(c).length === 21);
  assert.deepEqual(bob.texts(c), range(21).map(String));
  whole(bob, c);
}

export async function calls_survive_a_connection_that_keeps_breaking(world: World): Promise<void> {
  const [ann, bob, c] = await pair(world);
  const calls = range(60).map((n) =>
    ann.client.call("message.send", { text: `${n}` }, c, { timeout: 40_000 }),
  );
  let done = false;
  const all = Promise.all(calls).finally(() => (done = true));
  for (let n = 0; n < 6 && !done; n++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    ann.drop();
    bob.drop();
    await until("a connection", () => done || ann.client.state.state === "online");
  }
  const answers = await all;
  assert.equal(new Set(answers.map((ok) => ok.id)).size, 60);
  await until("all", () => bob.texts(c).length === 60);
  assert.deepEqual(bob.texts(c).toSorted(), range(60).map(String).toSorted());
  whole(bob, c);
  whole(ann, c);
}

export async function a_backlog_arrives_whole_and_in_order(world: World): Promise<void> {
  const [ann, bob, c] = await pair(world);
  ann.cut();
  const room = ann.client.conversation(c);
  for (const n of range(50)) room.send(`${n}`);
  assert.deepEqual(shown(room), range(50).map(String));
  ann.back();
  await until("all", () => bob.texts(c).length === 50);
  assert.deepEqual(bob.texts(c), range(50).map(String));
  await until("replies", () =>
    room.messages.every((each) => each.status === "sent" || each.status === "delivered"),
  );
  assert.deepEqual(shown(room), range(50).map(String));
}

export async function too_much_missed_is_reloaded(world: World): Promise<void> {
  const [ann, bob, c] = await pair(world);
  const room = bob.client.conversation(c);
  await ann.client.send(c, "before");
  await until("before", () => shown(room).includes("before"));
  bob.cut();
  await until("the cut", () => bob.client.state.state === "waiting");
  for (const _ of range(11)) {
    await Promise.all(range(100).map((n) => ann.client.send(c, `${n}`)));
  }
  await ann.client.send(c, "after");
  bob.back();
  await until("after", () => shown(room).at(-1) === "after");
  assert.ok(bob.pushes.some((push) => push.type === "reload" && push.reason === "too_far"));
  const page = await bob.client.history(c);
  assert.deepEqual(
    room.messages.map((each) => each.id),
    page.messages.map((each) => each.id),
  );
  await ann.client.send(c, "live");
  await until("live", () => shown(room).at(-1) === "live");
}

export async function a_conversation_made_meanwhile_is_told(world: World): Promise<void> {
  const [ann, bob, c] = await pair(world);
  await bob.client.inbox.load();
  bob.cut();
  await until("the cut", () => bob.client.state.state === "waiting");
  const group = await ann.client.createGroup([bob.client.user!], "made meanwhile");
  await ann.client.send(group, "welcome");
  bob.back();
  await until("the row", () => bob.client.inbox.get(group)?.unread === 1);
  assert.deepEqual(
    bob.client.inbox.rows().map((row) => row.c),
    [group, c],
  );
  assert.equal(bob.client.inbox.get(group)!.title, "made meanwhile");
  await ann.client.send(group, "again");
  await until("live", () => bob.texts(group).includes("again"));
  await ann.client.removeMember(group, bob.client.user!);
  await until("gone", () => bob.client.inbox.get(group) === undefined);
}

export async function delivery_is_acknowledged(world: World): Promise<void> {
  const [ann, , c] = await pair(world);
  const room = ann.client.conversation(c);
  room.send("hello");
  await until("delivered", () => room.messages[0]?.status === "delivered");
}

export async function a_bad_token_is_final(world: World): Promise<void> {
  const forged = world.device("bob", {}, `${world.token("bob")}x`).client;
  await assert.rejects(forged.connected(), (error) => {
    assert.ok(error instanceof Refused);
    assert.equal(error.code, 3500);
    return true;
  });
  assert.equal(forged.state.state, "refused");
}

export async function what_is_one_s_own_is_on_all_devices(world: World): Promise<void> {
  const [ann, , c] = await pair(world);
  const id = await ann.client.send(c, "hello");
  await ann.client.star(c, id.id!);
  await ann.client.prefer(c, { pinned: true });
  const room = ann.client.conversation(c);
  room.draft.set("unfinished");
  await until("saved", () => ann.client.personal.drafts.has(c));
  const other = world.device(ann.client.user!);
  await until("the log", () => other.client.personal.drafts.get(c)?.text === "unfinished");
  assert.deepEqual([...other.client.personal.stars], [id.id]);
  assert.ok(other.client.personal.preferences.get(c)!.pinned_at! > 0);
  assert.equal(other.client.conversation(c).draft.text, "unfinished");
  room.send("finished");
  await until("cleared", () => other.client.conversation(c).draft.text === "");
}

export async function a_slow_consumer_catches_up(world: World): Promise<void> {
  const [ann, bob, c] = await pair(world);
  bob.pause();
  const metadata = { filling: "x".repeat(12_000) };
  for (const _ of range(6)) {
    await Promise.all(range(50).map((n) => ann.client.send(c, `${n}`, { metadata })));
  }
  bob.resume();
  await until("all", () => bob.texts(c).length === 300);
  assert.ok(bob.closes.length > 0, "the server gave up on it meanwhile");
  whole(bob, c);
}

export async function a_drain_says_when_to_come_back(world: World): Promise<void> {
  const [ann, bob, c] = await pair(world);
  await ann.client.send(c, "before");
  await world.ask("stop");
  await until("goodbye", () =>
    ann.pushes.some(
      (push) =>
        push.type === "state" && push.state === "waiting" && /shutting down/.test(push.reason),
    ),
  );
  const meanwhile = ann.client.call("message.send", { text: "meanwhile" }, c, { timeout: 40_000 });
  await world.ask("start");
  await meanwhile;
  await until("meanwhile", () => bob.texts(c).includes("meanwhile"));
  assert.deepEqual(bob.texts(c), ["before", "meanwhile"]);
}

/** Both talk as fast as they are answered, while the server is killed again and again. */
export async function kill_9_loses_and_doubles_nothing(world: World): Promise<void> {
  const [ann, bob, c] = await pair(world);
  const rooms = [ann, bob].map((device) => device.client.conversation(c));
  const said: string[] = [];
  let over = false;
  const talk = async (room: Conversation, name: string) => {
    for (let n = 1; !over; n++) {
      said.push(`${name} ${n}`);
      room.send(`${name} ${n}`);
      const { outbox } = (name === "ann" ? ann : bob).client;
      await new Promise((resolve) => setTimeout(resolve, 2));
      await until("room in the outbox", () => outbox.waiting.length < 100 || over);
    }
  };
  const talking = [talk(rooms[0]!, "ann"), talk(rooms[1]!, "bob")];
  for (const _ of range(2)) {
    const before = said.length;
    await until("some talk", () => said.length > before + 50);
    await world.ask("kill");
    await world.ask("start");
    await until("both are back", () =>
      [ann, bob].every((each) => each.client.state.state === "online"),
    );
  }
  over = true;
  await Promise.all(talking);
  await until("all is sent", () =>
    [ann, bob].every((each) => each.client.outbox.waiting.length === 0),
  );
  const history = await world.history(ann.client.user!, c);
  assert.deepEqual(history.toSorted(), said.toSorted(), "each once");
  for (const name of ["ann", "bob"]) {
    const own = (text: string) => text.startsWith(name);
    assert.deepEqual(history.filter(own), said.filter(own), `what ${name} said is in order`);
  }
  const newest = history.slice(-50);
  for (const room of rooms) {
    await until("both show the same", () =>
      newest.every((text, n) => shown(room).slice(-50)[n] === text),
    );
    assert.equal(new Set(shown(room)).size, shown(room).length, "nothing twice");
    assert.ok(room.messages.every((each) => each.status !== "sending" && each.status !== "failed"));
  }
}

/** The page is closed while nobody knows what became of its last command; the next one asks. */
export async function an_outbox_is_sent_again(world: World): Promise<void> {
  const outbox = new Outbox();
  const [ann, bob, c] = await pair(world, { outbox });
  const room = bob.client.conversation(c);
  await ann.client.enqueue(c, "one");
  await ann.client.enqueue(c, "two");
  ann.drop(); // whether the first got through, and its answer did not, is anybody's guess
  await ann.client.close();
  await world.ask("kill");
  await world.ask("start");
  const next = world.device(ann.client.user!, { outbox });
  await until("all is sent", () => outbox.waiting.length === 0);
  assert.deepEqual(await world.history(bob.client.user!, c), ["one", "two"]);
  await until("bob is shown", () => shown(room).length === 2);
  assert.deepEqual(shown(room), ["one", "two"]);
  await assert.rejects(next.client.send("no such conversation", "text"), Rejected);
}

/** What one shows of a conversation and of the inbox, as a page that opens now would show it. */
function picture(device: Device, c: string): object {
  const room = device.client.conversation(c);
  const { title, pins, members, member_count, settings, number } = room.info!;
  const roles = Object.entries(members).map(([user, { role }]) => [user, role]);
  const row = device.client.inbox.get(c)!;
  return {
    messages: room.messages.map(({ client_id: _, reacted = [], ...message }) => ({
      ...message,
      reacted: reacted.toSorted(),
    })),
    info: { title, pins, member_count, settings, number, roles: roles.toSorted() },
    unread: [room.unread, row.unread, device.client.inbox.unread],
    row: { title: row.title, last: row.last, seq: row.seq, number: row.number, ts: row.ts },
  };
}

/** Three devices of two people say and do whatever comes to their minds, over a bad network. In the
 * end each shows what a page shows that opens then. */
export async function whatever_happens_all_devices_show_the_same(world: World): Promise<void> {
  const seed = Number(process.env["SEED"] ?? 1);
  let state = seed;
  const chance = (n: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % n;
  };
  const [phone, bob] = await pair(world);
  const desk = world.device(phone.client.user!);
  const devices = [phone, desk, bob];
  const c = await phone.client.createGroup([bob.client.user!], "before");
  for (const { client } of devices) await client.inbox.load();
  const rooms = devices.map((device) => device.client.conversation(c, { limit: 100 }));
  await until("all have it", () => rooms.every((room) => room.phase === "ready"));

  const act = async (n: number): Promise<unknown> => {
    const [device, room] = [devices[n]!, rooms[n]!];
    const mine = room.messages.filter((each) => each.by === device.client.user && !each.redacted);
    const own = mine[chance(mine.length || 1)];
    const any = room.messages[chance(room.messages.length || 1)];
    const told = Number.isFinite(any?.seq) ? any : undefined;
    switch (chance(12)) {
      case 0:
        return own && Number.isFinite(own.seq) && room.edit(own, `edited ${chance(1_000)}`);
      case 1:
        return own && Number.isFinite(own.seq) && chance(3) === 0 && room.delete(own);
      case 2:
      case 3:
        return told && room.react(told, ["👍", "❤️", "😀"][chance(3)]!, chance(3) > 0);
      case 4:
        return told && room.pin(told, chance(2) > 0);
      case 5:
        return device.client.rename(c, `title ${chance(1_000)}`);
      case 6:
        return told && room.send(`reply ${chance(1_000)}`, { reply_to: told.id });
      case 7:
        return room.markRead(told);
      case 8:
        return device.client.changeSettings(c, { description: `about ${chance(1_000)}` });
      default:
        return room.send(`text ${chance(10_000)}`);
    }
  };
  for (let turn = 0; turn < 250; turn++) {
    void act(chance(3)).catch((error) => {
      if (!(error instanceof NoAnswer || error instanceof Rejected)) throw error;
    });
    const device = devices[chance(3)]!;
    const what = chance(14);
    if (what === 0) device.cut();
    else if (what < 4) device.back();
    else if (what === 4) device.drop();
    if (chance(3) === 0) await new Promise((resolve) => setTimeout(resolve, chance(12)));
  }
  for (const device of devices) device.back();
  await until("all is sent", () =>
    devices.every((each) => each.client.outbox.waiting.length === 0),
  );
  for (const { client } of devices) await client.reads.flush();
  for (const room of rooms) {
    for (const each of room.messages) room.discard(each); // what answers a deleted one was refused
  }

  for (const [n, device] of devices.entries()) {
    const fresh = world.device(device.client.user!);
    await fresh.client.connected();
    await fresh.client.inbox.load();
    const room = fresh.client.conversation(c, { limit: 100 });
    await until("it is loaded", () => room.phase === "ready");
    while (room.more) await room.loadOlder();
    while (rooms[n]!.more) await rooms[n]!.loadOlder();
    let differ: unknown;
    const same = () => {
      try {
        assert.deepEqual(picture(device, c), picture(fresh, c));
        return true;
      } catch (error) {
        differ = error;
        return false;
      }
    };
    await until("the same picture", same).catch(() => {
      throw differ;
    });
  }
}
