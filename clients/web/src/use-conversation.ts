/** The model of the conversation that is on the screen. */

import type { Conversation } from "palaver-client";
import { useEffect, useMemo } from "preact/hooks";
import { useModel, useSession } from "./hooks.js";

/** What is shown is read: it is in the foreground as long as the view is there. */
export function useConversation(c: string): Conversation {
  const { client, icons } = useSession();
  const conversation = useMemo(() => client.conversation(c, { system: true }), [client, c]);
  useEffect(() => {
    conversation.active = true;
    return () => conversation.close();
  }, [conversation]);
  useModel(icons);
  const { info } = useModel(conversation);
  useEffect(() => {
    if (info !== undefined) icons.learn(c, info.settings["icon"] ?? "");
  }, [info]);
  return conversation;
}
