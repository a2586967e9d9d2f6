/** What can be done with a conversation of the inbox. */

import type { Row } from "palaver-client";
import { useState } from "preact/hooks";
import { ContextMenu, type Point } from "./context-menu.js";
import { useClient, useModel } from "./hooks.js";
import { Icon } from "./icons.js";
import { isUnread, MUTES, useKeeping, type Keeping } from "./keeping.js";
import { DeleteSure } from "./sure.js";

interface Props {
  row: Row;
  title: string;
  at: Point;
  onClose(): void;
  /** It is in the inbox no more. */
  onGone(): void;
}

export function RowMenu({ row, title, at, onClose, onGone }: Props) {
  useModel(useClient().personal);
  const keeping = useKeeping(row.c);
  const [asked, setAsked] = useState(false);
  if (asked) {
    const remove = () => {
      keeping.remove();
      onGone();
    };
    return <DeleteSure title={title} onSure={remove} onClose={onClose} />;
  }
  return (
    <ContextMenu label={`What to do with ${title}`} at={at} onClose={onClose}>
      <button type="button" onClick={keeping.togglePin}>
        <Icon name="pin" /> {keeping.pinned ? "Unpin" : "Pin"}
      </button>
      <button type="button" onClick={() => keeping.toggleUnread(row)}>
        <Icon name={isUnread(row) ? "check" : "unread"} /> {isUnread(row) ? "Mark as read" : "Mark as unread"}
      </button>
      <button
        type="button"
        onClick={() => {
          keeping.toggleArchived();
          if (!keeping.archived) onGone();
        }}
      >
        <Icon name="archive" /> {keeping.archived ? "Unarchive" : "Archive"}
      </button>
      <MuteItems keeping={keeping} />
      <button
        type="button"
        class="danger"
        onClick={(event) => {
          event.stopPropagation(); // there is one more question
          setAsked(true);
        }}
      >
        <Icon name="remove" /> Delete
      </button>
    </ContextMenu>
  );
}

/** For how long; or no more. */
export function MuteItems({ keeping }: { keeping: Keeping }) {
  if (keeping.muted) {
    return (
      <button type="button" onClick={keeping.unmute}>
        <Icon name="mute" /> Unmute
      </button>
    );
  }
  return MUTES.map(([words, ms]) => (
    <button key={words} type="button" onClick={() => keeping.mute(ms)}>
      <Icon name="mute" /> Mute {words.toLowerCase()}
    </button>
  ));
}
