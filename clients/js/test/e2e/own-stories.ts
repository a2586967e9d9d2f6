/** Stories that the Python client does not have: of models, of a page that is closed, and of all
 * that may happen at once. */

import assert from "node:assert/strict";
import { systemClock } from "../../src/clock.js";
import { http } from "../../src/http.js";
import { NoAnswer, Outbox, Rejected, type Conversation, type Http } from "../../src/index.js";
import { pair, range, shown, until, whole, type Device, type World } from "./world.js";

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

/** Each request gets through, and its answer gets lost the first time. */
export async function a_file_gets_through_at_last(world: World): Promise<void> {
  const lost = new Set<string>();
  const bad: Http = async (request) => {
    const answer = await http(systemClock)(request);
    const what = `${request.method} ${request.url}`;
    if (lost.has(what)) return answer;
    lost.add(what);
    throw new Error("the network");
  };
  const [ann, bob, c] = await pair(world, { httpUrl: world.httpUrl!, http: bad });
  const text = "all that there is to say";
  const progress: number[][] = [];
  const upload = await ann.client.upload(new File([text], "all.txt", { type: "text/plain" }), {
    progress: (...how) => progress.push(how),
  });
  assert.deepEqual(progress.at(-1), [text.length, text.length]);
  assert.equal(lost.size, 3);
  const { id } = await ann.client.send(c, "", { uploads: [upload] });
  await until("it", () => bob.texts(c).length === 1);
  const { attachments } = await bob.client.attachments(c, id!);
  assert.deepEqual([attachments[0]!.filename, attachments[0]!.mime], ["all.txt", "text/plain"]);
  const loaded = await fetch(new URL(attachments[0]!.url, world.httpUrl));
  assert.equal(await loaded.text(), text);
  const program = new File(["MZ"], "all.exe", { type: "application/x-msdownload" });
  await assert.rejects(ann.client.upload(program), Rejected);
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
