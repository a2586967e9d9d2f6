/** One's own settings, whom one keeps out, and how it looks. */

import type { Results } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { Dialog } from "./dialog.js";
import { attempt, useClient, useModel, useNames } from "./hooks.js";
import { Icon } from "./icons.js";
import { canNotify, notifies, setNotifies } from "./notifications.js";
import { offers } from "./offers.js";

type Chosen = Results["settings.get"];
const PRIVACY = ["receipts_optout", "presence_optout", "message_requests"] as const;
const THEME = "palaver-theme";

/** As chosen here, otherwise as the system has it. */
export function applyTheme(theme = localStorage.getItem(THEME) ?? "auto"): void {
  document.documentElement.dataset["theme"] = theme;
}

export function Settings({ onClose, onLeave }: { onClose(): void; onLeave(): void }) {
  const client = useClient();
  const personal = useModel(client.personal);
  const names = useNames();
  const [settings, setSettings] = useState<Chosen>();
  const [theme, setTheme] = useState(localStorage.getItem(THEME) ?? "auto");
  useEffect(() => attempt(async () => setSettings(await client.call("settings.get"))), [client]);
  const change = (changed: Partial<Chosen>) =>
    attempt(async () => {
      const before = settings!;
      setSettings({ ...before, ...changed });
      await client.call("settings.set", changed as Chosen).catch((error: unknown) => {
        setSettings(before);
        throw error;
      });
    });
  const choose = (value: string) => {
    localStorage.setItem(THEME, value);
    setTheme(value);
    applyTheme(value);
  };
  return (
    <Dialog title="Settings" onClose={onClose}>
      {settings !== undefined && PRIVACY.some(offers) && (
        <div class="options">
          <h3>Privacy</h3>
          {offers("receipts_optout") && (
            <label>
              <input
                type="checkbox"
                checked={settings.read_receipts}
                onChange={(event) => change({ read_receipts: event.currentTarget.checked })}
              />
              Others see what I have read
            </label>
          )}
          {offers("presence_optout") && (
            <label>
              <input
                type="checkbox"
                checked={settings.presence === "everyone"}
                onChange={(event) =>
                  change({ presence: event.currentTarget.checked ? "everyone" : "nobody" })
                }
              />
              Others see when I am online
            </label>
          )}
          {offers("message_requests") && (
            <label>
              Who may write to me
              <select
                value={settings.messages_from}
                onChange={(event) =>
                  change({ messages_from: event.currentTarget.value as Chosen["messages_from"] })
                }
              >
                <option value="everyone">Everyone</option>
                <option value="following">People I follow</option>
                <option value="friends">Friends</option>
                <option value="no_one">No one</option>
              </select>
            </label>
          )}
        </div>
      )}
      <div class="options">
        <h3>This browser</h3>
        {canNotify() && <Notifying />}
        <label>
          Colours
          <select value={theme} onChange={(event) => choose(event.currentTarget.value)}>
            <option value="auto">As the system</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </select>
        </label>
      </div>
      {personal.blocks.size > 0 && (
        <>
          <h3>Blocked</h3>
          <ul class="plain-list">
            {[...personal.blocks.keys()].map((user) => (
              <li key={user}>
                {names(user)}
                <button type="button" class="link" onClick={() => attempt(() => client.unblock(user))}>
                  Unblock
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      <footer>
        <button type="button" onClick={onLeave}>
          <Icon name="leave" /> Be somebody else
        </button>
      </footer>
    </Dialog>
  );
}

function Notifying() {
  const [on, setOn] = useState(notifies);
  return (
    <label>
      <input
        type="checkbox"
        checked={on}
        onChange={(event) => {
          const box = event.currentTarget;
          attempt(async () => {
            box.checked = on; // until the browser has been asked
            setOn(await setNotifies(!on));
          });
        }}
      />
      Show new messages while I look elsewhere
    </label>
  );
}
