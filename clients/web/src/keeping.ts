/** How one keeps a conversation: nobody else sees it. For the inbox and for the details alike. */

import type { Row } from "palaver-client";
import { attempt, tell, useClient } from "./hooks.js";

const HOUR_MS = 3_600_000;

/** For how long: undefined is for good. */
export const MUTES: [words: string, ms: number | undefined][] = [
  ["For an hour", HOUR_MS],
  ["For a day", 24 * HOUR_MS],
  ["For a week", 7 * 24 * HOUR_MS],
  ["Always", undefined],
];

/** What can be done with it, by the state that it is in. */
export function useKeeping(c: string) {
  const client = useClient();
  const own = client.personal.preferences.get(c) ?? {};
  const { pinned_at = 0, muted_until = 0, archived = false } = own;
  const muted = muted_until > Date.now();
  const prefer = (change: Parameters<typeof client.prefer>[1]) =>
    attempt(() => client.prefer(c, change));
  return {
    pinned: pinned_at > 0,
    muted,
    mutedUntil: muted ? muted_until : undefined,
    archived,
    togglePin: () => prefer({ pinned: pinned_at === 0 }),
    mute: (ms: number | undefined) =>
      prefer(ms === undefined ? { muted: true } : { muted_until: Date.now() + ms }),
    unmute: () => prefer({ muted: false }),
    toggleArchived: () =>
      attempt(async () => {
        await client.prefer(c, { archived: !archived });
        if (!archived) tell("Archived.", () => prefer({ archived: false }));
      }),
    toggleUnread: (row: Row) =>
      isUnread(row) ? attempt(() => client.read(c)) : prefer({ unread: true }),
    remove: () => attempt(() => client.hideConversation(c)),
  };
}

export type Keeping = ReturnType<typeof useKeeping>;

/** New messages, or marked by hand. */
export const isUnread = (row: Row): boolean => row.unread > 0 || row.preference?.unread === true;
