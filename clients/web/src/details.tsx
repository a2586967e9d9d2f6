/** About a conversation: who is in it, and how one keeps it. */

import type { Conversation, ConversationInfo } from "palaver-client";
import { useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { attempt, useClient, useModel, useNames, useSession } from "./hooks.js";
import { Group } from "./group.js";
import { Icon } from "./icons.js";
import { Sure } from "./sure.js";
import { otherOf, titleOf } from "./titles.js";

/** A week: long enough not to be asked again soon, and it ends by itself. */
const MUTED_MS = 7 * 86_400_000;

interface Props {
  conversation: Conversation;
  info: Readonly<ConversationInfo>;
  onClose(): void;
  onGone(): void;
  onOpen(c: string): void;
}

export function Details({ conversation, info, onClose, onGone, onOpen }: Props) {
  const { client, user: me } = useSession();
  const names = useNames();
  const { c } = conversation;
  const other = otherOf(info, me);
  const title = titleOf(info, me, names);
  const [asked, setAsked] = useState(false);
  const hide = async () => {
    await client.hideConversation(c);
    onGone();
  };
  return (
    <aside class="details" aria-label="About this conversation">
      <header>
        <h2>About</h2>
        <button type="button" class="plain" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="face">
        <Avatar user={other ?? c} name={title} large />
        <h3>{title}</h3>
      </div>
      <Keeping c={c} onGone={onGone} />
      {other === undefined ? (
        <Group conversation={conversation} info={info} onGone={onGone} onOpen={onOpen} />
      ) : (
        <Blocking user={other} name={names(other)} />
      )}
      <p class="note">
        <button
          type="button"
          class="link danger"
          onClick={() => setAsked(true)}
        >
          Delete it from my inbox
        </button>
      </p>
      {asked && (
        <Sure
          title="Delete it from your inbox?"
          text="What was said so far will be gone for you. You stay in it: it comes back with the next message."
          label="Delete"
          onSure={() => attempt(hide)}
          onClose={() => setAsked(false)}
        />
      )}
    </aside>
  );
}

/** Pinned, muted, archived: nobody else sees it. */
function Keeping({ c, onGone }: { c: string; onGone(): void }) {
  const client = useClient();
  const personal = useModel(client.personal);
  const { pinned_at = 0, muted_until = 0, archived = false } = personal.preferences.get(c) ?? {};
  const muted = muted_until > Date.now();
  const prefer = (change: Parameters<typeof client.prefer>[1]) =>
    attempt(() => client.prefer(c, change));
  return (
    <div class="keeping">
      <button
        type="button"
        aria-pressed={pinned_at > 0}
        onClick={() => prefer({ pinned: pinned_at === 0 })}
      >
        <Icon name="pin" /> {pinned_at > 0 ? "Unpin" : "Pin"}
      </button>
      <button
        type="button"
        aria-pressed={muted}
        onClick={() => prefer({ muted_until: muted ? 0 : Date.now() + MUTED_MS })}
      >
        <Icon name="mute" /> {muted ? "Unmute" : "Mute"}
      </button>
      <button
        type="button"
        aria-pressed={archived}
        onClick={() => {
          prefer({ archived: !archived });
          if (!archived) onGone();
        }}
      >
        <Icon name="archive" /> {archived ? "Unarchive" : "Archive"}
      </button>
    </div>
  );
}

function Blocking({ user, name }: { user: string; name: string }) {
  const client = useClient();
  const { blocks } = useModel(client.personal);
  const blocked = blocks.has(user);
  return (
    <p class="note">
      <button
        type="button"
        class="link danger"
        onClick={() => attempt(() => (blocked ? client.unblock(user) : client.block(user)))}
      >
        {blocked ? `Unblock ${name}` : `Block ${name}`}
      </button>
    </p>
  );
}
