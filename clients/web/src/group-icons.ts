/** The pictures of groups. They are among the settings of a conversation, which rows of the inbox do
 * not have: what was seen of them is remembered in this browser. */

import { Model, type Client, type Store } from "palaver-client";

export class GroupIcons extends Model {
  constructor(
    client: Client,
    private readonly store: Store,
  ) {
    super();
    client.on("conversation.settings_changed", ({ conversation, data: { icon } }) => {
      if (icon !== undefined) this.learn(conversation, icon);
    });
  }

  /** Undefined if there is none, or it was not seen yet. */
  get(c: string): string | undefined {
    return this.store.get(`icon:${c}`);
  }

  /** `icon` as the settings have it: empty if there is none. */
  learn(c: string, icon: string): void {
    if (icon === (this.get(c) ?? "")) return;
    this.store.set(`icon:${c}`, icon || undefined);
    this.changed();
  }
}
