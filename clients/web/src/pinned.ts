/** What was pinned last, however far back it is. */

import type { Conversation, HistoryMessage } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { useClient } from "./hooks.js";

export function usePinned(conversation: Conversation): HistoryMessage | undefined {
  const client = useClient();
  const [loaded, setLoaded] = useState<HistoryMessage>();
  const { c, info, messages } = conversation;
  const pins = Object.keys(info?.pins ?? {}).join();
  useEffect(() => {
    if (!pins) return setLoaded(undefined);
    let shown = true;
    client.call("pin.list", { limit: 1 }, c).then(
      (page) => shown && setLoaded(page.messages.at(-1)),
      () => {}, // the connection broke, or there are no pins here
    );
    return () => {
      shown = false;
    };
  }, [client, c, pins]);
  // Here it is as it is now.
  return messages.find(({ id }) => id === loaded?.id) ?? loaded;
}
