/** One message. */

import type { Conversation, Message } from "palaver-client";
import { Actions } from "./actions.js";
import { Files } from "./files.js";
import { attempt, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import { MessageText } from "./message-text.js";
import { Poll } from "./poll.js";
import { Status } from "./status.js";
import type { Intent } from "./thread.js";
import { clock, whole } from "./time.js";
import { Edited } from "./versions.js";

interface Props {
  message: Message;
  conversation: Conversation;
  sought: boolean;
  onIntent(intent: Intent): void;
  onGoal(id: string, seq: number): void;
}

export function Bubble({ message, conversation, sought, onIntent, onGoal }: Props) {
  const { client, user: me } = useSession();
  const names = useNames();
  const mine = message.by === me;
  const deleted = message.deleted_at !== undefined;
  const { preview, reply_to } = message;
  return (
    <article
      class="bubble"
      tabIndex={-1}
      data-message={message.id}
      data-mine={mine}
      data-sought={sought}
      data-status={message.status}
      aria-label={`${names(message.by)}, ${clock(message.ts)}`}
    >
      <div class="body">
        {reply_to !== undefined && !deleted && (
          <button type="button" class="quote" onClick={() => onGoal(reply_to.id, reply_to.seq)}>
            <strong>
              <span class="hidden">Reply to </span>
              {preview?.by ? names(preview.by) : "a message"}
            </strong>
            <span>{quoted(preview)}</span>
          </button>
        )}
        {message.forwarded !== undefined && <p class="note">Forwarded</p>}
        {deleted ? (
          <p class="deleted">Message deleted</p>
        ) : (
          <>
            {message.attachments !== undefined && (
              <Files message={message} conversation={conversation} />
            )}
            {message["uploads"] && <p class="note">Files are on their way…</p>}
            {message.text && <MessageText message={message} />}
            {message.type === "poll" && <Poll message={message} conversation={conversation} />}
          </>
        )}
        <p class="foot">
          {message.pinned && <Icon name="pin" />}
          {client.personal.stars.has(message.id) && <Icon name="star" filled />}
          {message.edited_at !== undefined && !deleted && (
            <Edited message={message} conversation={conversation} />
          )}
          <time dateTime={new Date(message.ts).toISOString()} title={whole(message.ts)}>
            {clock(message.ts)}
          </time>
          {mine && !deleted && <Status message={message} conversation={conversation} />}
        </p>
      </div>
      <Reactions message={message} conversation={conversation} />
      {message.status === "failed" && <Failed message={message} conversation={conversation} />}
      {!deleted && Number.isFinite(message.seq) && (
        <Actions message={message} conversation={conversation} onIntent={onIntent} />
      )}
    </article>
  );
}

/** Of an answer that is on its way it is not known yet what it quotes. */
function quoted(preview: Message["preview"]): string {
  if (preview === undefined) return "…";
  return preview.unavailable ? "Message deleted" : preview.text || "a file";
}

function Failed({ message, conversation }: { message: Message; conversation: Conversation }) {
  return (
    <p class="failed" role="alert">
      Not sent: {message.error?.message ?? "refused"}
      <button type="button" class="link" onClick={() => conversation.retry(message)}>
        Try again
      </button>
      <button type="button" class="link" onClick={() => conversation.discard(message)}>
        Discard
      </button>
    </p>
  );
}

function Reactions({ message, conversation }: { message: Message; conversation: Conversation }) {
  const reactions = Object.entries(message.reactions ?? {}).filter(([, count]) => count > 0);
  if (reactions.length === 0 || message.deleted_at !== undefined) return null;
  return (
    <ul class="reactions" aria-label="Reactions">
      {reactions.map(([emoji, count]) => (
        <li key={emoji}>
          <button
            type="button"
            aria-pressed={message.reacted?.includes(emoji) ?? false}
            aria-label={`${emoji}, ${count}`}
            onClick={() => attempt(() => conversation.react(message, emoji))}
          >
            <span class="emoji">{emoji}</span> {count}
          </button>
        </li>
      ))}
    </ul>
  );
}
