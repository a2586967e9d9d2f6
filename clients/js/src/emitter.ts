/** Listeners by name. One that throws disturbs nobody else: its error is reported as uncaught. */
export class Emitter<Map extends object> {
  #listeners = new globalThis.Map<keyof Map, Set<(value: any) => void>>();

  /** What it returns takes the listener away. */
  on<K extends keyof Map>(name: K, listener: (value: Map[K]) => void): () => void {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) this.#listeners.set(name, (listeners = new Set()));
    const own = (value: Map[K]) => listener(value);
    listeners.add(own);
    return () => listeners.delete(own);
  }

  emit<K extends keyof Map>(name: K, value: Map[K]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(value);
      } catch (error) {
        report(error);
      }
    }
  }
}

function report(error: unknown): void {
  if (typeof reportError === "function") return reportError(error);
  queueMicrotask(() => {
    throw error;
  });
}

/** Something that is shown, and says when to show it anew: once for all that changes in one go. */
export abstract class Model {
  #emitter = new Emitter<{ change: void }>();
  #due = false;

  /** Calls `listener` after it has changed. What it returns takes the listener away. */
  onChange(listener: () => void): () => void {
    return this.#emitter.on("change", listener);
  }

  protected changed(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      this.#emitter.emit("change", undefined);
    });
  }
}
