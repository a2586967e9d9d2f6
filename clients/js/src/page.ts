/** What the page around the client is doing; elsewhere than in a browser nothing, and looked at. */

const hasPage = () => typeof document !== "undefined" && typeof addEventListener !== "undefined";

/** Calls `back` when the network is there again, or the page is looked at again, and `away` when it
 * is not any more, after which it may never be. What it returns ends that. */
export function pageEvents(back: () => void, away: () => void = () => {}): () => void {
  if (!hasPage()) return () => {};
  const shown = () => (document.visibilityState === "visible" ? back() : away());
  addEventListener("online", back);
  addEventListener("focus", shown);
  document.addEventListener("visibilitychange", shown);
  return () => {
    removeEventListener("online", back);
    removeEventListener("focus", shown);
    document.removeEventListener("visibilitychange", shown);
  };
}

/** Whether somebody sees what is shown now (CLI-10). */
export function isLookedAt(): boolean {
  return !hasPage() || (document.visibilityState === "visible" && document.hasFocus());
}
