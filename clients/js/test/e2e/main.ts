/** Plays one story against a server that somebody else has started:
 *
 *     node dist/test/e2e/main.js STORY URL SECRET
 *
 * What is to become of the server is said on stdout (`@kill`), and done when a line comes back. */

import { once } from "node:events";
import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";
import * as stories from "./stories.js";
import { World } from "./world.js";

const [story = "", url = "", secret = ""] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin });

async function ask(what: string): Promise<void> {
  console.log(`@${what}`);
  await once(lines, "line");
}

function token(user: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const said = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user })}`;
  return `${said}.${createHmac("sha256", secret).update(said).digest("base64url")}`;
}

const play = (stories as Record<string, (world: World) => Promise<void>>)[story];
if (play === undefined) throw new Error(`there is no story ${story}`);
const world = new World(url, token, ask);
try {
  await play(world);
  await world.end();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
process.exit();
