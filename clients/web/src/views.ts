/** What the inbox can show: its own filters, and what else there is to be found in it. */

import type { Filter, Inbox, Row } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { useClient, useModel } from "./hooks.js";
import { isUnread } from "./keeping.js";

export type View = Filter | "groups";

export const VIEWS: Record<View, string> = {
  all: "All",
  unread: "Unread",
  groups: "Groups",
  requests: "Requests",
  archived: "Archived",
};

export const EMPTY: Record<View, string> = {
  all: "No conversations yet.",
  unread: "You have read everything.",
  groups: "You are in no group.",
  requests: "Nobody asks to write to you.",
  archived: "Nothing is archived.",
};

/** Of which list of the server a view is a part. */
export const filterOf = (view: View): Filter => (view === "groups" ? "all" : view);

/** The rows of a view. What one is reading stays among the unread ones until one is done with it. A
 * direct conversation is there as soon as something has been said in it: begun, it is a draft. */
export function useRows(): (view: View, open?: string) => Row[] {
  const client = useClient();
  const inbox = useModel(client.inbox);
  const personal = useModel(client.personal);
  const isBegun = (row: Row) => row.kind !== "direct" || row.number > 0 || !!personal.draft(row.c)?.text;
  return (view, open) => {
    const isThere = (row: Row) => row.c === open || (isBegun(row) && (IS[view]?.(row) ?? true));
    return inbox.rows(view === "unread" ? "all" : filterOf(view)).filter(isThere);
  };
}

const IS: Partial<Record<View, (row: Row) => boolean>> = {
  groups: (row) => row.kind !== "direct",
  unread: isUnread,
};

export type Loading = "loading" | "ready" | Error;

/** Loads the first page of a view, and says how that goes; and what tries again. */
export function useLoading(inbox: Inbox, view: View): [Loading, () => void] {
  const filter = filterOf(view);
  const [state, setState] = useState<{ filter?: string; loading: Loading }>({ loading: "loading" });
  const [attempts, setAttempts] = useState(0);
  useEffect(() => {
    let current = true;
    const set = (loading: Loading) => current && setState({ filter, loading });
    set("loading");
    inbox.load(filter).then(
      () => set("ready"),
      (error: Error) => set(error),
    );
    return () => {
      current = false;
    };
  }, [inbox, filter, attempts]);
  return [state.filter === filter ? state.loading : "loading", () => setAttempts(attempts + 1)];
}
