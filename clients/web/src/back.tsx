/** On a phone, the way back to the inbox; and how much is unread there, besides what is open. */

import { useClient, useModel } from "./hooks.js";
import { Icon } from "./icons.js";

export function Back({ c, onClick }: { c: string; onClick(): void }) {
  const inbox = useModel(useClient().inbox);
  const elsewhere = inbox.unread - (inbox.get(c)?.unread ?? 0);
  return (
    <button
      type="button"
      class="plain back"
      aria-label={`Back to the inbox${elsewhere > 0 ? `, ${elsewhere} unread` : ""}`}
      onClick={onClick}
    >
      <Icon name="back" />
      {elsewhere > 0 && <span class="badge">{elsewhere}</span>}
    </button>
  );
}
