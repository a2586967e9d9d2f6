/** What helps to show messages: grouping, statuses, links. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  grouped,
  groupedByDay,
  mentionsIn,
  mayBecome,
  MessageStatus,
  parts,
  shownStatus,
} from "../src/index.js";
import type { Status } from "../src/index.js";

const said = (by: string | undefined, s: number) => ({
  ...(by === undefined ? {} : { by }),
  ts: 1_700_000_000_000 + s * 1000,
});

test("MSG-31 consecutive messages of one sender within five minutes are one group", () => {
  const messages = [
    ...[said("ann", 0), said("ann", 300), said("ann", 601), said("bob", 602)],
    ...[said(undefined, 603), said(undefined, 604), said("bob", 605)],
  ];
  assert.deepEqual(
    grouped(messages).map((group) => group.length),
    [2, 1, 1, 1, 1, 1],
  );
  assert.deepEqual(grouped(messages).flat(), messages);
  assert.deepEqual(grouped([]), []);
});

test("MSG-31 what else somebody has done is no part of what they have said", () => {
  const did = { ...said("ann", 1), kind: "member.added" };
  const messages = [said("ann", 0), did, did, { ...said("ann", 2), kind: "message.sent" }];
  assert.deepEqual(
    grouped(messages).map((group) => group.length),
    [1, 1, 1, 1],
  );
});

test("MSG-31 a day is one where the reader is", () => {
  const messages = [said("ann", 0), said("ann", 3_600), said("bob", 7_200)]; // 22:13, 23:13, 00:13
  const days = (zone: string) =>
    groupedByDay(messages, zone).map(({ day, messages }) => [day, messages.length]);
  assert.deepEqual(days("UTC"), [
    ["2023-11-14", 2],
    ["2023-11-15", 1],
  ]);
  assert.deepEqual(days("Asia/Tokyo"), [["2023-11-15", 3]]);
});

test("SEND-12 a status only goes forward", () => {
  const order: Status[] = ["sending", "sent", "delivered", "read"];
  for (const [n, now] of order.entries()) {
    for (const [m, next] of order.entries()) assert.equal(mayBecome(now, next), m > n);
    assert.equal(mayBecome(now, "failed"), now === "sending");
    assert.equal(mayBecome("failed", now), false);
  }
});

test("SEND-12 whatever comes in whatever order", () => {
  const facts: ((status: MessageStatus) => void)[] = [
    (status) => status.sent(5),
    (status) => status.marked("bob", "delivered", 5),
    (status) => status.marked("bob", "read", 6),
    (status) => status.marked("cid", "read", 5),
    (status) => status.marked("eve", "read", 9),
  ];
  for (let turn = 0; turn < facts.length; turn++) {
    const status = new MessageStatus(["bob", "cid"]);
    for (const fact of [...facts.slice(turn), ...facts.slice(0, turn)]) fact(status);
    assert.equal(status.now, "read");
  }
});

test("SEND-12 in a group the last one counts, to nobody it stays sent", () => {
  const status = new MessageStatus(["bob", "cid"]);
  status.sent(5);
  status.marked("bob", "read", 5);
  assert.equal(status.now, "sent");
  status.marked("cid", "delivered", 5);
  assert.equal(status.now, "delivered");
  const alone = new MessageStatus([]);
  alone.sent(1);
  assert.equal(alone.now, "sent");
});

test("C-44 a product shows some of them", () => {
  assert.equal(shownStatus("delivered", ["sent", "read"]), "sent");
  assert.equal(shownStatus("sending", ["sent", "read"]), undefined);
  assert.equal(shownStatus("failed", ["sent"]), undefined);
});

test("links lie where they are, whatever stands before them", () => {
  const link = { kind: "link", offset: 2, length: 7, url: "https://a.b" };
  assert.deepEqual(parts("😀 www.a.b!", [{ ...link, url: "http://www.a.b" }]), [
    { text: "😀 " },
    { text: "www.a.b", url: "http://www.a.b" },
    { text: "!" },
  ]);
  assert.deepEqual(parts("plain", [{ kind: "of later", offset: 0, length: 3 }]), [
    { text: "plain" },
  ]);
});

const called = [
  ["u1", "Bob"],
  ["u2", "Bob Brandt"],
  ["u3", "C++ (Cleo)"],
  ["u4", "Bob"],
] as const;

test("UI-03 whom a text mentions", () => {
  assert.deepEqual(mentionsIn("@Bob Brandt, @Bob and @Bob!", called), ["u2", "u1"]);
  assert.deepEqual(mentionsIn("(@C++ (Cleo))", called), ["u3"]);
  assert.deepEqual(mentionsIn("bob@Bob @Bobby @Böb @", called), []);
  assert.deepEqual(mentionsIn("@Bob", []), []);
});

test("UI-02 mentions are cut out of a text, but not out of its links", () => {
  const entities = [{ kind: "link", offset: 8, length: 9, url: "http://x/@Bob" }];
  assert.deepEqual(parts("😀 @Bob, x.de/@Bob @Bob", entities, called), [
    { text: "😀 " },
    { text: "@Bob", user: "u1" },
    { text: ", " },
    { text: "x.de/@Bob", url: "http://x/@Bob" },
    { text: " " },
    { text: "@Bob", user: "u1" },
  ]);
});
