/** The palaver client for browsers. */

export { Client } from "./client.js";
export { systemClock, type Clock } from "./clock.js";
export type { CallOptions, CommandName, PayloadOf, ResultOf } from "./calling.js";
export { Commands, type MessageOptions } from "./commands.js";
export { mayReconnect, type Socket, type SocketMaker } from "./connection.js";
export { Conversation, type ConversationOptions, type ConversationPhase } from "./conversation.js";
export { Draft } from "./draft.js";
export { Model } from "./emitter.js";
export * from "./errors.js";
export type {
  CommandPayloads,
  ErrorCode,
  EventPayloads,
  SignalPayloads,
  UserEventPayloads,
} from "./generated.js";
export { DISCONNECTS, VERSION } from "./generated.js";
export { grouped, groupedByDay } from "./grouping.js";
export type { Http, HttpRequest } from "./http.js";
export { newId } from "./id.js";
export { Inbox, type Filter } from "./inbox.js";
export { browserOutbox, IndexedDBOutbox } from "./indexeddb-outbox.js";
export { mentionsIn, type Called } from "./mentions.js";
export type { Message } from "./messages.js";
export type { ClientOptions, Token } from "./options.js";
export { Outbox, type OutboxBounds } from "./outbox.js";
export type { Outgoing, OutgoingState } from "./outgoing.js";
export { People } from "./people.js";
export { Personal, type ServerDraft } from "./personal.js";
export type * from "./pushes.js";
export { Reads } from "./reads.js";
export { exponential, linear, type Backoff } from "./reconnect.js";
export { mayBecome, MessageStatus, shownStatus, type Status } from "./status.js";
export { browserStore, MemoryStore, type Store } from "./store.js";
export { parts, type Part } from "./text.js";
export type { UploadOptions } from "./uploads.js";
export type * from "./wire.js";
