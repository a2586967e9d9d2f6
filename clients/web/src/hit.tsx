/** A message that was found, or kept: where it was said, by whom, and what. It leads there. */

import type { ConversationInfo, HistoryMessage } from "palaver-client";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { useModel, useNames, useSession } from "./hooks.js";
import { short } from "./time.js";
import { otherOf, titleOf } from "./titles.js";

interface Props {
  c: string;
  message: HistoryMessage;
  onOpen(): void;
  /** What was said. */
  children: ComponentChildren;
}

export function Hit({ c, message, onOpen, children }: Props) {
  const { client, user: me } = useSession();
  const row = useModel(client.inbox).get(c);
  const names = useNames();
  // Its row may not have been loaded: it is archived, or long ago.
  const [info, setInfo] = useState<ConversationInfo>();
  const unknown = row === undefined;
  useEffect(() => {
    if (unknown) client.get(c).then(setInfo, () => {});
  }, [client, c, unknown]);
  const about = row ?? info;
  const title = about === undefined ? "…" : titleOf(about, me, names);
  return (
    <button type="button" class="row" onClick={onOpen}>
      <Avatar user={(about && otherOf(about, me)) ?? c} name={title} />
      <span class="words">
        <span class="title">{title}</span>
        <span class="line">
          {message.by === me ? "You" : names(message.by)}: {children}
        </span>
      </span>
      <span class="facts">
        <time dateTime={new Date(message.ts).toISOString()}>{short(message.ts)}</time>
      </span>
    </button>
  );
}
