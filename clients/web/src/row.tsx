/** A conversation in the inbox: to be opened, drawn aside, or asked what can be done with it. */

import type { Row } from "palaver-client";
import { Avatar } from "./avatar.js";
import { below, type Point } from "./context-menu.js";
import { useSession, useNames } from "./hooks.js";
import { Icon } from "./icons.js";
import { isUnread, useKeeping } from "./keeping.js";
import { sideOf, useSwipe } from "./swipe.js";
import { short, whole } from "./time.js";
import { lineOf, otherOf } from "./titles.js";

interface Props {
  row: Row;
  title: string;
  open: boolean;
  tabIndex?: 0 | -1;
  onOpen(): void;
}

export function RowView({ row, title, open, tabIndex, onOpen }: Props) {
  const { client, user: me } = useSession();
  const names = useNames();
  const other = otherOf(row, me);
  const { muted_until = 0, pinned_at = 0 } = row.preference ?? {};
  const draft = open ? undefined : client.personal.draft(row.c)?.text;
  const unread = isUnread(row);
  const at = row.ts;
  return (
    <button
      type="button"
      class="row"
      aria-current={open}
      data-unread={unread}
      tabIndex={tabIndex}
      onClick={onOpen}
    >
      <Avatar user={other ?? row.c} name={title} />
      <span class="words">
        <span class="title">{title}</span>
        <span class="line">
          {draft ? (
            <>
              <em>Draft:</em> {draft}
            </>
          ) : (
            lineOf(row, me, names)
          )}
        </span>
      </span>
      <span class="facts">
        <time dateTime={new Date(at).toISOString()} title={whole(at)}>
          {short(at)}
        </time>
        <span>
          {pinned_at > 0 && <Icon name="pin" label="pinned" />}
          {muted_until > Date.now() && <Icon name="mute" label="muted" />}
          {unread && (
            <span class="badge" data-quiet={muted_until > Date.now()}>
              {row.unread || "•"}
              <span class="hidden"> unread</span>
            </span>
          )}
        </span>
      </span>
    </button>
  );
}

interface MovableProps extends Props {
  tabIndex: 0 | -1;
  /** What can be done with it is asked for. */
  onMenu(at: Point): void;
}

/** On touch: to the left archives it, to the right marks it, held it shows its menu. With a mouse or
 * keys there is a button, and the key or click for menus. */
export function MovableRow({ onMenu, ...props }: MovableProps) {
  const { row, title, tabIndex } = props;
  const keeping = useKeeping(row.c);
  const swipe = useSwipe(
    (side) => (side === "left" ? keeping.toggleArchived() : keeping.toggleUnread(row)),
    onMenu,
  );
  const asked = row.request === "pending"; // there is only yes and no to it
  return (
    <div
      class="movable"
      data-side={swipe.x === 0 ? undefined : swipe.x < 0 ? "left" : "right"}
      data-far={sideOf(swipe.x) !== undefined}
      {...(asked ? {} : swipe.listeners)}
      onContextMenu={(event) => {
        if (asked) return;
        event.preventDefault();
        if (!swipe.isTouched()) onMenu({ x: event.clientX, y: event.clientY });
      }}
    >
      <span class="aside" aria-hidden="true">
        <span>
          <Icon name={isUnread(row) ? "check" : "unread"} /> {isUnread(row) ? "Read" : "Unread"}
        </span>
        <span>
          {keeping.archived ? "Unarchive" : "Archive"} <Icon name="archive" />
        </span>
      </span>
      <div class="face-of-row" style={swipe.x === 0 ? undefined : `transform: translateX(${swipe.x}px)`}>
        <RowView {...props} />
        {!asked && (
          <button
            type="button"
            class="plain row-menu"
            aria-label={`What to do with ${title}`}
            aria-haspopup="true"
            tabIndex={tabIndex}
            onClick={(event) => onMenu(below(event.currentTarget))}
          >
            <Icon name="more" />
          </button>
        )}
      </div>
    </div>
  );
}
