/** A few at a time; the others wait in their order. */
export class Slots {
  #waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** Resolves when there is a slot, and it is taken; false if `signal` was aborted before. */
  async acquire(signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted) return false;
    if (this.free > 0) {
      this.free--;
      return true;
    }
    return new Promise((resolve) => {
      const got = () => {
        signal?.removeEventListener("abort", gone);
        resolve(true);
      };
      const gone = () => {
        this.#waiting = this.#waiting.filter((each) => each !== got);
        resolve(false);
      };
      this.#waiting.push(got);
      signal?.addEventListener("abort", gone, { once: true });
    });
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next();
    else this.free++;
  }
}
