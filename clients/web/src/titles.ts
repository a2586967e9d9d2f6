/** What conversations, and what happened in them, are called. */

import type { ConversationEvent, ConversationInfo, Last, Message, Row } from "palaver-client";

type Names = (user: string | undefined) => string;

/** The other one in a direct conversation. */
export function otherOf(row: Row | ConversationInfo, me: string): string | undefined {
  const members = Array.isArray(row.members) ? row.members : Object.keys(row.members);
  return row.kind === "direct" ? members.find((user) => user !== me) : undefined;
}

export function titleOf(row: Row | ConversationInfo, me: string, names: Names): string {
  const other = otherOf(row, me);
  if (other !== undefined) return names(other);
  if (row.title) return row.title;
  const members = Array.isArray(row.members) ? row.members : Object.keys(row.members);
  const others = members.filter((user) => user !== me).map(names);
  return others.join(", ") || "Only you";
}

const KINDS: Record<string, string> = {
  image: "Picture",
  video: "Video",
  voice: "Voice message",
  file: "File",
  media: "Pictures",
  poll: "Poll",
};

/** What a row says: its last message, or what has moved it since. */
export function lineOf(row: Row, me: string, names: Names): string {
  const { last, activity, kind } = row;
  const happened = activity && activityLine(activity, me, names);
  if (happened) return happened;
  if (last === null) return kind === "direct" ? "" : "Nothing has been said yet.";
  return messageLine(last, me, names, kind === "direct");
}

function messageLine(last: Last, me: string, names: Names, direct: boolean): string {
  const said = last.deleted ? "Message deleted" : contentOf(last);
  if (last.by === me) return `You: ${said}`;
  return direct || last.by === undefined ? said : `${names(last.by)}: ${said}`;
}

interface Content {
  text?: string;
  type?: string;
  attachments?: readonly (string | { type: string })[];
}

/** The text, or what there is instead of one. */
export function contentOf({ text, type = "", attachments }: Content): string {
  const first = attachments?.[0] ?? type;
  return text || KINDS[typeof first === "string" ? first : first.type] || "";
}

/** Undefined for what need not be told. */
function activityLine(event: ConversationEvent, me: string, names: Names): string | undefined {
  const { kind, data } = event;
  const who = data.by === me ? "You" : names(data.by);
  if (kind === "reaction.changed") return data.on ? `${who} reacted ${data.emoji}` : undefined;
  if (kind === "message.pinned") return `${who} pinned a message`;
  if (kind === "poll.voted") return data.option === undefined ? undefined : `${who} voted`;
  return eventLine({ ...data, kind, seq: event.seq, ts: event.at } as Message, names);
}

const AND = new Intl.ListFormat("en-GB");
const NAMED = 3;

/** Their names, or those of the first and how many more they are. */
function peopleOf(users: readonly string[], names: Names): string {
  if (users.length <= NAMED) return AND.format(users.map(names));
  const first = users.slice(0, NAMED - 1).map(names);
  return AND.format([...first, `${users.length - first.length} others`]);
}

/** What happened in the group, in words; undefined for what need not be shown. */
export function eventLine(message: Message, names: Names): string | undefined {
  const by = message.by === undefined ? "" : names(message.by);
  switch (message.kind) {
    case "message.posted":
      return message.text;
    case "member.added":
      return `${by} added ${peopleOf((message["users"] as string[]) ?? [], names)}`;
    case "member.removed": {
      const user = message["user"] as string;
      return user === message.by ? `${by} left` : `${by} removed ${names(user)}`;
    }
    case "member.role_changed":
      return `${names(message["user"] as string)} is now ${message["role"]}`;
    case "conversation.renamed":
      return `${by} named the conversation “${message["title"]}”`;
    case "conversation.settings_changed":
      if (message["icon"] !== undefined) return `${by} changed the picture`;
      if (message["description"] !== undefined) return `${by} changed the description`;
      return `${by} changed the settings`;
    case "conversation.locked":
      return "The conversation was locked";
    case "conversation.unlocked":
      return "The conversation was unlocked";
    default:
      return undefined;
  }
}
