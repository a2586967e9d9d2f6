/** A message's text, cut where its links are. */

import type { Entity } from "./wire.js";

export interface Part {
  text: string;
  /** Where it leads, if it is a link. */
  url?: string;
}

/** `offset` and `length` of entities count code points, which strings here do not. Put the parts
 * into the page as text nodes and links: text is data, never HTML. */
export function parts(text: string, entities: readonly Entity[] = []): Part[] {
  const points = [...text];
  const found: Part[] = [];
  let at = 0;
  const plain = (to: number) => {
    if (to > at) found.push({ text: points.slice(at, to).join("") });
  };
  for (const { kind, offset, length, url } of entities) {
    if (kind !== "link" || url === undefined || offset < at) continue;
    plain(offset);
    at = offset + length;
    found.push({ text: points.slice(offset, at).join(""), url });
  }
  plain(points.length);
  return found;
}
