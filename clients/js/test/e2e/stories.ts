/** What two people do with the client, against a real server: the stories of the Python client
 * (tests/gateway/client/test_against_the_gateway.py), under the same names. */

import assert from "node:assert/strict";
import { Refused, Rejected, systemClock, type Clock, type Page } from "../../src/index.js";
import { pair, range, shown, until, whole, type World } from "./world.js";

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
  const nothing = ann.client.edit(c, "00000000-0000-0000-0000-000000000000", "x");
  await assert.rejects(nothing, (error) => {
    assert.ok(error instanceof Rejected);
    assert.equal(error.code, "MESSAGE_NOT_FOUND");
    return true;
  });
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

/** The server takes sixty messages at once, and one a second after that. */
export async function a_backlog_above_the_rate_arrives_whole_and_in_order(
  world: World,
): Promise<void> {
  const [ann, bob, c] = await pair(world);
  ann.cut();
  const room = ann.client.conversation(c);
  const said = range(63).map(String);
  for (const text of said) room.send(text);
  assert.deepEqual(shown(room), said);
  const start = Date.now();
  ann.back();
  await until("all", () => bob.texts(c).length === said.length);
  assert.ok(Date.now() - start > 2_000, "the rate was kept to");
  assert.deepEqual(bob.texts(c), said);
  await until("replies", () =>
    room.messages.every((each) => each.status === "sent" || each.status === "delivered"),
  );
  assert.deepEqual(shown(room), said);
}

export async function too_much_missed_is_to_be_reloaded(world: World): Promise<void> {
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

export async function a_drain_is_quick_and_says_when_to_come_back(world: World): Promise<void> {
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

/** A clock on which ten seconds pass in one. */
const hurried: Clock = {
  now: () => Date.now() * 10,
  after: (ms, act) => systemClock.after(ms / 10, act),
};

export async function a_token_is_renewed_before_it_runs_out(world: World): Promise<void> {
  const user = `ann ${crypto.randomUUID()}`;
  let made = 0;
  const fresh = () => {
    made++;
    return world.token(user, 3);
  };
  const ann = world.device(user, { clock: hurried }, fresh);
  await ann.client.connected();
  const start = Date.now();
  await until("the end of the first", () => Date.now() - start > 4_000);
  assert.ok(made > 2);
  const lost = ann.pushes.filter((push) => push.type === "state" && push.state === "waiting");
  assert.deepEqual(lost, []);
  assert.equal((await ann.client.conversations()).unread, 0);
}

export async function joining_leaving_and_what_is_called_back(world: World): Promise<void> {
  const [ann, bob] = await pair(world);
  const c = await ann.client.createGroup([bob.client.user!], "Team");
  const heard: string[] = [];
  bob.client.on("typing.started", ({ data }) => heard.push(`${data.by} types`));
  bob.client.on("typing.stopped", ({ data }) => heard.push(`${data.by} types no more`));
  bob.client.on("message.sent", ({ data }) => heard.push(data.text));
  await bob.client.subscribe(c);
  await ann.client.typing(c);
  await until("typing", () => heard.length === 1);
  await bob.client.unsubscribe(c);
  await ann.client.typing(c, false);
  await ann.client.send(c, "hello");
  await until("hello", () => heard.includes("hello"));
  assert.deepEqual(heard, [`${ann.client.user} types`, "hello"], "only those who have joined");
}

export async function messages_are_fetched_by_page_or_before_one(world: World): Promise<void> {
  const { client } = world.device(`ann ${crypto.randomUUID()}`, { pushes: false });
  const c = await client.createGroup(["bob"]);
  for (const n of range(5)) await client.send(c, `${n}`);
  const texts = (page: Page) => page.messages.map(({ text }) => text);
  const page = await client.history(c, { page: 2, limit: 2 });
  assert.deepEqual([page.page, page.total, page.total_pages], [2, 5, 3]);
  assert.deepEqual(texts(page), ["2", "3"]);
  const newest = await client.history(c, { limit: 2 });
  const before = await client.history(c, { before: newest.messages[0]!.seq, limit: 2 });
  assert.deepEqual(texts(before), ["2", "3"]);
}

export async function what_one_keeps_to_oneself(world: World): Promise<void> {
  const { client } = world.device(`ann ${crypto.randomUUID()}`, { pushes: false });
  const sent = await client.sendTo("bob", "lunch at one");
  const c = sent.c!;
  await client.star(c, sent.id!);
  const { stars } = await client.stars();
  assert.deepEqual(
    stars.map(({ message }) => message.id),
    [sent.id],
  );
  await client.saveDraft(c, "and dinn");
  await client.prefer(c, { muted: true });
  const found = async () => (await client.search({ query: "lunch", conversation: c })).hits;
  while ((await found()).length === 0); // the index is filled behind
  assert.deepEqual((await found())[0]!.id, sent.id);
  await client.schedule(c, "1", sent.ts! + 86_400_000, { text: "later" });
  const { scheduled } = await client.scheduled();
  assert.deepEqual(
    scheduled.map(({ id }) => id),
    ["1"],
  );
  await client.cancelScheduled("1");
  assert.equal((await client.settings()).read_receipts, true);
  assert.deepEqual((await client.conversations({ filter: "archived" })).conversations, []);
}

export async function a_deletion_and_its_restoring_find_their_answers(
  world: World,
): Promise<void> {
  const ann = world.device(`ann ${crypto.randomUUID()}`, { pushes: false });
  const { c, id } = await ann.client.sendTo("bob", "hello");
  await ann.client.delete(c!, id!);
  const restored = ann.client.restore(c!, id!);
  await Promise.resolve(); // it is written, and then the connection breaks
  ann.drop();
  assert.equal((await restored).c, c);
  assert.equal((await ann.client.history(c!)).messages[0]!.text, "hello");
}
