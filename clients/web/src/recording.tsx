/** What is being recorded, in place of what is written. */

import { Icon } from "./icons.js";
import { minutes } from "./time.js";
import type { Recorder } from "./use-recorder.js";

interface Props {
  recorder: Recorder;
  /** It is to be listened to before it is sent. */
  onStop(): void;
}

export function Recording({ recorder, onStop }: Props) {
  return (
    <div class="recording" role="group" aria-label="Recording">
      <button
        type="button"
        class="plain danger"
        aria-label="Discard the recording"
        onClick={() => recorder.cancel()}
      >
        <Icon name="remove" />
      </button>
      <span class="dot" aria-hidden="true" />
      <span role="timer">{minutes(recorder.seconds ?? 0)}</span>
      <button type="button" class="plain" aria-label="Stop recording" onClick={onStop}>
        <Icon name="stop" filled />
      </button>
    </div>
  );
}
