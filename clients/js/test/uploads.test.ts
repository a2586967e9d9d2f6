import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientClosed, Rejected, UploadFailed, type Http, type HttpRequest } from "../src/index.js";
import { httpAddress } from "../src/connection.js";
import { http } from "../src/http.js";
import { Server } from "./support/server.js";

const told = (status: number, said: object) => ({ status, text: JSON.stringify(said) });
const cat = () => new File(["meow"], "cat.txt", { type: "text/plain;charset=utf-8" });

/** A server for files, through `troubles`: each spoils one request. */
function files() {
  const asked: HttpRequest[] = [];
  const troubles: (Error | ReturnType<typeof told>)[] = [];
  const http: Http = async (request) => {
    asked.push(request);
    const trouble = troubles.shift();
    if (trouble instanceof Error) throw trouble;
    if (request.method === "PUT") request.progress!(4);
    return trouble ?? told(200, { id: "f1" });
  };
  const server = new Server();
  const client = server.client({ http, httpUrl: "https://chat.example.org/" });
  const steps = () => asked.splice(0).map(({ method }) => method);
  return { asked, troubles, server, client, steps };
}

test("a file is announced, filled and completed", async () => {
  const { asked, client } = files();
  const progress: number[][] = [];
  const id = await client.upload(cat(), { progress: (...how) => progress.push(how) });
  assert.equal(id, "f1");
  assert.deepEqual(
    asked.map(({ method, url }) => `${method} ${url}`),
    [
      "POST https://chat.example.org/v1/attachments",
      "PUT https://chat.example.org/v1/attachments/f1",
      "POST https://chat.example.org/v1/attachments/f1/complete",
    ],
  );
  const announced = { name: "cat.txt", mime: "text/plain", size: 4 };
  assert.deepEqual(JSON.parse(asked[0]!.body as string), announced);
  assert.ok(asked.every(({ headers }) => headers!["Authorization"] === "Bearer token"));
  assert.deepEqual(progress, [[4, 4]]);
});

test("CLI-12 what does not get through is tried again, and then by hand", async () => {
  const { client, server, steps, troubles } = files();
  const slow = { code: "UPLOAD_TIMEOUT", retryable: true, retry_after: 5, detail: "Slow." };
  troubles.push(new Error("broken"), told(200, { id: "f1" }), told(408, slow));
  const id = client.upload(cat());
  await server.clock.advance(1_000);
  assert.deepEqual(steps(), ["POST", "POST", "PUT"]);
  await server.clock.advance(5_999);
  assert.deepEqual(steps(), []);
  await server.clock.advance(1);
  assert.equal(await id, "f1");
  assert.deepEqual(steps(), ["PUT", "POST"]);

  troubles.push(...[1, 2, 3, 4].map(() => new Error("broken")));
  const lost = assert.rejects(client.upload(cat()), (error) => {
    assert.ok(error instanceof UploadFailed);
    assert.equal(error.message, "not uploaded: broken");
    return true;
  });
  await server.clock.advance(7_000);
  await lost;
  assert.deepEqual(steps(), ["POST", "POST", "POST", "POST"]);
  assert.equal(await client.upload(cat()), "f1", "the file is still there to be given again");
});

test("CLI-12 what the server does not take is not tried again", async () => {
  const { client, steps, troubles } = files();
  const no = { code: "ATTACHMENT_TOO_LARGE", retryable: false, details: { max_bytes: 3 } };
  troubles.push(told(413, no));
  await assert.rejects(client.upload(cat()), (error) => {
    assert.ok(error instanceof Rejected);
    assert.deepEqual([error.code, error.details], ["ATTACHMENT_TOO_LARGE", { max_bytes: 3 }]);
    return true;
  });
  assert.deepEqual(steps(), ["POST"]);
});

test("an upload can be given up", async () => {
  const { client, steps, troubles } = files();
  const over = new AbortController();
  troubles.push(new Error("broken"));
  const given = assert.rejects(client.upload(cat(), { signal: over.signal }), /enough/);
  await new Promise(setImmediate);
  over.abort(new Error("enough"));
  await given;
  assert.deepEqual(steps(), ["POST"]);
});

/** As a browser has it; the test says what becomes of it. */
class FakeRequest {
  static made: FakeRequest[] = [];
  upload: { onprogress?: (event: { loaded: number }) => void } = {};
  onload = () => {};
  onerror = () => {};
  onabort = () => {};
  status = 200;
  responseText = '{"id": "f1"}';
  said: string[] = [];

  constructor() {
    FakeRequest.made.push(this);
  }

  open(...what: string[]): void {
    this.said.push(what.join(" "));
  }

  setRequestHeader(...what: string[]): void {
    this.said.push(what.join(": "));
  }

  send(_body: unknown): void {}

  abort(): void {
    this.onabort();
  }
}

test("a browser tells how far it is, and gives up if nothing moves for a minute", async () => {
  (globalThis as any).XMLHttpRequest = FakeRequest;
  try {
    const { clock } = new Server();
    const over = new AbortController();
    const progress: number[] = [];
    const headers = { Authorization: "Bearer token" };
    const request = { method: "PUT", url: "https://chat/f1", headers, body: "meow" };
    const send = () =>
      http(clock)({ ...request, progress: (done) => progress.push(done), signal: over.signal });
    const sent = send();
    const [first] = FakeRequest.made;
    assert.deepEqual(first!.said, ["PUT https://chat/f1", "Authorization: Bearer token"]);
    await clock.advance(59_000);
    first!.upload.onprogress!({ loaded: 2 });
    await clock.advance(59_000);
    first!.onload();
    assert.deepEqual(await sent, { status: 200, text: '{"id": "f1"}' });
    assert.deepEqual([progress, clock.pending], [[2], 0]);
    const stalled = assert.rejects(send(), /nothing moved any more/);
    await clock.advance(60_000);
    await stalled;
    const broken = assert.rejects(send(), /the connection broke/);
    FakeRequest.made.at(-1)!.onerror();
    await broken;
    const left = assert.rejects(send());
    over.abort();
    await left;
    assert.equal(clock.pending, 0);
  } finally {
    delete (globalThis as any).XMLHttpRequest;
  }
});

test("who has left uploads no more, nor goes on", async () => {
  const { client, steps, troubles } = files();
  troubles.push(new Error("broken"));
  const begun = assert.rejects(client.upload(cat()), ClientClosed);
  await new Promise(setImmediate);
  await client.close();
  await begun;
  await assert.rejects(client.upload(cat()), ClientClosed);
  assert.deepEqual(steps(), ["POST"]);
});

test("where files go if it is not said", () => {
  for (const [url, http] of [
    ["ws://localhost:8765/v1/ws", "http://localhost:8766"],
    ["wss://chat.example/v1/ws", "https://chat.example"],
    ["ws://[::1]:80/", "http://[::1]"],
  ] as const) {
    assert.equal(httpAddress(url), http);
  }
});
