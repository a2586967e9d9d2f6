// A palaver client in plain JavaScript, from docs/protocol.md alone: no library at all. It talks
// with one other user, and goes on where it was when the server was killed and is back.
//
//     node --experimental-websocket plain-node.mjs ws://127.0.0.1:8765/v1/ws TOKEN bob
//
// (Node 22 and browsers have WebSocket without a flag.) Lines of stdin are messages; what is said is
// printed as `seq by: text`. A `-- forget after 7` takes back what the server never stored (§7).

import { createInterface } from "node:readline";

const [url, token, other] = process.argv.slice(2);

let socket; //          the connection, if there is one that was welcomed
let conversation; //    with `other`
let position; //        (epoch, seq) of the last item taken (§7)
let [loaded, resuming, sending] = [false, false, false];
let advice = 0; //      seconds that the server wants to be left alone
let refusal; //         why signing in was refused
let [tries, nextId, heard] = [0, 1, 0]; // `heard`: when anything came last
const calls = new Map(); // by id: what to do with the reply
const queue = []; //       messages that have no reply yet, the oldest first (§4)
const shown = new Map(); // messages by id

// --- The connection (§1, §3) ---

function connect() {
  const connection = new WebSocket(url, "palaver.v1.json");
  const giveUp = setTimeout(() => connection.close(), 10_000);
  const over = ({ code = 1006 }) => {
    clearTimeout(giveUp);
    connection.onclose = connection.onerror = null; // Node 20 tells one of the two, or both
    closed(code);
  };
  const hello = { t: "hello", id: nextId++, v: 1, d: { token, device: "plain node" } };
  connection.onopen = () => connection.send(JSON.stringify(hello));
  connection.onmessage = ({ data }) => {
    heard = Date.now();
    const frame = JSON.parse(data);
    for (const item of Array.isArray(frame) ? frame : [frame]) {
      if (item.t === "welcome") {
        clearTimeout(giveUp);
        welcomed(connection, item.d);
      } else if (!socket) refusal = item.error;
      else take(item);
    }
  };
  connection.onclose = connection.onerror = over;
}

function welcomed(connection, { heartbeat }) {
  [socket, tries] = [connection, 0];
  const watch = setInterval(() => {
    if (socket !== connection) return clearInterval(watch);
    if (Date.now() - heard > 2000 * heartbeat) connection.close();
    else say({ t: "ping", id: nextId++ });
  }, 1000 * heartbeat);
  if (loaded) resume();
  else begin();
}

/** Come back after a random time, or never: the close code decides (§7, §10). */
function closed(code) {
  socket = undefined;
  calls.clear();
  resuming = false;
  // Whether the message that was on its way got through, nobody knows: the next try says so.
  if (sending) again(queue[0]);
  sending = false;
  if (code >= 3500 || [1002, 1003, 1007, 1009].includes(code)) {
    console.error(`refused: ${refusal?.message ?? code}`);
    process.exit(1);
  }
  const wait = advice + Math.random() * Math.min(30, 2 ** tries++);
  advice = 0;
  setTimeout(connect, wait * 1000);
}

const say = (item) => socket?.send(JSON.stringify(item));

/** A command; what is given is called with the answer, in line with the pushes round it. */
function call(t, d, then, refused = fail) {
  const id = nextId++;
  calls.set(id, { then, refused });
  say({ t, id, d, ...(conversation && { c: conversation }) });
}

function fail(error) {
  console.error(`${error.code}: ${error.message}`);
  if (!error.retryable) process.exit(1);
  socket?.close(1000);
}

// --- What comes (§5, §7) ---

function take(item) {
  const { t, id, c, seq, d } = item;
  if (t === "reply") {
    const asked = calls.get(id);
    calls.delete(id);
    if (item.error) asked?.refused(item.error);
    else asked?.then(item.ok);
  } else if (t === "ping") say({ ...item, t: "pong" });
  else if (t === "goodbye") advice = d?.reconnect_after ?? 0;
  else if (c !== conversation || !position) return;
  else if (t === "conversation.head") {
    if (d.epoch !== position.epoch || d.seq > position.seq) resume();
  } else if (seq === undefined) return;
  else if (t === "void") takeBack(d.of), step(seq, seq);
  else if (step(t === "skipped" ? d.from : seq, seq)) show(t, item);
}

/** The rule for an item with a seq: whether to take it. */
function step(from, seq) {
  if (seq <= position.seq) return false;
  if (from > position.seq + 1) return resume();
  position.seq = seq;
  return true;
}

function show(kind, { seq, d }) {
  if (kind === "message.sent" && !shown.has(d.id)) {
    shown.set(d.id, { id: d.id, seq });
    console.log(d.redacted ? `${seq} ${d.by} deleted this` : `${seq} ${d.by}: ${d.text}`);
    say({ t: "ack", c: conversation, seq });
  } else if (kind === "message.edited") console.log(`${d.message_seq} now says: ${d.text}`);
  else if (kind === "message.deleted") console.log(`${d.message_seq} is deleted`);
}

function takeBack(id) {
  if (shown.has(id)) console.log(`${shown.get(id).seq} was never stored`);
  shown.delete(id);
}

/** The conversation is made if need be; then its position comes before its messages. */
function begin() {
  if (conversation) return load();
  const made = { kind: "direct", members: [other], client_id: `with ${other}` };
  call("conversation.create", made, ({ c }) => {
    conversation = c;
    load();
  });
}

function load() {
  loaded = false;
  call("conversation.get", {}, ({ epoch, seq }) => (position = { epoch, seq }));
  call("message.history", { limit: 100 }, ({ messages }) => {
    for (const { seq, ...d } of messages) show("message.sent", { seq, d });
    loaded = true;
    send();
  });
}

/** Every event after the position comes before the answer, or none does. */
function resume() {
  if (resuming) return;
  resuming = true;
  call("conversation.resume", position, ({ recovered, epoch, seq, reason, reload_after = 0 }) => {
    resuming = false;
    if (recovered) position = { epoch, seq: Math.max(seq, position.seq) };
    if (recovered) return send();
    if (reason === "not_member") fail({ code: reason, message: "no member any more" });
    if (reason !== "too_far") {
      console.log(`-- forget after ${reload_after}`);
      for (const { id, seq } of shown.values()) if (seq > reload_after) shown.delete(id);
    }
    load();
  });
}

// --- What leaves (§4): one after another, each until it has its reply ---

function send() {
  const [message] = queue;
  if (!socket || !loaded || sending || !message) return;
  sending = true;
  const next = () => {
    queue.shift();
    sending = false;
    send();
  };
  call("message.send", message, next, ({ code, message: why, retryable, retry_after = 0 }) => {
    if (!retryable) {
      console.error(`not sent, ${why} ${message.text}`);
      return next();
    }
    sending = false;
    if (!["RATE_LIMITED", "OVERLOADED"].includes(code)) again(message); // it may have happened
    setTimeout(send, (retry_after + Math.random()) * 1000);
  });
}

const again = (message) => (message.attempt = (message.attempt ?? 1) + 1);
createInterface({ input: process.stdin }).on("line", (text) => {
  queue.push({ text, client_id: crypto.randomUUID() });
  send();
});
connect();
