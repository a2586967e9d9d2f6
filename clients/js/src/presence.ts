/** Who of those in a conversation is there, as far as is known. */

import type { Client } from "./client.js";

export class Presence {
  #online = new Map<string, boolean>();

  constructor(
    private readonly client: Client,
    private readonly c: string,
    private readonly changed: () => void,
  ) {}

  isOnline(user: string): boolean {
    return this.#online.get(user) ?? false;
  }

  set(user: string, online: boolean): void {
    this.#online.set(user, online);
    this.changed();
  }

  /** Without a connection nobody is known to be there. */
  clear(): void {
    if (this.#online.size === 0) return;
    this.#online.clear();
    this.changed();
  }

  async ask(): Promise<void> {
    try {
      const { users } = await this.client.presence(this.c);
      for (const [user, { online }] of Object.entries(users)) this.#online.set(user, online);
      this.changed();
    } catch {
      // a large group, or a product without presence
    }
  }
}
