/** An outbox that outlives its page. */

import { OutboxUnusable } from "./errors.js";
import { newId } from "./id.js";
import { Outbox, type OutboxBounds } from "./outbox.js";
import { Outgoing, type OutgoingRecord } from "./outgoing.js";

const STORE = "outgoing";

interface Stored extends OutgoingRecord {
  /** The page that sends it, and its place there. */
  page: string;
  n: number;
  owner: string | undefined;
}

/** In the IndexedDB database `name`, one for each user of this browser: `palaver-` and the user id
 * is a good one.
 *
 * Several pages may share it: each sends what was enqueued there, and what a page leaves behind is
 * taken over by one that opened before it was closed, or the next that opens (by Web Locks; where
 * there are none by whoever opens first, and what is then sent twice is carried out once, by its
 * client id). */
export class IndexedDBOutbox extends Outbox {
  override readonly where: string;
  readonly #page = newId();
  #db: IDBDatabase | undefined;
  #leave: () => void = () => {};
  #closed = new AbortController();

  constructor(
    private readonly name: string,
    bounds?: OutboxBounds,
  ) {
    super(bounds);
    this.where = `IndexedDB ${name}`;
  }

  override async close(): Promise<void> {
    await super.close();
    this.#closed.abort();
    this.#db?.close();
    this.#db = undefined;
    this.#leave();
  }

  protected override async load(): Promise<{ owner: string | undefined; kept: Outgoing[] }> {
    try {
      this.#db = await opened(this.name);
      this.#closed = new AbortController();
      const living = await this.#enter();
      let owner: string | undefined;
      // What the dead of several users left behind is not to be mixed: the rest waits for its own.
      const found = await this.#adopt((each) => {
        if (living.has(each.page)) return false;
        return each.owner === undefined || each.owner === (owner ??= each.owner);
      }, 0);
      for (const page of living) void this.#wait(page);
      return { owner, kept: found.map(outgoing) };
    } catch (error) {
      this.#leave();
      throw this.#unusable(error);
    }
  }

  protected override insert(kept: Outgoing, owner: string | undefined): Promise<void> {
    const stored: Stored = { ...kept.record, page: this.#page, n: kept.n, owner };
    return this.#do((store) => store.add(stored));
  }

  protected override remove(kept: Outgoing): Promise<void> {
    return this.#do((store) => store.delete([this.#page, kept.n]));
  }

  protected override own(owner: string): Promise<void> {
    return this.#do((store) =>
      each(store, (stored, cursor) => {
        if (stored.page === this.#page) cursor.update({ ...stored, owner });
      }),
    );
  }

  /** What is `wanted` is this page's from now on, in its old order behind the place `last`. */
  async #adopt(wanted: (stored: Stored) => boolean, last: number): Promise<Stored[]> {
    let found: Stored[] = [];
    await this.#do((store) =>
      each(
        store,
        (stored, cursor) => {
          if (!wanted(stored)) return;
          found.push(stored);
          cursor.delete();
        },
        () => {
          found.sort((a, b) => a.at - b.at || a.n - b.n);
          found = found.map((each, index) => ({ ...each, page: this.#page, n: last + index + 1 }));
          for (const each of found) store.add(each);
        },
      ),
    );
    return found;
  }

  /** Until `page` is closed, which a page that is loaded anew is only after the new one has begun. */
  async #wait(page: string): Promise<void> {
    const { signal } = this.#closed;
    try {
      await navigator.locks.request(`${this.name}/${page}`, { signal }, () => undefined);
      await this.inherit(async (last, owner) => {
        const ours = (each: Stored) => each.owner === undefined || each.owner === owner;
        return (await this.#adopt((each) => each.page === page && ours(each), last)).map(outgoing);
      });
    } catch {
      // closed meanwhile, or unusable, which shows when something is kept
    }
  }

  /** Say that this page lives; returns those that do besides. */
  async #enter(): Promise<ReadonlySet<string>> {
    if (typeof navigator === "undefined" || navigator.locks === undefined) return new Set();
    const prefix = `${this.name}/`;
    await new Promise<void>((entered, failed) => {
      navigator.locks
        .request(prefix + this.#page, () => {
          entered();
          return new Promise<void>((leave) => (this.#leave = leave));
        })
        .catch(failed);
    });
    const { held = [] } = await navigator.locks.query();
    const ours = held.filter(
      (lock) => lock.name!.startsWith(prefix) && lock.name !== prefix + this.#page,
    );
    return new Set(ours.map((lock) => lock.name!.slice(prefix.length)));
  }

  async #do(act: (store: IDBObjectStore) => unknown): Promise<void> {
    try {
      const transaction = this.#db!.transaction(STORE, "readwrite", { durability: "strict" });
      act(transaction.objectStore(STORE));
      await done(transaction);
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  #unusable(error: unknown): OutboxUnusable {
    return new OutboxUnusable(this.where, error instanceof Error ? error.message : String(error));
  }
}

const outgoing = (stored: Stored) => Object.assign(new Outgoing(stored), { n: stored.n });

/** An outbox that outlives the page if this browser can keep one, in memory otherwise (private
 * windows, Node). */
export function browserOutbox(name: string, bounds?: OutboxBounds): Outbox {
  return typeof indexedDB === "undefined" ? new Outbox(bounds) : new FallingBack(name, bounds);
}

/** Where there is an IndexedDB that cannot be opened, it is as if there were none. */
class FallingBack extends IndexedDBOutbox {
  #usable = true;

  protected override async load(): Promise<{ owner: string | undefined; kept: Outgoing[] }> {
    try {
      return await super.load();
    } catch {
      this.#usable = false;
      return { owner: undefined, kept: [...this.waiting] };
    }
  }

  protected override async insert(outgoing: Outgoing, owner: string | undefined): Promise<void> {
    if (this.#usable) await super.insert(outgoing, owner);
  }

  protected override async remove(outgoing: Outgoing): Promise<void> {
    if (this.#usable) await super.remove(outgoing);
  }

  protected override async own(user: string): Promise<void> {
    if (this.#usable) await super.own(user);
  }
}

function opened(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () =>
      request.result.createObjectStore(STORE, { keyPath: ["page", "n"] });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

function each(
  store: IDBObjectStore,
  visit: (stored: Stored, cursor: IDBCursorWithValue) => void,
  after: () => void = () => {},
): void {
  const request = store.openCursor();
  request.onsuccess = () => {
    const cursor = request.result;
    if (cursor === null) return after();
    visit(cursor.value as Stored, cursor);
    cursor.continue();
  };
}
