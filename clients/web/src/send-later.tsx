/** When a message is to be sent, if not now. */

import { useState } from "preact/hooks";
import { Dialog } from "./dialog.js";
import { Menu } from "./menu.js";
import { laterTimes, whole } from "./time.js";
import { WhenForm } from "./when.js";

export function SendLater({ onChoose }: { onChoose(at: number): void }) {
  const [asked, setAsked] = useState(false);
  const chosen = (at: number) => {
    setAsked(false);
    onChoose(at);
  };
  return (
    <>
      <Menu label="Send later" icon="waiting">
        {laterTimes(Date.now()).map(({ label, at }) => (
          <button key={label} type="button" title={whole(at)} onClick={() => chosen(at)}>
            {label}
          </button>
        ))}
        <button type="button" onClick={() => setAsked(true)}>
          Another time…
        </button>
      </Menu>
      {asked && (
        <Dialog title="Send later" onClose={() => setAsked(false)}>
          <WhenForm label="Schedule" onChoose={chosen} />
        </Dialog>
      )}
    </>
  );
}
