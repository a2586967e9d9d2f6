/** Mentions as they stand in a text: `@`, and what somebody is called. The server is told who is
 * meant by their ids, in `mentions`; the text is for people. */

/** What each user is called. Of several who are called the same the first one is meant. */
export type Called = Iterable<readonly [user: string, name: string]>;

export interface Mention {
  user: string;
  /** In UTF-16 units, like everything about strings here. */
  start: number;
  end: number;
}

/** In order. Where one name begins with another, the longer one is meant. */
export function findMentions(text: string, called: Called): Mention[] {
  const users = new Map<string, string>();
  for (const [user, name] of called) if (name && !users.has(name)) users.set(name, user);
  if (users.size === 0 || !text.includes("@")) return [];
  const names = [...users.keys()].sort((a, b) => b.length - a.length).map(escaped);
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}_])@(${names.join("|")})(?![\\p{L}\\p{N}_])`, "gu");
  return [...text.matchAll(pattern)].map((found) => ({
    user: users.get(found[1]!)!,
    start: found.index,
    end: found.index + found[0].length,
  }));
}

/** Whom a text mentions, each once: for `mentions` of a message. */
export function mentionsIn(text: string, called: Called): string[] {
  return [...new Set(findMentions(text, called).map(({ user }) => user))];
}

const escaped = (name: string) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
