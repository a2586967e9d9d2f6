import assert from "node:assert/strict";
import { test } from "node:test";
import { Replica } from "../src/replica.js";

/** A device and a server that loses, repeats and delays what it says, as chance wants it. */
function story(seed: number): void {
  let state = seed;
  const chance = (n: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % n;
  };
  const replica = new Replica();
  const taken: number[] = [];
  let [head, epoch] = [1, 1];
  const push = (seq: number) => {
    const step = replica.push("c", seq, seq);
    if (step === "take") taken.push(seq);
    return step;
  };
  replica.learn("c", epoch, head);
  const resume = () => {
    const claim = replica.claim("c")!;
    for (let seq = claim.seq + 1; seq <= head; seq++) push(seq);
    replica.resumed("c", { recovered: true, epoch, seq: head });
  };
  for (let n = 0; n < 200; n++) {
    const what = chance(6);
    if (what < 3) {
      head++;
      if (chance(3) > 0 && push(head) === "resume") resume();
    } else if (what === 3) {
      push(1 + chance(head)); // once more
    } else if (what === 4) {
      if (replica.head("c", epoch, head)) resume();
    } else {
      replica.disconnected();
      if (chance(2)) epoch++;
      if (replica.compare(new Map([["c", [epoch, head]]])).behind.length > 0) resume();
    }
  }
  if (replica.head("c", epoch, head)) resume();
  assert.deepEqual(
    taken,
    Array.from({ length: head - 1 }, (_, n) => n + 2),
    `seed ${seed}`,
  );
}

test("SEND-06 whatever is lost, repeated or late, each event is taken once and in order", () => {
  for (let seed = 1; seed <= 300; seed++) story(seed);
});

test("a hidden run moves the position as a whole", () => {
  const replica = new Replica();
  replica.learn("c", 1, 5);
  assert.equal(replica.push("c", 6, 9), "take");
  assert.equal(replica.push("c", 8, 10), "take");
  assert.equal(replica.push("c", 12, 14), "resume");
  assert.equal(replica.positions.get("c")!.seq, 10);
});

test("a gap is resumed once, and again if more was heard of than came", () => {
  const replica = new Replica();
  replica.learn("c", 1, 5);
  assert.equal(replica.push("c", 8, 8), "resume");
  assert.equal(replica.push("c", 10, 10), "later");
  assert.deepEqual(replica.claim("c"), { epoch: 1, seq: 5, marks: 0 });
  for (const seq of [6, 7, 8]) assert.equal(replica.push("c", seq, seq), "take");
  assert.ok(replica.resumed("c", { recovered: true, epoch: 1, seq: 8 }).again);
  assert.deepEqual(replica.claim("c"), { epoch: 1, seq: 8, marks: 0 });
});

test("marks are numbered anew in a new epoch", () => {
  const replica = new Replica();
  replica.learn("c", 1, 5, 7);
  assert.equal(replica.push("c", 9, 9), "resume");
  replica.resumed("c", { recovered: false, epoch: 2, seq: 9, reason: "diverged" });
  assert.equal(replica.positions.get("c")!.marks, 0);
});

test("an epoch never learnt is claimed to be the first", () => {
  const replica = new Replica();
  replica.push("c", 5, 5);
  assert.equal(replica.claim("c")!.epoch, 1);
});

test("who is no member any more is forgotten", () => {
  const replica = new Replica();
  replica.learn("c", 1, 5);
  const resumed = replica.resumed("c", { recovered: false, reason: "not_member" });
  assert.equal(resumed.reload, "not_member");
  assert.equal(replica.claim("c"), undefined);
});

test("after a reconnect even the next event waits until the epoch is known", () => {
  const replica = new Replica();
  replica.learn("c", 1, 5);
  replica.disconnected();
  assert.equal(replica.push("c", 6, 6), "resume");
});
