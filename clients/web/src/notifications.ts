/** What the system shows of a new message while nobody looks at the page, if somebody wants that. */

import type { Client, ConversationEvent } from "palaver-client";
import { useEffect } from "preact/hooks";
import { nameOf, useSession } from "./hooks.js";
import { contentOf, titleOf } from "./titles.js";

const WANTED = "palaver-notifications";

export const canNotify = (): boolean => "Notification" in window;

export const notifies = (): boolean =>
  canNotify() && Notification.permission === "granted" && localStorage.getItem(WANTED) === "yes";

/** Switch it; whether it is on then: the browser may be told to forbid it. */
export async function setNotifies(on: boolean): Promise<boolean> {
  if (on && (await Notification.requestPermission()) !== "granted") {
    throw new Error("This browser does not let the page show notifications.");
  }
  localStorage.setItem(WANTED, on ? "yes" : "no");
  return on;
}

/** Not of one's own, nor where one wants quiet: in what is muted or archived. */
export function useNotifications(onOpen: (c: string) => void): void {
  const { client, user: me } = useSession();
  useEffect(() =>
    client.on("message.sent", (event) => {
      if (document.hasFocus() || event.data.by === me || !notifies()) return;
      const { muted_until = 0, archived } = client.personal.preferences.get(event.conversation) ?? {};
      if (muted_until < Date.now() && !archived) show(client, me, event, onOpen);
    }),
  );
}

function show(
  client: Client,
  me: string,
  { conversation: c, data }: ConversationEvent<"message.sent">,
  onOpen: (c: string) => void,
): void {
  const names = (user: string | undefined) =>
    user === undefined ? "" : nameOf(user, client.people.get(user));
  const row = client.inbox.get(c);
  const title = row === undefined ? names(data.by) : titleOf(row, me, names);
  const who = row?.kind === "direct" ? "" : `${names(data.by)}: `;
  // One per conversation: the next takes its place.
  const shown = new Notification(title, { body: who + contentOf(data), tag: c });
  shown.onclick = () => {
    window.focus();
    onOpen(c);
    shown.close();
  };
}
