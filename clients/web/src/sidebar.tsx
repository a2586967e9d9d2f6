/** The inbox: what there is, what is unread, and a way to everything else. */

import { useRef, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { ConnectionState } from "./banner.js";
import { useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import { InboxList } from "./inbox-list.js";
import { useKeys } from "./keys.js";
import type { Found } from "./place.js";
import { useRequests } from "./requests.js";
import { SearchResults } from "./search.js";
import { Starred } from "./starred.js";
import { useRows, VIEWS, type View } from "./views.js";

interface Props {
  open: string | undefined;
  onOpen(c: string, message?: Found): void;
  /** It is no longer in the inbox. */
  onGone(c: string): void;
  onNew(): void;
  onSettings(): void;
}

export function Sidebar({ open, onOpen, onGone, onNew, onSettings }: Props) {
  const { client, user: me } = useSession();
  const names = useNames();
  const [view, setView] = useState<View | "starred">("all");
  const [query, setQuery] = useState("");
  const search = useRef<HTMLInputElement>(null);
  const rows = useRows();
  useRequests(client.inbox);
  useKeys({
    search: () => search.current?.focus(),
    listed: () => rows("all").map((row) => row.c),
    open,
    onOpen,
  });
  const requests = rows("requests").length;
  const counts: Partial<Record<View, number>> = { unread: client.inbox.unread, requests };
  const views = (Object.keys(VIEWS) as View[]).filter(
    (each) => each !== "requests" || requests > 0 || view === "requests",
  );
  return (
    <nav class="sidebar" aria-label="Conversations">
      <header>
        <Avatar user={me} name={names(me)} />
        <div class="who">
          <h1>{names(me)}</h1>
          <ConnectionState />
        </div>
        <button type="button" class="plain" aria-label="Settings" onClick={onSettings}>
          <Icon name="settings" />
        </button>
        <button type="button" class="plain" aria-label="New conversation" onClick={onNew}>
          <Icon name="compose" />
        </button>
      </header>
      <div class="search" role="search">
        <Icon name="search" />
        <input
          ref={search}
          type="search"
          aria-label="Search conversations and messages"
          placeholder="Search"
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Escape" && setQuery("")}
        />
      </div>
      {query.trim() ? (
        <SearchResults query={query.trim()} onOpen={onOpen} />
      ) : (
        <>
          <div class="filters" role="group" aria-label="Show">
            {views.map((each) => (
              <button
                key={each}
                type="button"
                aria-pressed={view === each}
                onClick={() => setView(each)}
              >
                {VIEWS[each]}
                <Count of={counts[each] ?? 0} />
              </button>
            ))}
            <button
              type="button"
              class="starred"
              aria-label="Starred messages"
              aria-pressed={view === "starred"}
              onClick={() => setView("starred")}
            >
              <Icon name="star" filled={view === "starred"} />
            </button>
          </div>
          {view === "starred" ? (
            <Starred onOpen={onOpen} />
          ) : (
            <InboxList view={view} open={open} onOpen={onOpen} onGone={onGone} onNew={onNew} />
          )}
        </>
      )}
    </nav>
  );
}

function Count({ of }: { of: number }) {
  return of > 0 ? <span class="badge">{of}</span> : null;
}
