/** The inbox: what there is, what is unread, and a way to everything else. */

import type { Filter } from "palaver-client";
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
            {Object.entries(FILTERS).map(([name, label]) => (
              <button
                key={name}
                type="button"
                aria-pressed={filter === name}
                onClick={() => setFilter(name as Filter)}
              >
                {label}
                {name === "unread" && inbox.unread > 0 && <span class="badge">{inbox.unread}</span>}
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
          {rows.length === 0 && <p class="empty">Nothing here.</p>}
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
