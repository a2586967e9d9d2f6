/** A few small values that outlive the page, if the browser keeps any. */
export interface Store {
  get(key: string): string | undefined;
  set(key: string, value: string | undefined): void;
}

export class MemoryStore implements Store {
  #values = new Map<string, string>();

  get(key: string): string | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: string | undefined): void {
    if (value === undefined) this.#values.delete(key);
    else this.#values.set(key, value);
  }
}

/** `localStorage` under keys that begin with `prefix`: one for each user of this browser. In memory
 * where there is none, or as soon as it refuses (private windows). */
export function browserStore(prefix = "palaver:"): Store {
  const memory = new MemoryStore();
  return {
    get(key) {
      try {
        return memory.get(key) ?? localStorage.getItem(prefix + key) ?? undefined;
      } catch {
        return memory.get(key);
      }
    },
    set(key, value) {
      memory.set(key, undefined);
      try {
        if (value === undefined) localStorage.removeItem(prefix + key);
        else localStorage.setItem(prefix + key, value);
      } catch {
        memory.set(key, value);
      }
    },
  };
}
