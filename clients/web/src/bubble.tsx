/** One message, and what can be done with it. */

import { parts, type Conversation, type Message } from "palaver-client";
import { useRef, useState } from "preact/hooks";
import { Files } from "./files.js";
import { attempt, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import type { Intent } from "./thread.js";
import { clock, whole } from "./time.js";

const QUICK = ["👍", "❤️", "😂", "😮", "😢", "🙏", "🎉", "👀", "🔥", "✅"];

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
      data-message={message.id}
      data-mine={mine}
      data-sought={sought}
      data-status={message.status}
      aria-label={`${names(message.by)}, ${clock(message.ts)}`}
    >
      <div class="body">
        {reply_to !== undefined && !deleted && (
          <button type="button" class="quote" onClick={() => onGoal(reply_to.id, reply_to.seq)}>
            <strong>{preview?.by ? names(preview.by) : "Answer"}</strong>
            <span>{preview?.unavailable ? "Message deleted" : preview?.text || "a file"}</span>
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
            {message.text && <Text message={message} />}
            {message.type === "poll" && <Poll message={message} conversation={conversation} />}
          </>
        )}
        <p class="foot">
          {message.pinned && <Icon name="pin" />}
          {client.personal.stars.has(message.id) && <Icon name="star" filled />}
          {message.edited_at !== undefined && <span title={whole(message.edited_at)}>edited</span>}
          <time dateTime={new Date(message.ts).toISOString()} title={whole(message.ts)}>
            {clock(message.ts)}
          </time>
          {mine && !deleted && <Status message={message} conversation={conversation} />}
        </p>
      </div>
      <Reactions message={message} conversation={conversation} />
      {message.status === "failed" && <Failed message={message} conversation={conversation} />}
      {!deleted && Number.isFinite(message.seq) && (
        <Actions message={message} conversation={conversation} mine={mine} onIntent={onIntent} />
      )}
    </article>
  );
}

function Text({ message }: { message: Message }) {
  return (
    <p class="text">
      {parts(message.text ?? "", message.entities).map(({ text, url }, index) =>
        url === undefined ? (
          text
        ) : (
          <a key={index} href={url} target="_blank" rel="noopener noreferrer nofollow">
            {text}
          </a>
        ),
      )}
    </p>
  );
}

function Poll({ message, conversation }: { message: Message; conversation: Conversation }) {
  const { client, user: me } = useSession();
  const options = (message.metadata?.["options"] ?? []) as string[];
  const tally = message.tally ?? [];
  const total = tally.reduce((sum, count) => sum + count, 0);
  const own = message.votes?.[me];
  return (
    <ul class="poll">
      {options.map((option, index) => (
        <li key={option}>
          <button
            type="button"
            aria-pressed={own === index}
            style={`--share: ${total ? ((tally[index] ?? 0) / total) * 100 : 0}%`}
            onClick={() =>
              attempt(() => client.vote(conversation.c, message.id, own === index ? null : index))
            }
          >
            {option} <span>{tally[index] ?? 0}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

const TICKS = {
  sending: ["waiting", "Sending"],
  sent: ["check", "Sent"],
  delivered: ["checks", "Delivered"],
  read: ["checks", "Read"],
  failed: ["warning", "Not sent"],
} as const;

function Status({ message, conversation }: { message: Message; conversation: Conversation }) {
  const names = useNames();
  if (message.status === undefined) return null;
  const [icon, label] = TICKS[message.status];
  const readers = message.status === "sent" ? conversation.whoHas(message).map(names) : [];
  const title = readers.length > 0 ? `Read by ${readers.join(", ")}` : label;
  return (
    <span class="status" data-status={message.status} title={title}>
      <Icon name={icon} />
      <span class="hidden">{title}</span>
    </span>
  );
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
            {emoji} {count}
          </button>
        </li>
      ))}
    </ul>
  );
}

interface ActionsProps {
  message: Message;
  conversation: Conversation;
  mine: boolean;
  onIntent(intent: Intent): void;
}

function Actions({ message, conversation, mine, onIntent }: ActionsProps) {
  const { client } = useSession();
  const [shown, setShown] = useState<"emoji" | "more">();
  const box = useRef<HTMLDivElement>(null);
  const { c } = conversation;
  const done = (act: () => Promise<unknown>) => () => {
    setShown(undefined);
    attempt(act);
  };
  const starred = client.personal.stars.has(message.id);
  const pinned = message.pinned ?? false;
  return (
    <div
      class="actions"
      role="toolbar"
      aria-label="Message actions"
      data-shown={shown !== undefined}
      ref={box}
      onKeyDown={(event) => event.key === "Escape" && setShown(undefined)}
      onFocusOut={(event) => {
        if (!box.current?.contains(event.relatedTarget as Node)) setShown(undefined);
      }}
    >
      <button
        type="button"
        class="plain"
        aria-label="React"
        aria-expanded={shown === "emoji"}
        onClick={() => setShown(shown === "emoji" ? undefined : "emoji")}
      >
        <Icon name="smile" />
      </button>
      <button
        type="button"
        class="plain"
        aria-label="Reply"
        onClick={() => onIntent({ kind: "reply", message })}
      >
        <Icon name="reply" />
      </button>
      {mine && (
        <button
          type="button"
          class="plain"
          aria-label="Edit"
          onClick={() => onIntent({ kind: "edit", message })}
        >
          <Icon name="edit" />
        </button>
      )}
      <button
        type="button"
        class="plain"
        aria-label="More"
        aria-expanded={shown === "more"}
        onClick={() => setShown(shown === "more" ? undefined : "more")}
      >
        <Icon name="more" />
      </button>
      {shown === "emoji" && (
        <div class="menu emoji" role="group" aria-label="Reactions">
          {QUICK.map((emoji) => (
            <button
              key={emoji}
              type="button"
              class="plain"
              onClick={done(() => conversation.react(message, emoji))}
            >
              {emoji}
            </button>
          ))}
        </div>
      )}
      {shown === "more" && (
        <div class="menu" role="group" aria-label="More">
          <button type="button" onClick={done(() => conversation.pin(message, !pinned))}>
            <Icon name="pin" /> {pinned ? "Unpin" : "Pin"}
          </button>
          <button type="button" onClick={done(() => client.star(c, message.id, !starred))}>
            <Icon name="star" /> {starred ? "Remove the star" : "Star"}
          </button>
          <button
            type="button"
            onClick={done(() => navigator.clipboard.writeText(message.text ?? ""))}
          >
            <Icon name="file" /> Copy the text
          </button>
          <button type="button" onClick={done(() => client.hide(c, message.id))}>
            <Icon name="remove" /> Delete for me
          </button>
          {mine && (
            <button type="button" class="danger" onClick={done(() => conversation.delete(message))}>
              <Icon name="remove" /> Delete for everyone
            </button>
          )}
        </div>
      )}
    </div>
  );
}
