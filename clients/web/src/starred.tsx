/** The messages that one has starred, wherever they are; each leads to its place. */

import type { Results } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { Hit } from "./hit.js";
import { attempt, useClient, useModel } from "./hooks.js";
import { Icon } from "./icons.js";
import type { Found } from "./place.js";
import { contentOf } from "./titles.js";

type Page = Results["star.list"];

export function Starred({ onOpen }: { onOpen(c: string, message: Found): void }) {
  const client = useClient();
  const { stars } = useModel(client.personal);
  const [page, setPage] = useState<Page>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let current = true;
    client.call("star.list").then(
      (found) => current && setPage(found),
      (error: Error) => current && setProblem(error.message),
    );
    return () => {
      current = false;
    };
  }, [client, stars.size]);
  const more = async () => {
    const next = await client.call("star.list", { before: page!.next! });
    setPage({ stars: [...page!.stars, ...next.stars], next: next.next });
  };
  if (problem !== undefined) {
    return (
      <p class="empty" role="alert">
        {problem}
      </p>
    );
  }
  if (page === undefined) return <p class="empty">Loading…</p>;
  const shown = page.stars.filter(({ message }) => stars.has(message.id));
  if (shown.length === 0) {
    return <p class="empty">No message has a star. Star what you want to find again.</p>;
  }
  return (
    <div class="found">
      <ul class="rows" aria-label="Starred messages">
        {shown.map(({ c, message }) => (
          <li key={message.id} class="movable">
            <Hit c={c} message={message} onOpen={() => onOpen(c, message)}>
              {contentOf(message)}
            </Hit>
            <button
              type="button"
              class="plain row-menu"
              aria-label="Remove the star"
              onClick={() => attempt(() => client.star(c, message.id, false))}
            >
              <Icon name="star" filled />
            </button>
          </li>
        ))}
      </ul>
      {page.next !== null && (
        <button type="button" class="link" onClick={() => attempt(more)}>
          Show more
        </button>
      )}
    </div>
  );
}
