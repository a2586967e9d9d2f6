/** Whom one can mention, what is written for them, and who is meant by what is being typed. */

import type { Conversation } from "palaver-client";

type Names = (user: string | undefined) => string;

export interface Handle {
  user: string;
  name: string;
  /** What stands behind the @: the name, or the id where somebody else is called the same. */
  written: string;
}

/** As many are suggested at a time. */
const SUGGESTED = 6;
/** What stands behind the @ that the caret follows, up to the caret. */
const BEHIND = /(?:^|[\s([{"'])@([^@\n]{0,40})$/u;

/** In groups, everybody else. Of a large group those who have written here. */
export function handles({ info, messages }: Conversation, me: string, names: Names): Handle[] {
  if (info === undefined || info.kind === "direct") return [];
  const known = Object.keys(info.members);
  const writers = known.length < info.member_count ? messages.flatMap(({ by }) => by ?? []) : [];
  const users = new Set([...known, ...writers]);
  users.delete(me);
  const taken = new Set<string>();
  return [...users].map((user) => {
    const name = names(user);
    const written = taken.has(name) ? user : name;
    taken.add(name);
    return { user, name, written };
  });
}

export interface Suggestions {
  /** Where the @ is. */
  at: number;
  found: readonly Handle[];
}

/** Those whose name, or a word of it, begins with what is typed, unless it is all there. */
export function suggest(text: string, caret: number, all: readonly Handle[]): Suggestions {
  const typed = BEHIND.exec(text.slice(0, caret))?.[1];
  if (typed === undefined) return { at: -1, found: [] };
  const wanted = typed.toLowerCase();
  const begins = (part: string) => part.toLowerCase().startsWith(wanted);
  const found = all.filter(({ user, name }) =>
    [name, user, ...name.split(/\s+/)].some(begins),
  );
  const whole = found.length === 1 && found[0]!.written === typed;
  return { at: caret - typed.length - 1, found: whole ? [] : found.slice(0, SUGGESTED) };
}
