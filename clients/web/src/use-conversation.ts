/** The model of the conversation that is on the screen. */

import type { Conversation } from "palaver-client";
import { useEffect, useMemo } from "preact/hooks";
import { useClient, useModel } from "./hooks.js";

/** What is shown is read: it is in the foreground as long as the view is there. */
export function useConversation(c: string): Conversation {
  const client = useClient();
  const conversation = useMemo(() => client.conversation(c, { system: true }), [client, c]);
  useEffect(() => {
    conversation.active = true;
    return () => conversation.close();
  }, [conversation]);
  return useModel(conversation);
}
