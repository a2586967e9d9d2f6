/** Who types: what one says of oneself, and what one is told of others. */

import type { Clock } from "./clock.js";

/** The first word of it waits so long: who sends at once was not seen typing (CLI-08). */
const DEBOUNCE = 300;
/** It is said again so often while it goes on. */
const REPEAT = 4_000;
/** Without a keystroke for so long it is over. */
const PAUSE = 5_000;
/** The server says when it is over; if that is lost, it is over after this. */
const LOST = 12_000;

/** Turns keystrokes into a few commands. `say(true)`: typing goes on; `say(false)`: it is over. */
export class TypingOut {
  #cancels: (() => void)[] = [];
  #state: "idle" | "about" | "typing" = "idle";
  #again = false;
  #pause: () => void = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly say: (on: boolean) => void,
  ) {}

  keystroke(): void {
    this.#pause();
    this.#pause = this.clock.after(PAUSE, () => this.stop());
    this.#again = true;
    if (this.#state !== "idle") return;
    this.#state = "about";
    this.#set(DEBOUNCE);
  }

  /** It is over: nothing is typed for a while, or it was sent, or given up. */
  stop(): void {
    if (this.#state === "typing") this.say(false);
    this.sent();
  }

  /** The message itself tells that it is over. */
  sent(): void {
    this.#pause();
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#state = "idle";
  }

  #set(after: number): void {
    this.#cancels = [
      this.clock.after(after, () => {
        if (this.#again) this.say(true);
        this.#again = false;
        this.#state = "typing";
        this.#set(REPEAT);
      }),
    ];
  }
}

/** Who is typing, in the order in which they began. */
export class TypingIn {
  #ends = new Map<string, () => void>();

  constructor(
    private readonly clock: Clock,
    private readonly changed: () => void,
  ) {}

  get users(): readonly string[] {
    return [...this.#ends.keys()];
  }

  started(user: string): void {
    this.#ends.get(user)?.();
    this.#ends.set(
      user,
      this.clock.after(LOST, () => this.stopped(user)),
    );
    this.changed();
  }

  stopped(user: string): void {
    const cancel = this.#ends.get(user);
    if (cancel === undefined) return;
    cancel();
    this.#ends.delete(user);
    this.changed();
  }

  clear(): void {
    for (const user of this.users) this.stopped(user);
  }
}
