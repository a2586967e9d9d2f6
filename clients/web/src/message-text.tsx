/** What a message says, with its links and whom it mentions. */

import { parts, type Message } from "palaver-client";
import { useState } from "preact/hooks";
import { useNames, useSession } from "./hooks.js";

/** A text of more characters, or more lines, is folded. */
const LONG = 1_500;
const LINES = 24;

export function MessageText({ message }: { message: Message }) {
  const { user: me } = useSession();
  const names = useNames();
  const [unfolded, setUnfolded] = useState(false);
  const text = message.text ?? "";
  const folded = !unfolded && (text.length > LONG || text.split("\n").length > LINES);
  const mentioned = message.mentions ?? [];
  const called = mentioned.flatMap((user) => [[user, names(user)] as const, [user, user] as const]);
  return (
    <>
      <p class="text" data-folded={folded}>
        {parts(text, message.entities, called).map(({ text, url, user }, index) => {
          if (url !== undefined) {
            return (
              <a key={index} href={url} target="_blank" rel="noopener noreferrer nofollow">
                {text}
              </a>
            );
          }
          if (user === undefined) return text;
          return (
            <span key={index} class="mention" data-me={user === me}>
              {text}
            </span>
          );
        })}
      </p>
      {folded && (
        <button type="button" class="link unfold" onClick={() => setUnfolded(true)}>
          Show all of it
        </button>
      )}
    </>
  );
}
