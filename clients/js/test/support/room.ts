/** A conversation of ann and bob, answered by the test. */

import type { Item } from "../../src/codec.js";
import type { Client, Conversation } from "../../src/index.js";
import { Server, type Peer } from "./server.js";

const mark = (seq: number) => ({ seq, at: 1 });
const member = (seq = 0) => ({ role: "member", read: mark(seq), delivered: mark(seq) });

/** What `conversation.get` answers. */
export function info(seq: number, more: object = {}): Record<string, any> {
  const members = { ann: member(), bob: member() };
  const rest = { number: seq, role: "member", unread: 0, last: null, marks: 0, context: {} };
  const there = { c: "c", kind: "direct", title: null, created_at: 1, epoch: 1, seq };
  return { ...there, ...rest, members, member_count: 2, pins: {}, settings: {}, lock: {}, ...more };
}

/** As `message.history` serves it. */
export const message = (seq: number, more: object = {}) => ({
  ...{ id: `m${seq}`, seq, ts: 1000 + seq, kind: "message.sent", by: "bob", number: seq },
  ...{ text: `text ${seq}`, ...more },
});

/** Answer what a conversation asks when it loads. */
export async function load(
  peer: Peer,
  state: object,
  messages: object[],
  more = false,
): Promise<void> {
  const asked = new Map<string, Item>();
  for (const name of ["conversation.subscribe", "conversation.get", "message.history"]) {
    asked.set(name, await peer.expect(name));
  }
  const seq = (state as any).seq;
  await peer.reply(asked.get("conversation.subscribe")!);
  await peer.reply(asked.get("conversation.get")!, state);
  await peer.reply(asked.get("message.history")!, { messages, more, seq });
  await peer.refuse(await peer.expect("presence.get"), "FEATURE_DISABLED");
}

/** A conversation that has loaded. */
export async function opened(
  messages: object[] = [message(1), message(2)],
  state: object = info(2),
): Promise<[Server, Client, Peer, Conversation]> {
  const server = new Server();
  const [client, peer] = await server.online({ ackEvery: null });
  const room = client.conversation("c");
  await load(peer, state, messages);
  return [server, client, peer, room];
}
