/** People to mention, above what is being written: arrows choose, Enter and Tab take, Escape leaves. */

import { useEffect, useRef, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { suggest, type Handle, type Suggestions } from "./mentions.js";

const LIST = "mentionable";
const option = (index: number) => `${LIST}-${index}`;

export interface MentionList extends Suggestions {
  chosen: number;
  /** Whether the key was meant for the list. */
  take(event: KeyboardEvent): boolean;
  choose(handle: Handle): void;
  /** A mention ends with a space: one that is typed right after it is not added. */
  swallow(event: InputEvent): void;
  /** What ties the text box to the list. */
  attributes: Record<string, string>;
}

/** `write`: the text as it is then, and where the caret is to be. */
export function useMentionList(
  text: string,
  caret: number,
  all: readonly Handle[],
  write: (text: string, caret: number) => void,
): MentionList {
  const [chosen, setChosen] = useState(0);
  const [left, setLeft] = useState(-1);
  const suggested = suggest(text, caret, all);
  const { at } = suggested;
  const found = at === left ? [] : suggested.found;
  const open = found.length > 0;
  /** Where the mention ends that was chosen just now. */
  const end = useRef(-1);
  useEffect(() => setChosen(0), [at, found.length]);
  useEffect(() => {
    if (at === -1) setLeft(-1);
  }, [at]);
  const choose = ({ written }: Handle) => {
    const before = `${text.slice(0, at)}@${written} `;
    write(before + text.slice(caret).replace(/^ /, ""), before.length);
    end.current = before.length;
  };
  const swallow = (event: InputEvent) => {
    if (event.data === " " && caret === end.current) event.preventDefault();
    end.current = -1;
  };
  const take = (event: KeyboardEvent) => {
    if (!open || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setChosen((chosen + step + found.length) % found.length);
    else if (event.key === "Enter" || event.key === "Tab") choose(found[chosen] ?? found[0]!);
    else if (event.key === "Escape") setLeft(at);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const attributes = {
    "aria-autocomplete": "list",
    "aria-haspopup": "listbox",
    ...(open ? { "aria-controls": LIST, "aria-activedescendant": option(chosen) } : {}),
  };
  return { at, found, chosen, take, choose, swallow, attributes };
}

export function MentionOptions({ list }: { list: MentionList }) {
  if (list.found.length === 0) return null;
  return (
    <ul id={LIST} class="mentionable" role="listbox" aria-label="People to mention">
      {list.found.map((handle, index) => (
        <li
          key={handle.user}
          id={option(index)}
          role="option"
          aria-selected={index === list.chosen}
          // The text box keeps the focus.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => list.choose(handle)}
        >
          <Avatar user={handle.user} name={handle.name} />
          <span class="name">{handle.name}</span>
          {handle.written !== handle.name && <small>{handle.user}</small>}
        </li>
      ))}
    </ul>
  );
}
