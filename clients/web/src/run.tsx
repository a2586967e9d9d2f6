/** What one has said in one go; or what happened. */

import type { Conversation, Message } from "palaver-client";
import { Avatar } from "./avatar.js";
import { Bubble } from "./bubble.js";
import { useNames, useSession } from "./hooks.js";
import type { Intent } from "./thread.js";
import { eventLine } from "./titles.js";

interface Props {
  run: readonly Message[];
  conversation: Conversation;
  goal: string | undefined;
  onIntent(intent: Intent): void;
  onGoal(id: string, seq: number): void;
}

export function Run({ run, conversation, goal, onIntent, onGoal }: Props) {
  const { user: me } = useSession();
  const names = useNames();
  const first = run[0]!;
  if (first.kind !== "message.sent") {
    const line = eventLine(first, names);
    return line === undefined ? null : <p class="event">{line}</p>;
  }
  const named = first.by !== me && conversation.info?.kind !== "direct";
  return (
    <div class="run" data-mine={first.by === me} data-named={named}>
      {named && (
        <>
          <h3>{names(first.by)}</h3>
          <Avatar user={first.by!} name={names(first.by)} />
        </>
      )}
      {run.map((message) => (
        <Bubble
          key={message.client_id ?? message.id}
          message={message}
          conversation={conversation}
          sought={message.id === goal}
          onIntent={onIntent}
          onGoal={onGoal}
        />
      ))}
    </div>
  );
}
