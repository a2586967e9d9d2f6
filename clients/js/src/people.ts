/** Who the users are, where the server is connected with the product's own. */

import type { Client } from "./client.js";
import { Model } from "./emitter.js";
import { Rejected } from "./errors.js";
import type { UserFields } from "./wire.js";

/** As many as one command asks for. */
const AT_ONCE = 100;

export class People extends Model {
  #known = new Map<string, UserFields>();
  #asked = new Set<string>();
  #wanted = new Set<string>();
  #off = false;

  constructor(private readonly client: Client) {
    super();
  }

  /** What is known of a user. If nothing is, the server is asked, once and for several together,
   * and `onChange` tells when it has answered. */
  get(user: string): UserFields | undefined {
    const known = this.#known.get(user);
    if (known === undefined && !this.#asked.has(user) && !this.#off) {
      if (this.#wanted.size === 0) queueMicrotask(() => void this.#ask());
      this.#wanted.add(user);
    }
    return known;
  }

  /** What is known of a user so far; nobody is asked. */
  known(user: string): UserFields | undefined {
    return this.#known.get(user);
  }

  /** An answer said who these are. */
  learn(users: Record<string, UserFields>): void {
    for (const [user, fields] of Object.entries(users)) this.#known.set(user, fields);
    this.changed();
  }

  async #ask(): Promise<void> {
    const wanted = [...this.#wanted].filter((user) => !this.#known.has(user));
    this.#wanted.clear();
    for (let at = 0; at < wanted.length; at += AT_ONCE) {
      const users = wanted.slice(at, at + AT_ONCE);
      for (const user of users) this.#asked.add(user);
      try {
        await this.client.call("user.get", { users });
      } catch (error) {
        if (error instanceof Rejected && error.code === "FEATURE_DISABLED") this.#off = true;
        else for (const user of users) this.#asked.delete(user);
      }
    }
  }
}
