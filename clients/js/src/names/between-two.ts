/** What products that know only pairs say of a message: to whom it went, and when they read it. */

import type { ConversationInfo, HistoryMessage } from "../wire.js";

export interface Addressee {
  /** Undefined if nobody else is there. */
  recipient: string | undefined;
  isRead: boolean;
  /** When they last read on, which may have been after they read this message. */
  readAt: string | null;
}

type Placed = Pick<HistoryMessage, "by" | "seq">;

export function addressee({ members }: ConversationInfo, { by, seq }: Placed): Addressee {
  const recipient = other(Object.keys(members), by);
  const mark = recipient === undefined ? undefined : members[recipient]!.read;
  const isRead = mark !== undefined && mark.seq >= seq;
  return { recipient, isRead, readAt: isRead && mark.at > 0 ? iso(mark.at) : null };
}

export function other(members: readonly string[], user: string | undefined): string | undefined {
  return members.find((member) => member !== user);
}

/** ISO 8601, as these products tell times. */
export const iso = (ms: number) => new Date(ms).toISOString();
