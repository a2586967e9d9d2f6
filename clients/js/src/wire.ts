/** What the server answers, as docs/protocol.md §5 says it. Names are those of the wire. */

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
  last?: { seq: number; by?: string; ts: number };
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
export interface ConversationInfo {
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
}

export interface Page<M = HistoryMessage> {
  messages: M[];
  more: boolean;
  seq: number;
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

/** What is known of the answers of commands; the others are plain maps. */
export interface Results {
  "conversation.get": ConversationInfo;
  "conversation.list": { conversations: Row[]; next: string | null; unread: number };
  "message.history": Page;
  "thread.list": Page;
  "pin.list": Page;
  "media.list": Page;
  "message.send": Durable;
  "message.edit": Durable;
  "message.delete": Durable;
  "message.restore": Durable;
  "message.forward": Durable;
  "message.pin": Durable;
  "message.unpin": Durable;
  "reaction.set": Durable;
  "poll.vote": Durable;
  "conversation.create": Durable;
  "conversation.rename": Durable;
  "conversation.change_settings": Durable;
  "conversation.leave": Durable;
  "member.add": Durable;
  "member.remove": Durable;
  "member.set_role": Durable;
  "message.versions": { versions: { version: number; text: string; ts: number }[]; seq: number };
  "message.read": { seq: number; at: number; unread: number; durable?: false };
  "message.readers": { readers: { user: string; at: number }[]; more: boolean; seq: number };
  "message.search": {
    hits: (HistoryMessage & { c: string })[];
    page: number;
    limit: number;
    total: number;
    total_pages: number;
  };
  "member.list": { members: ({ user: string } & Member)[]; more: boolean; seq: number };
  "presence.get": { users: Record<string, { online: boolean; last_seen?: number }> };
  "presence.list": { online: string[]; more: boolean };
  "user.get": { users: Record<string, UserFields> };
  "user.search": { found: string[]; users: Record<string, UserFields> };
  "settings.get": {
    read_receipts: boolean;
    presence: "everyone" | "nobody";
    messages_from: "everyone" | "friends" | "following" | "no_one";
  };
}
