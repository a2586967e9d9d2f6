/** What the page around the client is doing; elsewhere than in a browser nothing, and looked at. */

const hasPage = () => typeof document !== "undefined" && typeof addEventListener !== "undefined";

/** Calls `back` when the network is there again, or the page is looked at again, `away` when it
 * is not any more, after which it may never be, and `cut` when the network is gone. What it returns
 * ends that. */
export function pageEvents(
  back: () => void,
  away: () => void = () => {},
  cut: () => void = () => {},
): () => void {
  if (!hasPage()) return () => {};
  const shown = () => (document.visibilityState === "visible" ? back() : away());
  addEventListener("online", back);
  addEventListener("offline", cut);
  addEventListener("focus", shown);
  document.addEventListener("visibilitychange", shown);
  return () => {
    removeEventListener("online", back);
    removeEventListener("offline", cut);
    removeEventListener("focus", shown);
    document.removeEventListener("visibilitychange", shown);
  };
}

/** Whether somebody sees what is shown now (CLI-10). */
export function isLookedAt(): boolean {
  return !hasPage() || (document.visibilityState === "visible" && document.hasFocus());
}
