import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "./support/clock.js";
import { Server } from "./support/server.js";

/** As much of a browser's page as the client looks at. */
class Page extends EventTarget {
  visibilityState: "visible" | "hidden" = "visible";
  listeners = 0;

  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    this.listeners++;
    super.addEventListener(...args);
  }

  override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void {
    this.listeners--;
    super.removeEventListener(...args);
  }

  hasFocus(): boolean {
    return this.visibilityState === "visible";
  }

  async show(how: "visible" | "hidden"): Promise<void> {
    this.visibilityState = how;
    this.dispatchEvent(new Event("visibilitychange"));
    await settled();
  }
}

async function inPage(act: (page: Page) => Promise<void>): Promise<void> {
  const page = new Page();
  const globals = {
    document: page,
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  try {
    await act(page);
  } finally {
    for (const name of Object.keys(globals)) delete (globalThis as any)[name];
  }
}

test("what was read is told before the page may be gone", async () => {
  await inPage(async (page) => {
    const server = new Server();
    const [client, peer] = await server.online();
    client.reads.read("c", 5);
    assert.deepEqual(await peer.rest(), []);
    await page.show("hidden");
    const asked = await peer.expect("message.read");
    assert.deepEqual([asked.c, asked.d], ["c", { seq: 5 }]);
    await client.close();
  });
});

test("who looks at the page again, or has a network again, does not wait", async () => {
  await inPage(async (page) => {
    const server = new Server();
    const [client, peer] = await server.online();
    await page.show("hidden");
    server.down = true;
    await peer.drop();
    await page.show("visible");
    assert.equal(server.attempts.length, 2);
    server.down = false;
    page.dispatchEvent(new Event("online"));
    await settled();
    assert.equal(server.attempts.length, 3);
    await (await server.peer()).welcome();
    await client.close();
    assert.equal(page.listeners, 0);
  });
});
