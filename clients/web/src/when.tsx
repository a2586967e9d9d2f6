/** Asks for a time that lies ahead. */

import { useState } from "preact/hooks";
import { fromField, toField } from "./time.js";

const HOUR_MS = 3_600_000;

interface Props {
  /** What it says now. */
  at?: number;
  label: string;
  onChoose(at: number): void;
}

export function WhenForm({ at = Date.now() + HOUR_MS, label, onChoose }: Props) {
  const [value, setValue] = useState(toField(at));
  return (
    <form
      class="when"
      onSubmit={(event) => {
        event.preventDefault();
        onChoose(fromField(value));
      }}
    >
      <input
        type="datetime-local"
        aria-label="When"
        required
        min={toField(Date.now() + 60_000)}
        value={value}
        onInput={(event) => setValue(event.currentTarget.value)}
      />
      <button type="submit" class="main">
        {label}
      </button>
    </form>
  );
}
