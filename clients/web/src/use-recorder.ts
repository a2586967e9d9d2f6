/** Records what is said into the microphone, where the browser can. */

import { useEffect, useRef, useState } from "preact/hooks";

/** Media types that palaver takes, the best one first, with what their files are called. */
const TYPES = { "audio/webm": "webm", "audio/ogg": "ogg", "audio/mp4": "m4a" };

type Mime = keyof typeof TYPES;

export interface Recorder {
  /** How long it has been recording; undefined: it is not. */
  seconds: number | undefined;
  /** Rejects if one may not, or there is no microphone. */
  start(): Promise<void>;
  /** What was recorded. */
  stop(): Promise<File>;
  cancel(): void;
}

interface Running {
  recorder: MediaRecorder;
  pieces: Blob[];
  since: number;
}

const canRecord = () =>
  typeof MediaRecorder !== "undefined" &&
  navigator.mediaDevices?.getUserMedia !== undefined &&
  supported() !== undefined;

const supported = () =>
  (Object.keys(TYPES) as Mime[]).find((mime) => MediaRecorder.isTypeSupported(mime));

/** Undefined where there is nothing to record with. */
export function useRecorder(): Recorder | undefined {
  const running = useRef<Running>();
  const [seconds, setSeconds] = useState<number>();
  const recording = seconds !== undefined;
  useEffect(() => {
    if (!recording) return;
    const count = () => {
      const { since } = running.current ?? {};
      if (since !== undefined) setSeconds(Math.floor((Date.now() - since) / 1000));
    };
    const timer = setInterval(count, 250);
    return () => clearInterval(timer);
  }, [recording]);
  useEffect(() => () => end(running.current), []);
  if (!canRecord()) return undefined;
  const finish = () => {
    const was = running.current;
    running.current = undefined;
    setSeconds(undefined);
    return was;
  };
  return {
    seconds,
    async start() {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(() => {
        throw new Error("The microphone cannot be used here.");
      });
      const recorder = new MediaRecorder(stream, { mimeType: supported()! });
      const pieces: Blob[] = [];
      recorder.ondataavailable = ({ data }) => pieces.push(data);
      recorder.start();
      running.current = { recorder, pieces, since: Date.now() };
      setSeconds(0);
    },
    async stop() {
      const { recorder, pieces } = finish()!;
      const stopped = new Promise((resolve) => (recorder.onstop = resolve));
      end({ recorder });
      await stopped;
      const type = recorder.mimeType.replace(/;.*/, "") as Mime;
      return new File(pieces, `Voice message.${TYPES[type]}`, { type });
    },
    cancel: () => end(finish()),
  };
}

/** The browser shows that the microphone is in use until its tracks are stopped, too. */
function end(running: { recorder: MediaRecorder } | undefined): void {
  if (running === undefined || running.recorder.state === "inactive") return;
  running.recorder.stop();
  for (const track of running.recorder.stream.getTracks()) track.stop();
}
