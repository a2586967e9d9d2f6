/** A message's text, cut where its links and mentions are. */

import { findMentions, type Called } from "./mentions.js";
import type { Entity } from "./wire.js";

export interface Part {
  text: string;
  /** Where it leads, if it is a link. */
  url?: string;
  /** Whom it mentions. */
  user?: string;
}

/** `offset` and `length` of entities count code points, which strings here do not. `called`: what
 * those are called whom the message mentions. Put the parts into the page as text nodes and links:
 * text is data, never HTML. */
export function parts(
  text: string,
  entities: readonly Entity[] = [],
  called: Called = [],
): Part[] {
  const points = [...text];
  const found: Part[] = [];
  let at = 0;
  const plain = (to: number) => {
    if (to > at) found.push(...withMentions(points.slice(at, to).join(""), called));
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

function withMentions(text: string, called: Called): Part[] {
  const found: Part[] = [];
  let at = 0;
  for (const { user, start, end } of findMentions(text, called)) {
    if (start > at) found.push({ text: text.slice(at, start) });
    found.push({ text: text.slice(start, end), user });
    at = end;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}
