/** What this product leaves to its users, as the page says: the rest is not shown. */

type Offer = "blocks" | "message_requests" | "presence_optout" | "receipts_optout";

export function offers(what: Offer): boolean {
  const told = document.querySelector<HTMLMetaElement>('meta[name="palaver-offers"]')!.content;
  return told.split(" ").includes(what);
}
