/** What the system shows of a new message while nobody looks at the page, if somebody wants that. */

import type { Client, ConversationEvent } from "palaver-client";
import { useEffect } from "preact/hooks";
import { nameOf, useSession } from "./hooks.js";
import { messageLine, titleOf } from "./titles.js";

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
  { conversation: c, seq, at: ts, data }: ConversationEvent<"message.sent">,
  onOpen: (c: string) => void,
): void {
  const names = (user: string | undefined) =>
    user === undefined ? "" : nameOf(user, client.people.get(user));
  const row = client.inbox.get(c);
  const { attachments, ...said } = data;
  const types = attachments === undefined ? {} : { attachments: attachments.map(({ type }) => type) };
  const body = messageLine({ ...said, ...types, seq, ts }, me, names, row?.kind === "direct");
  const title = row === undefined ? names(data.by) : titleOf(row, me, names);
  // One per conversation: the next takes its place.
  const shown = new Notification(title, { body, tag: c });
  shown.onclick = () => {
    window.focus();
    onOpen(c);
    shown.close();
  };
}
