/** What can be done with a message. */

import type { Conversation, Message } from "palaver-client";
import { useState } from "preact/hooks";
import { Forward } from "./forward.js";
import { attempt, useSession } from "./hooks.js";
import { Icon, type IconName } from "./icons.js";
import { Menu } from "./menu.js";
import { may } from "./permissions.js";
import { Sure } from "./sure.js";
import type { Intent } from "./thread.js";

const QUICK = ["👍", "❤️", "😂", "😮", "😢", "🙏", "🎉", "👀", "🔥", "✅"];

interface Props {
  message: Message;
  conversation: Conversation;
  onIntent(intent: Intent): void;
}

export function Actions({ message, conversation, onIntent }: Props) {
  const { client, user: me } = useSession();
  const { c, info } = conversation;
  const mine = message.by === me;
  const starred = client.personal.stars.has(message.id);
  const pinned = message.pinned ?? false;
  const [asked, setAsked] = useState(false);
  const [forwarding, setForwarding] = useState(false);
  return (
    <div class="actions" role="toolbar" aria-label="Message actions">
      <Menu label="React" icon="smile" columns={5}>
        {QUICK.map((emoji) => (
          <button
            key={emoji}
            type="button"
            class="plain emoji"
            onClick={() => attempt(() => conversation.react(message, emoji))}
          >
            {emoji}
          </button>
        ))}
      </Menu>
      <Direct label="Reply" icon="reply" onClick={() => onIntent({ kind: "reply", message })} />
      {mine && message.text && (
        <Direct label="Edit" icon="edit" onClick={() => onIntent({ kind: "edit", message })} />
      )}
      <Menu label="More" icon="more">
        {info !== undefined && may(info, "pin_messages") && (
          <button type="button" onClick={() => attempt(() => conversation.pin(message, !pinned))}>
            <Icon name="pin" /> {pinned ? "Unpin" : "Pin"}
          </button>
        )}
        <button
          type="button"
          onClick={() => attempt(() => client.star(c, message.id, !starred))}
        >
          <Icon name="star" /> {starred ? "Remove the star" : "Star"}
        </button>
        <button type="button" onClick={() => setForwarding(true)}>
          <Icon name="forward" /> Forward
        </button>
        {message.text && (
          <button
            type="button"
            onClick={() => attempt(() => navigator.clipboard.writeText(message.text!))}
          >
            <Icon name="copy" /> Copy the text
          </button>
        )}
        <button type="button" onClick={() => attempt(() => client.hide(c, message.id))}>
          <Icon name="remove" /> Delete for me
        </button>
        {(mine || (info !== undefined && may(info, "delete_any_message"))) && (
          <button type="button" class="danger" onClick={() => setAsked(true)}>
            <Icon name="remove" /> Delete for everyone
          </button>
        )}
      </Menu>
      {forwarding && <Forward message={message} c={c} onClose={() => setForwarding(false)} />}
      {asked && (
        <Sure
          title="Delete for everyone?"
          text="Nobody will be able to read it any more."
          label="Delete"
          onSure={() => attempt(() => conversation.delete(message))}
          onClose={() => setAsked(false)}
        />
      )}
    </div>
  );
}

function Direct({ label, icon, onClick }: { label: string; icon: IconName; onClick(): void }) {
  return (
    <button type="button" class="plain" aria-label={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}
