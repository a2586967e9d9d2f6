/** Asked before what cannot be taken back. */

import { Dialog } from "./dialog.js";

interface Props {
  title: string;
  /** What comes of it. */
  text: string;
  /** What it is called on the button. */
  label: string;
  onSure(): void;
  onClose(): void;
}

export function Sure({ title, text, label, onSure, onClose }: Props) {
  const sure = () => {
    onClose();
    onSure();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <footer>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" class="danger" onClick={sure}>
          {label}
        </button>
      </footer>
    </Dialog>
  );
}

/** Before a conversation goes from one's own inbox. */
export function DeleteSure({ title, ...rest }: Pick<Props, "title" | "onSure" | "onClose">) {
  return (
    <Sure
      title={`Delete “${title}” from your inbox?`}
      text="What was said so far will be gone for you. You stay in it: it comes back with the next message."
      label="Delete"
      {...rest}
    />
  );
}
