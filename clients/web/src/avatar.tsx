/** A face or a group's picture, or the first letters of a name on a colour that is always theirs. */

import { SessionContext } from "./hooks.js";
import { useContext } from "preact/hooks";

interface Props {
  /** Of a group its conversation. */
  user: string;
  name: string;
  online?: boolean;
  large?: boolean;
}

export function Avatar({ user, name, online, large }: Props) {
  const session = useContext(SessionContext); // there is none while one is asked who one is
  const picture = session?.icons.get(user) ?? session?.client.people.get(user)?.["avatar"];
  return (
    <span class="avatar" data-large={large} style={`--hue: ${hue(user)}`} aria-hidden="true">
      {typeof picture === "string" ? <img src={picture} alt="" loading="lazy" /> : initials(name)}
      {online && <span class="online" />}
    </span>
  );
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0]);
  return letters.join("").toUpperCase();
}

/** Names that are alike shall not look alike: steps by the golden angle are far apart. */
function hue(text: string): number {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + letter.codePointAt(0)!) % 9973;
  return Math.round(sum * 137.508) % 360;
}
