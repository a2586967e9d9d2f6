/** Where the files of a message can be loaded from. Addresses are good for a while, and asked for
 * anew. */

import type { Client, Message } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { useClient } from "./hooks.js";

export interface Loadable {
  url: string;
  thumbnail_url: string | null;
  expires_in_seconds: number;
}

interface Kept {
  until: number;
  found: Promise<Loadable[]>;
}

/** An address is not used in the last seconds of its life. */
const MARGIN_MS = 60_000;

/** In the order of the message's attachments; undefined until they are known. */
export function useAddresses(message: Message, c: string): Loadable[] | undefined {
  const client = useClient();
  const [loadable, setLoadable] = useState<Loadable[]>();
  const sent = Number.isFinite(message.seq);
  useEffect(() => {
    let shown = true;
    if (sent) {
      addresses(client, c, message.id).then(
        (found) => shown && setLoadable(found),
        () => {}, // it was deleted meanwhile, or the connection broke
      );
    }
    return () => {
      shown = false;
    };
  }, [client, c, message.id, sent]);
  return loadable;
}

const kept = new WeakMap<Client, Map<string, Kept>>();

function addresses(client: Client, c: string, message: string): Promise<Loadable[]> {
  let known = kept.get(client);
  if (known === undefined) kept.set(client, (known = new Map()));
  const there = known.get(message);
  if (there !== undefined && there.until > Date.now()) return there.found;
  const found = client
    .call("attachment.list", { message_id: message }, c)
    .then((answer) => answer["attachments"] as Loadable[]);
  const entry = { until: Infinity, found };
  known.set(message, entry);
  found.then(
    ([first]) => {
      entry.until = Date.now() + (first?.expires_in_seconds ?? 0) * 1000 - MARGIN_MS;
    },
    () => known.delete(message),
  );
  return found;
}
