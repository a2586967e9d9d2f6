/** What the server answers, as docs/protocol.md §5 says it. Names are those of the wire. */

import type { ConversationEvent } from "./pushes.js";

export type UserFields = Record<string, string | number | boolean | null>;

export interface Attachment {
  type: "image" | "video" | "voice" | "file";
  url: string;
  thumbnail_url?: string;
  name?: string;
  mime?: string;
  size?: number;
  width?: number;
  height?: number;
  duration_s?: number;
  waveform?: number[];
}

export interface Preview {
  by?: string;
  text?: string;
  type?: string;
  attachments?: string[];
  unavailable?: true;
}

export interface Entity {
  kind: string;
  /** In Unicode code points, not in UTF-16 units: see `links`. */
  offset: number;
  length: number;
  url?: string;
}

/** What of a message is a structure. */
export interface MessageExtras {
  reply_to?: { id: string; seq: number };
  preview?: Preview;
  /** Of a reply in a thread its root; of a root, its thread. */
  thread?: { id: string; seq: number } | ThreadHead;
  forwarded?: { hops: number };
  metadata?: Record<string, any>;
  entities?: Entity[];
  attachments?: Attachment[];
  context?: Record<string, string | null>;
}

export interface ThreadHead {
  count: number;
  last?: { seq: number; by: string | null; ts: number };
}

/** A message as `message.history` serves it, or with `system` what happened among messages. */
export interface HistoryMessage extends MessageExtras {
  id: string;
  seq: number;
  ts: number;
  kind: string;
  by?: string;
  number?: number;
  text?: string;
  type?: string;
  format?: string;
  mentions?: string[];
  expires_at?: number;
  edited_at?: number;
  version?: number;
  pinned?: boolean;
  reactions?: Record<string, number>;
  reacted?: string[];
  forwards?: number;
  tally?: number[];
  votes?: Record<string, number>;
  deleted_at?: number;
  redacted?: boolean;
  /** Of a system message: the rest of its event's payload. */
  [field: string]: any;
}

export interface Mark {
  seq: number;
  /** ms since 1970; 0 if there was none yet. */
  at: number;
}

export interface Member {
  role: string;
  read?: Mark;
  delivered?: Mark;
}

export interface Last {
  id: string;
  seq: number;
  by?: string;
  ts: number;
  text?: string;
  type?: string;
  attachments?: string[];
  deleted?: boolean;
}

export interface Preference {
  muted_until?: number;
  pinned_at?: number;
  archived?: boolean;
  unread?: boolean;
  hidden_seq?: number;
  hidden_number?: number;
}

/** What `conversation.get` answers. */
export interface ConversationInfo extends WithUsers {
  c: string;
  kind: string;
  title: string | null;
  created_at: number;
  epoch: number;
  seq: number;
  number: number;
  role: string;
  /** Above 500 members only oneself; see `member.list`. */
  members: Record<string, Member>;
  member_count: number;
  unread: number;
  last: Last | null;
  marks: number;
  context: Record<string, string | null>;
  pins: Record<string, number>;
  settings: Record<string, string>;
  lock: { until?: number | null };
  request?: "pending";
}

/** Where an attachment can be loaded from, for so long. */
export interface Loadable {
  url: string;
  thumbnail_url: string | null;
  filename: string | null;
  mime: string | null;
  size: number | null;
  expires_in_seconds: number;
}

/** A message for later. */
export interface Scheduled {
  /** As one named it. */
  id: string;
  c: string;
  /** ms since 1970 */
  send_at: number;
  status: "pending" | "sent" | "cancelled" | "failed";
  client_id: string;
  [field: string]: any;
}

/** A row of the inbox. */
export interface Row {
  c: string;
  kind: string;
  epoch: number;
  seq: number;
  number: number;
  unread: number;
  title: string | null;
  context: Record<string, string | null>;
  role: string;
  /** Up to five of them. */
  members: string[];
  last: Last | null;
  ts: number;
  preference?: Preference;
  request?: "pending";
  /** What has happened since `last` and moved the row, if it was told here: the server does not say
   * it of rows. */
  activity?: ConversationEvent | undefined;
}

/** Who the users in an answer are, where the server is connected with the product's own. */
export interface WithUsers {
  users?: Record<string, UserFields>;
}

/** Of what reaches back: older things were left out, since the product ends this user's history. */
export interface Limited {
  limited?: true;
}

