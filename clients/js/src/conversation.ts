/** A conversation as it is shown: messages, who is there, who types, what is unread. It loads
 * itself, follows what happens, and loads anew where that is needed. */

import type { Client } from "./client.js";
import type { MessageOptions } from "./commands.js";
import { Draft } from "./draft.js";
import { Model } from "./emitter.js";
import { NoAnswer, Rejected } from "./errors.js";
import { Expiry } from "./expiry.js";
import type { CommandPayloads } from "./generated.js";
import { newId } from "./id.js";
import { Info } from "./info.js";
import { Loaded } from "./loaded.js";
import type { Message, Messages } from "./messages.js";
import { Optimistic } from "./optimistic.js";
import { isLookedAt, pageEvents } from "./page.js";
import { Presence } from "./presence.js";
import type { ConversationEvent, Push, Reload, Signal } from "./pushes.js";
import type { Ask } from "./stretch.js";
import { TypingIn, TypingOut } from "./typing.js";
import type { ConversationInfo, Page } from "./wire.js";

export interface ConversationOptions {
  /** Messages that are loaded at once; 50, at most 100. */
  limit?: number;
  /** Show changes of the group among the messages. */
  system?: boolean;
}

/** `loading` until there is something to show; `gone`: one is no member of it (any more), or there
 * is none; `error` says more. */
export type ConversationPhase = "loading" | "ready" | "gone";

export class Conversation extends Model {
  phase: ConversationPhase = "loading";
  error: Error | undefined;
  unread = 0;
  readonly draft: Draft;

  #limit: number;
  #system: boolean;
  #loaded: Loaded;
  #optimistic: Optimistic;
  #info: Info | undefined;
  #typingIn: TypingIn;
  #typingOut: TypingOut;
  #active = false;
  #presence: Presence;
  #turn = 0;
  #closed = false;
  #shown: readonly Message[] | undefined;
  #told = new WeakMap<Message, Message>();
  #expiry: Expiry;
  #offs: (() => void)[];
  #forget: () => void;

