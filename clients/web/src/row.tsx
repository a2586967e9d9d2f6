/** A conversation in the inbox. */

import type { Row } from "palaver-client";
import { Avatar } from "./avatar.js";
import { useSession, useNames } from "./hooks.js";
import { Icon } from "./icons.js";
import { short, whole } from "./time.js";
import { lineOf, otherOf } from "./titles.js";

interface Props {
  row: Row;
  title: string;
  open: boolean;
  onOpen(): void;
}

export function RowView({ row, title, open, onOpen }: Props) {
  const { client, user: me } = useSession();
  const names = useNames();
  const other = otherOf(row, me);
  const { muted_until = 0, pinned_at = 0, unread: marked = false } = row.preference ?? {};
  const draft = open ? undefined : client.personal.drafts.get(row.c)?.text;
  const unread = row.unread > 0 || marked;
  return (
    <li>
      <button type="button" class="row" aria-current={open} data-unread={unread} onClick={onOpen}>
        <Avatar user={other ?? row.c} name={title} />
        <span class="words">
          <span class="title">{title}</span>
          <span class="line">
            {draft ? (
              <>
                <em>Draft:</em> {draft}
              </>
            ) : (
              lineOf(row.last, me, names, row.kind === "direct")
            )}
          </span>
        </span>
        <span class="facts">
          <time dateTime={new Date(row.ts).toISOString()} title={whole(row.ts)}>
            {short(row.ts)}
          </time>
          <span>
            {pinned_at > 0 && <Icon name="pin" />}
            {muted_until > Date.now() && <Icon name="mute" />}
            {unread && (
              <span class="badge">
                {row.unread || "•"}
                <span class="hidden"> unread</span>
              </span>
            )}
          </span>
        </span>
      </button>
    </li>
  );
}
