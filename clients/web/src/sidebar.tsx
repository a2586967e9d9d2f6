/** The inbox: what there is, what is unread, and a way to everything else. */

import type { Filter, Inbox } from "palaver-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { ConnectionState } from "./banner.js";
import { attempt, useSession, useModel, useNames } from "./hooks.js";
import { Icon } from "./icons.js";
import { RowView } from "./row.js";
import { SearchResults } from "./search.js";
import { titleOf } from "./titles.js";

const FILTERS: Record<Filter, string> = {
  all: "All",
  unread: "Unread",
  requests: "Requests",
  archived: "Archived",
};

const EMPTY: Record<Filter, string> = {
  all: "No conversations yet.",
  unread: "You have read everything.",
  requests: "Nobody asks to write to you.",
  archived: "Nothing is archived.",
};
/** Nothing is told of requests, so they are asked for now and then. */
const REQUESTS_MS = 20_000;

interface Props {
  open: string | undefined;
  onOpen(c: string, message?: { id: string; seq: number }): void;
  onNew(): void;
  onSettings(): void;
}

export function Sidebar({ open, onOpen, onNew, onSettings }: Props) {
  const { client, user: me } = useSession();
  const inbox = useModel(client.inbox);
  useModel(client.personal);
  const names = useNames();
  const [filter, setFilter] = useState<Filter>("all");
  const [query, setQuery] = useState("");
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => attempt(() => inbox.load(filter)), [inbox, filter]);
  const requests = useRequests(inbox);
  useEffect(() => onKeys(search, () => inbox.rows("all").map((row) => row.c), open, onOpen));
  const rows = inbox.rows(filter);
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
            {(Object.keys(FILTERS) as Filter[])
              .filter((name) => name !== "requests" || requests > 0 || filter === name)
              .map((name) => (
                <button
                  key={name}
                  type="button"
                  aria-pressed={filter === name}
                  onClick={() => setFilter(name)}
                >
                  {FILTERS[name]}
                  <Count of={name === "unread" ? inbox.unread : name === "requests" ? requests : 0} />
                </button>
              ))}
          </div>
          <ul class="rows">
            {rows.map((row) => (
              <RowView
                key={row.c}
                row={row}
                title={titleOf(row, me, names)}
                open={row.c === open}
                onOpen={() => onOpen(row.c)}
              />
            ))}
          </ul>
          {rows.length === 0 && <p class="empty">{EMPTY[filter]}</p>}
          {inbox.more(filter) && rows.length > 0 && (
            <button type="button" class="link" onClick={() => attempt(() => inbox.loadMore(filter))}>
              Show more
            </button>
          )}
        </>
      )}
    </nav>
  );
}

function Count({ of }: { of: number }) {
  return of > 0 ? <span class="badge">{of}</span> : null;
}

/** How many ask to write to one. */
function useRequests(inbox: Inbox): number {
  useEffect(() => {
    // A product without requests says so; then there are none.
    const ask = () => void inbox.reload("requests").catch(() => {});
    ask();
    const timer = setInterval(ask, REQUESTS_MS);
    addEventListener("focus", ask);
    return () => {
      clearInterval(timer);
      removeEventListener("focus", ask);
    };
  }, [inbox]);
  return inbox.rows("requests").length;
}

/** Control-K searches; Alt and an arrow go to the conversation above or below. */
function onKeys(
  search: { current: HTMLInputElement | null },
  rows: () => string[],
  open: string | undefined,
  onOpen: (c: string) => void,
): () => void {
  const pressed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      search.current?.focus();
    } else if (event.altKey && step !== undefined) {
      event.preventDefault();
      const all = rows();
      const next = all[open === undefined ? 0 : all.indexOf(open) + step];
      if (next !== undefined) onOpen(next);
    }
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}
