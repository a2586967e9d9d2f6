/** What was found: conversations by their names, and messages by their words. */

import type { HistoryMessage } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { Hit } from "./hit.js";
import { useSession, useModel, useNames } from "./hooks.js";
import { RowView } from "./row.js";
import { titleOf } from "./titles.js";

const WAIT_MS = 250;

type Hit = HistoryMessage & { c: string };

interface Props {
  query: string;
  onOpen(c: string, message?: { id: string; seq: number }): void;
}

export function SearchResults({ query, onOpen }: Props) {
  const { client, user: me } = useSession();
  const inbox = useModel(client.inbox);
  const names = useNames();
  const [hits, setHits] = useState<Hit[]>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let current = true;
    const timer = setTimeout(async () => {
      try {
        const found = await client.search({ query });
        if (!current) return;
        setHits(found.hits);
        setProblem(undefined);
      } catch (error) {
        if (current) setProblem((error as Error).message);
      }
    }, WAIT_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [client, query]);
  const wanted = query.toLowerCase();
  const titled = inbox
    .rows("all")
    .map((row) => ({ row, title: titleOf(row, me, names) }))
    .filter(({ title }) => title.toLowerCase().includes(wanted));
  return (
    <div class="found" aria-live="polite">
      {titled.length > 0 && <h2>Conversations</h2>}
      <ul class="rows">
        {titled.map(({ row, title }) => (
          <RowView key={row.c} row={row} title={title} open={false} onOpen={() => onOpen(row.c)} />
        ))}
      </ul>
      <h2>Messages</h2>
      {problem && <p class="empty">{problem}</p>}
      <ul class="rows">
        {hits?.map((hit) => (
          <li key={hit.id}>
            <Hit c={hit.c} message={hit} onOpen={() => onOpen(hit.c, hit)}>
              {marked(hit.text ?? "", query)}
            </Hit>
          </li>
        ))}
      </ul>
      {hits === undefined && !problem && <p class="empty">Searching…</p>}
      {hits?.length === 0 && !problem && <p class="empty">No message says that.</p>}
    </div>
  );
}

/** The words that were looked for, marked. */
function marked(text: string, query: string) {
  const words = query.split(/\s+/).map((word) => word.replace(/[^\p{L}\p{N}]/gu, "")).filter(Boolean);
  if (words.length === 0) return text;
  const parts = text.split(new RegExp(`(${words.join("|")})`, "giu"));
  return parts.map((part, index) => (index % 2 ? <mark key={index}>{part}</mark> : part));
}
