/** A poll in a message: its options, how many are for each, and one's own vote. */

import type { Conversation, Message } from "palaver-client";
import { attempt, useSession } from "./hooks.js";

export function Poll({ message, conversation }: { message: Message; conversation: Conversation }) {
  const { client, user: me } = useSession();
  const options = (message.metadata?.["options"] ?? []) as string[];
  const tally = message.tally ?? [];
  const total = tally.reduce((sum, count) => sum + count, 0);
  const own = message.votes?.[me];
  return (
    <ul class="poll">
      {options.map((option, index) => (
        <li key={option}>
          <button
            type="button"
            aria-pressed={own === index}
            style={`--share: ${total ? ((tally[index] ?? 0) / total) * 100 : 0}%`}
            onClick={() =>
              attempt(() => client.vote(conversation.c, message.id, own === index ? null : index))
            }
          >
            {option} <span>{tally[index] ?? 0}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
