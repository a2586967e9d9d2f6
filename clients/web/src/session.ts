/** Who uses this tab. Two tabs can be two users; a tab that is loaded again is the same one. */

import { browserOutbox, browserStore, Client } from "palaver-client";
import { GroupIcons } from "./group-icons.js";

export interface Session {
  user: string;
  client: Client;
  icons: GroupIcons;
}

interface Admission {
  token: string;
  url: string;
}

export interface Person {
  id: string;
  name: string;
}

const KEY = "palaver-user";

export const remembered = (): string | undefined =>
  new URLSearchParams(location.search).get("as") ?? sessionStorage.getItem(KEY) ?? undefined;

export function begin(user: string): Session {
  sessionStorage.setItem(KEY, user);
  const token = async () => (await admit(user)).token;
  const store = browserStore(`palaver:${user}:`);
  const client = new Client(socketAddress(), token, {
    device: "web",
    httpUrl: location.origin,
    outbox: browserOutbox(`palaver-${user}`),
    store,
  });
  const icons = new GroupIcons(client, store);
  client.connect();
  return { user, client, icons };
}

export async function end(session: Session): Promise<void> {
  sessionStorage.removeItem(KEY);
  history.replaceState(null, "", location.pathname);
  await session.client.close();
}

/** Whom the server suggests to be. */
export async function suggestions(): Promise<Person[]> {
  const answer = await fetch("demo/people");
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return (await answer.json()).people;
}

/** In development mode anybody may be anybody. */
async function admit(user: string): Promise<Admission> {
  const answer = await fetch("demo/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user }),
  });
  if (!answer.ok) throw new Error(`no token: the server answered ${answer.status}`);
  return answer.json();
}

/** Where the page says that the WebSocket listener is; its host is this page's. */
function socketAddress(): string {
  const port = document.querySelector<HTMLMetaElement>('meta[name="palaver-port"]')!.content;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${location.hostname}:${port}/v1/ws`;
}
