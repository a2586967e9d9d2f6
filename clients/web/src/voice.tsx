/** Something that was said, to be listened to. */

import { useRef, useState } from "preact/hooks";
import { Icon } from "./icons.js";
import { minutes } from "./time.js";

/** Beyond the end of any recording, in seconds. */
const BEYOND = 1e9;

export function Voice({ url }: { url: string }) {
  const audio = useRef<HTMLAudioElement>(null);
  const [playing, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(0);
  // What a browser records does not say how long it is. Whoever looks for its end finds out.
  const measure = () => {
    const player = audio.current!;
    if (Number.isFinite(player.duration)) return;
    player.addEventListener("durationchange", () => (player.currentTime = 0), { once: true });
    player.currentTime = BEYOND;
  };
  const measured = () => {
    const { duration } = audio.current!;
    if (Number.isFinite(duration)) setLength(duration);
  };
  const toggle = () => {
    const player = audio.current!;
    if (player.paused) void player.play();
    else player.pause();
  };
  const seek = (to: number) => {
    audio.current!.currentTime = to;
    setAt(to);
  };
  const label = playing ? "Pause" : "Play";
  return (
    <div class="voice" role="group" aria-label="Voice message">
      <audio
        ref={audio}
        src={url}
        preload="metadata"
        onLoadedMetadata={measure}
        onDurationChange={measured}
        onTimeUpdate={() => setAt(audio.current!.currentTime)}
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => seek(0)}
      />
      <button type="button" class="plain" aria-label={label} onClick={toggle}>
        <Icon name={playing ? "pause" : "play"} filled />
      </button>
      <input
        type="range"
        aria-label="Position"
        aria-valuetext={minutes(Math.floor(at))}
        min={0}
        max={length || 1}
        step={0.1}
        value={Math.min(at, length)}
        style={`--played: ${length ? Math.min((at / length) * 100, 100) : 0}%`}
        onInput={(event) => seek(event.currentTarget.valueAsNumber)}
        // Arrows move within it, not to another message.
        onKeyDown={(event) => event.stopPropagation()}
      />
      <span class="time">{minutes(Math.floor(playing || at > 0 ? at : length))}</span>
    </div>
  );
}
