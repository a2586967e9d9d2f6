/** The conversations of a view; or that there are none, not yet, or that something is wrong. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Point } from "./context-menu.js";
import { attempt, useNames, useSession } from "./hooks.js";
import { RowMenu } from "./row-menu.js";
import { MovableRow } from "./row.js";
import { titleOf } from "./titles.js";
import { EMPTY, filterOf, useLoading, useRows, VIEWS, type Loading, type View } from "./views.js";
import { VirtualList } from "./virtual-list.js";

/** Pixels; as the style has it. */
const ROW = 64;

interface Props {
  view: View;
  open: string | undefined;
  onOpen(c: string): void;
  /** It is no longer in the inbox. */
  onGone(c: string): void;
  onNew(): void;
}

export function InboxList({ view, open, onOpen, onGone, onNew }: Props) {
  const { client, user: me } = useSession();
  const { inbox } = client;
  const names = useNames();
  const rows = useRows()(view, open);
  const [loading, retry] = useLoading(inbox, view);
  const [menu, setMenu] = useState<{ c: string; at: Point }>();
  const paging = useRef(false);
  const filter = filterOf(view);
  const more = () => {
    if (paging.current || loading !== "ready" || !inbox.more(filter)) return;
    paging.current = true;
    attempt(() => inbox.loadMore(filter).finally(() => (paging.current = false)));
  };
  // Of what was loaded nothing may be of this view, and yet there is some.
  const further = rows.length === 0 && loading === "ready" && inbox.more(filter);
  useEffect(() => {
    if (further) more();
  });
  const asked = menu && inbox.get(menu.c);
  if (rows.length === 0) {
    const state = further ? "loading" : loading;
    return <Nothing view={view} loading={state} onRetry={retry} onNew={onNew} />;
  }
  return (
    <>
      <VirtualList
        key={view}
        items={rows}
        keyOf={(row) => row.c}
        height={ROW}
        label={`Conversations: ${VIEWS[view]}`}
        onNearEnd={more}
      >
        {(row, tabIndex) => (
          <MovableRow
            row={row}
            title={titleOf(row, me, names)}
            open={row.c === open}
            tabIndex={tabIndex}
            onOpen={() => onOpen(row.c)}
            onMenu={(at) => setMenu({ c: row.c, at })}
          />
        )}
      </VirtualList>
      {menu && asked && (
        <RowMenu
          key={menu.c}
          row={asked}
          title={titleOf(asked, me, names)}
          at={menu.at}
          onClose={() => setMenu(undefined)}
          onGone={() => onGone(menu.c)}
        />
      )}
    </>
  );
}

type NothingProps = Pick<Props, "view" | "onNew"> & { loading: Loading; onRetry(): void };

function Nothing({ view, loading, onRetry, onNew }: NothingProps) {
  if (loading === "loading") {
    return (
      <div class="waiting" role="status" aria-label="Loading conversations">
        {Array.from({ length: 6 }, (_, index) => (
          <span key={index} />
        ))}
      </div>
    );
  }
  if (loading !== "ready") {
    return (
      <div class="empty" role="alert">
        <p>The conversations could not be loaded: {loading.message}</p>
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      </div>
    );
  }
  return (
    <div class="empty">
      <p>{EMPTY[view]}</p>
      {view === "all" && (
        <button type="button" class="main" onClick={onNew}>
          Write to somebody
        </button>
      )}
    </div>
  );
}
