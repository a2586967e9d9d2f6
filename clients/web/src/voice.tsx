/** Something that was said, to be listened to. */

import { useRef } from "preact/hooks";

/** Beyond the end of any recording, in seconds. */
const BEYOND = 1e9;

export function Voice({ url }: { url: string }) {
  const audio = useRef<HTMLAudioElement>(null);
  // What a browser records does not say how long it is. Whoever looks for its end finds out.
  const measure = () => {
    const player = audio.current!;
    if (Number.isFinite(player.duration)) return;
    player.addEventListener("durationchange", () => (player.currentTime = 0), { once: true });
    player.currentTime = BEYOND;
  };
  return (
    <audio
      ref={audio}
      controls
      aria-label="Voice message"
      src={url}
      preload="metadata"
      onLoadedMetadata={measure}
    />
  );
}