  /** Made by `client.conversation(c)`. */
  constructor(
    private readonly client: Client,
    readonly c: string,
    options: ConversationOptions = {},
    forget: () => void = () => {},
  ) {
    super();
    this.#limit = options.limit ?? 50;
    this.#system = options.system ?? false;
    this.#forget = forget;
    const me = () => client.user;
    const ask: Ask = (page) => client.history(c, page);
    this.#loaded = new Loaded(me, this.#system, this.#limit, ask);
    this.#expiry = new Expiry(
      client.clock,
      () => this.#loaded.all,
      () => this.#touch(),
    );
    this.#presence = new Presence(client, c, () => this.#touch());
    this.#optimistic = new Optimistic(me);
    this.#restore();
    this.#typingIn = new TypingIn(client.clock, () => this.changed());
    this.#typingOut = new TypingOut(client.clock, (on) =>
      client.tell(on ? "typing.start" : "typing.stop", {}, c),
    );
    this.draft = new Draft(client, c);
    this.#offs = [
      client.outbox.onLate(() => this.#touch(() => this.#restore())),
      client.on("push", (push) => this.#take(push)),
      client.onRows(({ rows }) => {
        const row = rows.find((each) => each.c === c);
        if (row !== undefined) this.#touch(() => (this.unread = row.unread));
      }),
      pageEvents(() => this.#look()),
    ];
    void this.#load();
  }

  /** Oldest first, those that are on their way last. Do not change them. */
  get messages(): readonly Message[] {
    return (this.#shown ??= this.#all());
  }

  /** Whether there are messages before the first one here. */
  get more(): boolean {
    return this.#loaded.shown.more;
  }

  /** Whether these lie somewhere back (`goTo`), so that the newest ones are not among them. */
  get isPast(): boolean {
    return this.#loaded.isPast;
  }

  /** What `conversation.get` says, brought up to date; undefined while it is loading. */
  get info(): Readonly<ConversationInfo> | undefined {
    return this.#info?.now;
  }

  /** Who is typing, but oneself. */
  get typing(): readonly string[] {
    return this.#typingIn.users;
  }

  /** Who of those in it is online, as far as is known. */
  isOnline(user: string): boolean {
    return this.#presence.isOnline(user);
  }

  /** Users who have read, or hold, a message; without its writer and oneself. */
  whoHas(message: Message, kind: "read" | "delivered" = "read"): string[] {
    const users = this.#info?.whoReached(message.seq, kind) ?? [];
    return users.filter((user) => user !== message.by && user !== this.client.user);
  }

  /** Whether it is in the foreground: then what comes is read, as long as somebody looks at the
   * page (CLI-10). */
  get active(): boolean {
    return this.#active;
  }

  set active(active: boolean) {
    this.#active = active;
    this.#look();
  }

  /** Show it at once, send it as soon as can be, and never twice. It cannot be refused here: what
   * has become of it, `status` says (`failed` with `error`). Empty drafts and typing go with it. */
  send(text: string, options: MessageOptions = {}): Message {
    const client_id = options.client_id ?? newId();
    const payload = { text, ...options, client_id };
    const message = this.#optimistic.add(payload, this.client.clock.now(), (id) =>
      this.#loaded.get(id),
    );
    this.toNewest();
    this.#typingOut.sent();
    this.draft.sent();
    void this.#enqueue(payload);
    return message;
  }

  /** Send a message that failed once more; it is the same one for the server. */
  retry(message: Message): void {
    const pending = this.#optimistic.get(message.id);
    if (pending?.message.status !== "failed") return;
    const payload = { ...pending.payload, attempt: (pending.payload["attempt"] ?? 1) + 1 };
    this.#optimistic.add(payload, pending.message.ts);
    void this.#enqueue(payload);
  }

  /** Show a message that failed no more. */
  discard(message: Message): void {
    if (this.#optimistic.get(message.id)?.message.status !== "failed") return;
    this.#touch(() => this.#optimistic.discard(message.id));
  }

  edit(message: Message, text: string, mentions?: string[]) {
    return this.client.edit(this.c, message.id, text, mentions === undefined ? {} : { mentions });
  }

  /** For everybody; `client.hide` for oneself. */
  delete(message: Message) {
    return this.client.delete(this.c, message.id);
  }

  react(message: Message, emoji: string, on = !message.reacted?.includes(emoji)) {
    return this.client.react(this.c, message.id, emoji, on);
  }

  pin(message: Message, on = true) {
    return on ? this.client.pin(this.c, message.id) : this.client.unpin(this.c, message.id);
  }

  /** Load what is before the first message here. */
  loadOlder(): Promise<void> {
    return this.#show(this.#loaded.loadOlder());
  }

  /** Load what is behind the last message here, if that is not the newest one. As soon as the
   * newest ones are reached it goes on from there by itself. */
  loadNewer(): Promise<void> {
    return this.#show(this.#loaded.loadNewer());
  }

  /** Show the messages round this one, however far back it is, to go on from there in both
   * directions. False: it is not there (any more), or something else was asked for meanwhile. */
  async goTo(id: string): Promise<boolean> {
    const found = await this.#show(this.#loaded.goTo(id));
    return found && this.messages.some((each) => each.id === id);
  }

  /** Show the newest messages again. */
  toNewest(): void {
    const wasPast = this.isPast;
    this.#loaded.toNewest();
    if (!wasPast) return;
    this.#touch();
    this.#look();
  }

  /** Everything up to `message`, or to the end, has been read. Gathered (`client.reads`). */
  markRead(message?: Message): void {
    const last = this.#messages.all.at(-1);
    const seq = message?.seq ?? last?.seq;
    const me = this.client.user;
    if (seq === undefined || !Number.isFinite(seq) || me === undefined) return;
    if (seq <= (this.#info?.marks(me)?.read ?? 0) && this.unread === 0) return;
    this.#info?.mark(me, "read", seq);
    if (last === undefined || seq >= last.seq) this.#touch(() => (this.unread = 0));
    this.client.reads.read(this.c, seq);
  }

  /** Something is being typed. Call it at every keystroke: a few commands come of it. */
  keystroke(): void {
    this.#typingOut.keystroke();
  }

  /** It was given up. */
  stopTyping(): void {
    this.#typingOut.stop();
  }

  /** It is shown no more: signals of it are no longer wanted. */
  close(): void {
    this.#closed = true;
    this.#turn++;
    for (const off of this.#offs) off();
    this.#expiry.stop();
    this.#typingOut.stop();
    this.#typingIn.clear();
    this.draft.close();
    this.#forget();
    this.client.unsubscribe(this.c).catch(() => {});
  }

  /** The newest ones. */
  get #messages(): Messages {
    return this.#loaded.newest.messages;
  }

  /** When it is loaded. */
  async #show<T>(loading: Promise<T>): Promise<T> {
    const loaded = await loading;
    if (this.#closed) return loaded;
    this.#expiry.set();
    this.#touch();
    this.#look();
    return loaded;
  }

  #all(): Message[] {
    const { hidden } = this.client.personal;
    const now = this.client.clock.now();
    const told = this.#loaded.shown.messages.all
      .filter((each) => !hidden.has(each.id) && (each.expires_at ?? Infinity) > now)
      .map((each) => this.#withStatus(each));
    return this.isPast ? told : [...told, ...this.#optimistic.messages];
  }

  /** One's own with what has become of it: the same object as long as that does not change. */
  #withStatus(message: Message): Message {
    const me = this.client.user;
    if (message.by !== me || me === undefined || message.kind !== "message.sent") return message;
    const confirmed = this.#optimistic.isConfirmed(message.client_id);
    const status = confirmed ? (this.#info?.status(message.seq, me) ?? "sent") : "sending";
    let told = this.#told.get(message);
    if (told?.status !== status) this.#told.set(message, (told = { ...message, status }));
    return told;
  }

  async #enqueue(payload: Record<string, any>): Promise<void> {
    this.#touch();
    try {
      const said = payload as CommandPayloads["message.send"];
      await this.client.enqueueCall("message.send", said, this.c);
    } catch (error) {
      this.#touch(() => this.#optimistic.failed(payload["client_id"], error as Error));
    }
  }

  /** What is on its way is shown. */
  #restore(): void {
    const { waiting } = this.client.outbox;
    this.#optimistic.restore(waiting, this.c, (clientId) => this.#messages.has(clientId));
  }

  /** Change something that is shown. */
  #touch(change: () => void = () => {}): void {
    change();
    this.#shown = undefined;
    this.changed();
  }

  protected override changed(): void {
    this.#shown = undefined;
    super.changed();
  }

  #look(): void {
    const isShown = this.#active && this.phase === "ready" && !this.isPast;
    if (isShown && isLookedAt()) this.markRead();
  }

  /** The position first, then what was said: what happens meanwhile is told, and put on top. */
  async #load(): Promise<void> {
    const turn = ++this.#turn;
    const page = { limit: this.#limit, ...(this.#system ? { system: true } : {}) };
    const ever = { timeout: Infinity };
    const { client, c } = this;
    for (;;) {
      try {
        const [, info, newest] = await Promise.all([
          client.call("conversation.subscribe", {}, c, ever),
          client.call("conversation.get", {}, c, ever),
          client.call("message.history", page, c, ever),
        ]);
        if (turn === this.#turn) this.#begin(info, newest);
        return;
      } catch (error) {
        if (turn !== this.#turn) return;
        if (error instanceof NoAnswer) continue;
        const gone = error instanceof Rejected && !error.retryable;
        this.#touch(() => {
          if (gone) this.phase = "gone";
          this.error = error as Error;
        });
        if (gone || !(error instanceof Rejected)) return;
      }
    }
  }

  #begin(info: ConversationInfo, newest: Page): void {
    const fresh = new Info(info);
    for (const event of this.#messages.since(info.seq)) fresh.apply(event, this.client.user);
    this.#info = fresh;
    this.#loaded.newest.restart(newest);
    this.unread = info.unread;
    this.phase = "ready";
    this.error = undefined;
    this.#restore();
    this.#expiry.set();
    this.#touch();
    this.#look();
    void this.#presence.ask();
  }

  #take(push: Push): void {
    switch (push.type) {
      case "event":
        if (push.conversation === this.c) this.#event(push);
        break;
      case "reload":
        if (push.conversation === this.c) this.#reload(push);
        break;
      case "signal":
        this.#signal(push);
        break;
      case "state":
        if (push.state !== "online") {
          this.#typingIn.clear();
          this.#presence.clear();
        } else if (this.phase === "ready") {
          void this.#presence.ask();
        }
        break;
      case "sent":
      case "failed": {
        const { conversation, clientId } = push.outgoing;
        if (conversation !== this.c) return;
        if (push.type === "failed") this.#optimistic.failed(clientId, push.error);
        else this.#sent(clientId, push.result);
        this.#touch();
      }
    }
  }

  #event(event: ConversationEvent): void {
    const { kind, data } = event;
    const me = this.client.user;
    if (kind === "message.sent") {
      if (data.by !== undefined) this.#typingIn.stopped(data.by);
      if (data.by === me && data.client_id !== undefined) this.#optimistic.arrived(data.client_id);
    }
    const shown = this.#loaded.take(event);
    this.#info?.apply(event, me);
    if (kind === "member.removed" && event.data.user === me) {
      this.phase = "gone";
    } else if (kind === "member.added" && me !== undefined && event.data.users.includes(me)) {
      if (this.phase !== "loading") void this.#load();
    } else if (!shown) {
      void this.#load();
    }
    if ("expires_at" in data) this.#expiry.set();
    this.#touch();
    if (kind === "message.sent" && data.by !== me) this.#look();
  }

  /** It was answered as a repetition, or its event was missed: then it has its place from here. */
  #sent(clientId: string, result: Record<string, any>): void {
    const pending = this.#optimistic.confirmed(clientId);
    const { id, seq, ts } = result;
    if (pending === undefined || this.#messages.get(id) !== undefined) return;
    const { status: _, ...message } = pending.message;
    this.#messages.putProvisional({ ...message, id, seq, ts });
  }

  #reload({ reason, keep }: Reload): void {
    if (reason === "not_member" || reason === "permission_denied") {
      this.#touch(() => (this.phase = "gone"));
      return;
    }
    this.#loaded.toNewest(); // what became of the others meanwhile is not known
    if (reason === "diverged") {
      this.#messages.dropAbove(keep);
      this.#touch(() => this.#restore());
    }
    void this.#load();
  }

  #signal(signal: Signal): void {
    if (signal.kind === "unread.changed") {
      const unread = signal.data.conversations[this.c];
      const read = this.client.reads.upTo(this.c) >= (this.#messages.all.at(-1)?.seq ?? Infinity);
      if (unread !== undefined) this.#touch(() => (this.unread = read ? 0 : unread));
    } else if (signal.kind === "message.hidden" && signal.data.conversation === this.c) {
      this.#touch();
    } else if (signal.kind === "request.answered" && signal.data.conversation === this.c) {
      void this.#load();
    } else if (signal.conversation === this.c) {
      this.#here(signal);
    }
  }

  #here({ kind, data }: Signal): void {
    const me = this.client.user;
    switch (kind) {
      case "typing.started":
        if (data.by !== me && data.thread === undefined) this.#typingIn.started(data.by);
        break;
      case "typing.stopped":
        this.#typingIn.stopped(data.by);
        break;
      case "presence.changed":
        this.#presence.set(data.user, data.online);
        break;
      case "message.read":
      case "message.delivered": {
        const mark = kind === "message.read" ? "read" : "delivered";
        this.#touch(() => this.#info?.mark(data.by, mark, data.seq));
      }
    }
  }
}
