/** What was said and shown in a conversation and is to be found again: what is pinned, pictures and
 * files. Each leads to its message. */

import type { Conversation, HistoryMessage, Page } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { Files } from "./files.js";
import { attempt, useClient, useNames } from "./hooks.js";
import { Icon } from "./icons.js";
import type { Found } from "./place.js";
import { short } from "./time.js";

interface Props {
  conversation: Conversation;
  onShow(message: Found): void;
}

/** At once; more by pages. */
const LIMIT = 12;

export function Pinned({ conversation, onShow }: Props) {
  const client = useClient();
  const names = useNames();
  const pins = conversation.info?.pins ?? {};
  const [page, more] = usePages(
    (before) => client.call("pin.list", { limit: LIMIT, ...before }, conversation.c),
    Object.keys(pins).join(),
  );
  const messages = page?.messages.filter(({ id }) => id in pins) ?? [];
  if (messages.length === 0) return null;
  return (
    <section aria-label="Pinned messages">
      <h3>Pinned</h3>
      <ul class="pins">
        {messages.sort(newestFirst).map((message) => (
          <li key={message.id}>
            <button type="button" class="pin" onClick={() => onShow(message)}>
              <Icon name="pin" />
              <span>
                <strong>{names(message.by)}</strong> {message.text || "a file"}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {more && <More onMore={more} />}
    </section>
  );
}

export function Media({ conversation, onShow }: Props) {
  const client = useClient();
  const names = useNames();
  // What has come, or has gone, since it was asked for.
  const here = conversation.messages.filter(hasFiles);
  const [page, more] = usePages(
    (before) => client.call("media.list", { limit: LIMIT, ...before }, conversation.c),
    here.map(({ id }) => id).join(),
  );
  const messages = page?.messages.filter(hasFiles) ?? [];
  if (messages.length === 0) return null;
  return (
    <section aria-label="Pictures and files">
      <h3>Pictures and files</h3>
      <ul class="media">
        {messages.sort(newestFirst).map((message) => (
          <li key={message.id}>
            <Files message={message} conversation={conversation} />
            <button type="button" class="link" onClick={() => onShow(message)}>
              {names(message.by)}, {short(message.ts)}
            </button>
          </li>
        ))}
      </ul>
      {more && <More onMore={more} />}
    </section>
  );
}

const newestFirst = (a: HistoryMessage, b: HistoryMessage) => b.seq - a.seq;

const hasFiles = (message: HistoryMessage) =>
  (message.attachments?.length ?? 0) > 0 &&
  message.deleted_at === undefined &&
  Number.isFinite(message.seq);

function More({ onMore }: { onMore(): Promise<void> }) {
  return (
    <button type="button" class="link" onClick={() => attempt(onMore)}>
      Show more
    </button>
  );
}

/** Pages that begin anew whenever `of` changes, and what loads one more, if there is one. */
function usePages(
  load: (page: { before?: number }) => Promise<Page>,
  of: string,
): [Page | undefined, (() => Promise<void>) | undefined] {
  const [page, setPage] = useState<Page>();
  useEffect(() => {
    let current = true;
    load({}).then(
      (found) => current && setPage(found),
      () => {}, // the product has no such thing, or the connection broke
    );
    return () => {
      current = false;
    };
  }, [of]);
  const more = async () => {
    const before = Math.min(...page!.messages.map(({ seq }) => seq));
    const next = await load({ before });
    setPage({ ...next, messages: [...page!.messages, ...next.messages] });
  };
  return [page, page?.more ? more : undefined];
}
