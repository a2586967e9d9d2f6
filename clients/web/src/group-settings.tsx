/** What a group is called, what it is for, its picture, and who may do what in it. */

import type { Conversation, ConversationInfo } from "palaver-client";
import { useRef, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { Dialog } from "./dialog.js";
import { attempt, useNames, useSession } from "./hooks.js";
import { Icon } from "./icons.js";
import { may } from "./permissions.js";
import { smallPicture } from "./small-picture.js";
import { titleOf } from "./titles.js";

interface Props {
  conversation: Conversation;
  info: Readonly<ConversationInfo>;
  onClose(): void;
}

type Who = "everyone" | "admins";

export function GroupSettings({ conversation, info, onClose }: Props) {
  const { client, user: me } = useSession();
  const names = useNames();
  const { c } = conversation;
  const { description = "", icon = "", who_may_send, who_may_add } = info.settings;
  const [title, setTitle] = useState(info.title ?? "");
  const [about, setAbout] = useState(description);
  const file = useRef<HTMLInputElement>(null);
  const change = (settings: Parameters<typeof client.changeSettings>[1]) =>
    attempt(() => client.changeSettings(c, settings));
  const save = () =>
    attempt(async () => {
      if (title.trim() !== (info.title ?? "")) await client.rename(c, title.trim());
      if (about.trim() !== description) {
        await client.changeSettings(c, { description: about.trim() });
      }
      onClose();
    });
  const locked = isLocked(info);
  return (
    <Dialog title="Edit the group" onClose={onClose}>
      <form
        class="options"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <div class="picture-of-group">
          <Avatar user={c} name={titleOf(info, me, names)} large />
          <button type="button" onClick={() => file.current!.click()}>
            Choose a picture
          </button>
          {icon && (
            <button type="button" class="link danger" onClick={() => change({ icon: "" })}>
              Remove it
            </button>
          )}
          <input
            ref={file}
            type="file"
            accept="image/*"
            hidden
            aria-label="Picture of the group"
            onChange={(event) => {
              const chosen = event.currentTarget.files?.[0];
              event.currentTarget.value = "";
              if (chosen) attempt(async () => change({ icon: await smallPicture(chosen) }));
            }}
          />
        </div>
        <label class="tall">
          Name of the group
          <input
            value={title}
            maxLength={100}
            required
            onInput={(event) => setTitle(event.currentTarget.value)}
          />
        </label>
        <label class="tall">
          What it is for
          <textarea
            rows={3}
            value={about}
            maxLength={2000}
            onInput={(event) => setAbout(event.currentTarget.value)}
          />
        </label>
        <Chosen
          label="Who may write"
          value={who_may_send as Who | undefined}
          initially="everyone"
          onChange={(who) => change({ who_may_send: who })}
        />
        <Chosen
          label="Who may add people"
          value={who_may_add as Who | undefined}
          initially="admins"
          onChange={(who) => change({ who_may_add: who })}
        />
        {may(info, "lock_conversation") && (
          <label>
            <input
              type="checkbox"
              checked={locked}
              onChange={() =>
                attempt(() => client.call(`conversation.${locked ? "unlock" : "lock"}`, {}, c))
              }
            />
            Locked: nobody may write for now
          </label>
        )}
        <footer>
          <button type="submit" class="main" disabled={!title.trim()}>
            <Icon name="check" /> Save
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

interface ChosenProps {
  label: string;
  value: Who | undefined;
  /** What holds as long as nobody has chosen. */
  initially: Who;
  onChange(who: Who): void;
}

function Chosen({ label, value, initially, onChange }: ChosenProps) {
  return (
    <label>
      {label}
      <select
        value={value ?? initially}
        onChange={(event) => onChange(event.currentTarget.value as Who)}
      >
        <option value="everyone">Everyone</option>
        <option value="admins">Admins</option>
      </select>
    </label>
  );
}

function isLocked({ lock }: Readonly<ConversationInfo>): boolean {
  return lock.until !== undefined && (lock.until === null || lock.until > Date.now());
}
