/** What was found: conversations by their names, and messages by their words. */

import type { HistoryMessage } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { Hit } from "./hit.js";
import { attempt, useClient, useModel, useNames, useSession } from "./hooks.js";
import { RowView } from "./row.js";
import { otherOf, titleOf } from "./titles.js";

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
  const others = inbox.rows("all").flatMap((row) => otherOf(row, me) ?? []);
  const strangers = useStrangers(query, new Set([me, ...others]));
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
      {strangers.length > 0 && <h2>People</h2>}
      <ul class="rows">
        {strangers.map((user) => (
          <li key={user}>
            <Stranger user={user} onOpen={onOpen} />
          </li>
        ))}
      </ul>
      <h2>Messages</h2>
      {problem && <p class="empty">{problem}</p>}
      <ul class="rows">
        {hits?.map((hit) => (
          <li key={hit.id}>
            <Hit c={hit.c} message={hit} onOpen={() => onOpen(hit.c, hit)}>
              {excerpt(hit.text ?? "", query)}
            </Hit>
          </li>
        ))}
      </ul>
      {hits === undefined && !problem && <p class="empty">Searching…</p>}
      {hits?.length === 0 && !problem && <p class="empty">No message has these words.</p>}
    </div>
  );
}

/** How much is shown of what is said before the first word that was looked for. */
const BEFORE = 16;

/** The text about the words that were looked for, which are marked. */
function excerpt(text: string, query: string) {
  const words = query.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  if (words.length === 0) return text;
  const some = `(${words.join("|")})`;
  // As whole words; otherwise within others, of which the server knows more forms.
  const [before = "", ...rest] = [`(?<![\\p{L}\\p{N}])${some}(?![\\p{L}\\p{N}])`, some]
    .map((pattern) => text.split(new RegExp(pattern, "giu")))
    .find((parts) => parts.length > 1) ?? [text];
  const tooLong = rest.length > 0 && before.length > BEFORE;
  // From the beginning of a word, if there is one.
  const near = tooLong ? `…${before.slice(-BEFORE).replace(/^\S*\s+(?=\S)/, "")}` : before;
  return [near, ...rest].map((part, index) => (index % 2 ? <mark key={index}>{part}</mark> : part));
}

/** Those of that name with whom nothing has been said yet. */
function useStrangers(query: string, known: ReadonlySet<string>): string[] {
  const client = useClient();
  const [found, setFound] = useState<string[]>([]);
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      client.searchUsers(query).then(
        (answer) => current && setFound(answer.found),
        () => current && setFound([]), // there is no such thing as finding people
      );
    }, WAIT_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [client, query]);
  return found.filter((user) => !known.has(user));
}

function Stranger({ user, onOpen }: { user: string; onOpen(c: string): void }) {
  const client = useClient();
  const name = useNames()(user);
  const begin = async () => {
    const made = await client.call("conversation.create", { kind: "direct", members: [user] });
    onOpen(made.c!);
  };
  return (
    <button type="button" class="row" onClick={() => attempt(begin)}>
      <Avatar user={user} name={name} />
      <span class="words">
        <span class="title">{name}</span>
        <span class="line">Begin a conversation</span>
      </span>
    </button>
  );
}