export interface Page<M = HistoryMessage> extends WithUsers, Limited {
  messages: M[];
  more: boolean;
  seq: number;
}

/** Of pages that are asked for by their number, from 1. */
export interface Numbered {
  page: number;
  limit: number;
  total: number;
  total_pages: number;
}

/** Where the event of a durable command stands; empty if the command changed nothing. */
export interface Durable {
  c?: string;
  seq?: number;
  id?: string;
  ts?: number;
  durable?: false;
}

export interface Welcome {
  user: string;
  connection: string;
  /** Seconds until the token runs out. */
  ttl: number | null;
  /** Seconds. */
  heartbeat: number;
  durability: "commit" | "write_behind" | "relaxed";
  durable: boolean;
  max_frame: number;
  server: string;
}

/** An entry of one's own log was made, or nothing had to be changed. */
export interface Own {
  /** Its number there. */
  n?: number;
  durable?: false;
}

type Nothing = Record<string, unknown>;

/** What each command answers. */
export interface Results {
  ack: Nothing;
  "attachment.list": { attachments: Loadable[]; seq: number };
  "block.list": { blocks: { user: string; level: "blocked" | "restricted" }[]; more: boolean };
  "conversation.change_settings": Durable;
  "conversation.create": Durable;
  "conversation.get": ConversationInfo;
  "conversation.hide": Own;
  "conversation.leave": Durable;
  "conversation.list": {
    conversations: Row[];
    next: string | null;
    unread: number;
  } & WithUsers;
  "conversation.lock": Durable;
  "conversation.rename": Durable;
  "conversation.resume": {
    recovered: boolean;
    epoch: number;
    seq: number;
    reason?: string | null;
    reload_after?: number | null;
    marks?: { n: number; moved: { user: string; read?: number; delivered?: number }[] };
  };
  "conversation.subscribe": Nothing;
  "conversation.unlock": Durable;
  "conversation.unsubscribe": Nothing;
  "draft.save": Own;
  "media.list": Page;
  "member.add": Durable;
  "member.list": { members: ({ user: string } & Member)[]; more: boolean; seq: number } & WithUsers;
  "member.remove": Durable;
  "member.set_role": Durable;
  "message.delete": Durable;
  "message.edit": Durable;
  "message.forward": Durable;
  "message.hide": Own;
  "message.history": Page & Partial<Numbered>;
  "message.pin": Durable;
  "message.read": { seq: number; at: number; unread: number; durable?: false };
  "message.readers": {
    readers: { user: string; at: number }[];
    more: boolean;
    seq: number;
  } & WithUsers;
  "message.restore": Durable;
  "message.schedule": Own;
  "message.search": { hits: (HistoryMessage & { c: string })[] } & Numbered & WithUsers & Limited;
  "message.send": Durable;
  "message.star": Own;
  "message.unpin": Durable;
  "message.unstar": Own;
  "message.versions": { versions: { version: number; text: string; ts: number }[]; seq: number };
  "pin.list": Page;
  "poll.vote": Durable;
  "preference.set": Own;
  "presence.get": { users: Record<string, { online: boolean; last_seen: number | null }> };
  "presence.list": { online: string[]; more: boolean } & WithUsers;
  "reaction.set": Durable;
  "request.accept": Own;
  "request.decline": Own;
  "schedule.cancel": Own;
  "schedule.list": { scheduled: Scheduled[]; next: string | null };
  "settings.get": {
    read_receipts: boolean;
    presence: "everyone" | "nobody";
    messages_from: "everyone" | "friends" | "following" | "no_one";
  };
  "settings.set": Own;
  "star.list": {
    stars: { c: string; ts: number; message: HistoryMessage }[];
    next: number | null;
  } & WithUsers &
    Limited;
  "sync.changes": {
    conversations: Row[];
    left: string[];
    cursor: string;
    log: { n: number; kind: string; data: Record<string, any>; ts: number }[];
    more: boolean;
    unread?: number;
  } & WithUsers;
  "template.list": { templates: { name: string; text: string; variables: string[] }[] };
  "template.send": Durable;
  "thread.list": Page;
  "typing.start": Nothing;
  "typing.stop": Nothing;
  "user.block": Own;
  "user.get": { users: Record<string, UserFields> };
  "user.restrict": Own;
  "user.search": { found: string[] } & WithUsers;
  "user.unblock": Own;
}
