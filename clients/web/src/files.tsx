/** Pictures and files of a message. Their addresses are good for a while, and asked for anew. */

import type { Attachment, Client, Conversation, Message } from "palaver-client";
import { useEffect, useState } from "preact/hooks";
import { Dialog } from "./dialog.js";
import { useClient } from "./hooks.js";
import { Icon } from "./icons.js";
import { size } from "./time.js";

interface Loadable {
  url: string;
  thumbnail_url: string | null;
  expires_in_seconds: number;
}

/** Of the longer side of a picture, in pixels. */
const SHOWN = 300;
/** An address is not used in the last seconds of its life. */
const MARGIN_MS = 60_000;

export function Files({ message, conversation }: { message: Message; conversation: Conversation }) {
  const client = useClient();
  const [loadable, setLoadable] = useState<Loadable[]>();
  const [open, setOpen] = useState<number>();
  const sent = Number.isFinite(message.seq);
  useEffect(() => {
    let shown = true;
    if (sent) {
      addresses(client, conversation.c, message.id).then(
        (found) => shown && setLoadable(found),
        () => {}, // it was deleted meanwhile, or the connection broke
      );
    }
    return () => {
      shown = false;
    };
  }, [client, message.id, sent]);
  const files = message.attachments ?? [];
  const opened = open === undefined ? undefined : loadable?.[open];
  const alone = files.filter(({ type }) => type === "image").length === 1;
  return (
    <div class="files" data-alone={alone}>
      {files.map((file, index) =>
        file.type === "image" ? (
          <Picture
            key={file.url}
            file={file}
            alone={alone}
            from={loadable?.[index]}
            onOpen={() => setOpen(index)}
          />
        ) : (
          <Other key={file.url} file={file} from={loadable?.[index]} />
        ),
      )}
      {opened !== undefined && (
        <Dialog title={files[open!]?.name ?? "Picture"} onClose={() => setOpen(undefined)}>
          <img class="whole" src={opened.url} alt={files[open!]?.name ?? ""} />
        </Dialog>
      )}
    </div>
  );
}

interface FileProps {
  file: Attachment;
  from: Loadable | undefined;
}

/** It has its room before it is loaded: its own shape if it is `alone`, otherwise a square. */
function Picture({ file, alone, from, onOpen }: FileProps & { alone: boolean; onOpen(): void }) {
  const { width = SHOWN, height = SHOWN } = alone ? file : {};
  const scale = Math.min(SHOWN / Math.max(width, height), 1);
  const source = from?.thumbnail_url ?? from?.url;
  return (
    <button
      type="button"
      class="picture"
      aria-label={`Picture ${file.name ?? ""}`}
      style={`width: ${Math.round(width * scale)}px; aspect-ratio: ${width} / ${height}`}
      onClick={onOpen}
    >
      {source && <img src={source} alt={file.name ?? ""} loading="lazy" />}
    </button>
  );
}

function Other({ file, from }: FileProps) {
  if (file.type === "voice" && from) return <audio controls src={from.url} />;
  if (file.type === "video" && from) return <video controls src={from.url} preload="metadata" />;
  return (
    <a class="file" href={from?.url} download={file.name ?? true}>
      <Icon name="file" />
      <span>
        {file.name ?? "File"}
        {file.size !== undefined && <small>{size(file.size)}</small>}
      </span>
    </a>
  );
}

interface Kept {
  until: number;
  found: Promise<Loadable[]>;
}

const kept = new WeakMap<Client, Map<string, Kept>>();

function addresses(client: Client, c: string, message: string): Promise<Loadable[]> {
  let known = kept.get(client);
  if (known === undefined) kept.set(client, (known = new Map()));
  const there = known.get(message);
  if (there !== undefined && there.until > Date.now()) return there.found;
  const found = client
    .call("attachment.list", { message_id: message }, c)
    .then((answer) => answer["attachments"] as Loadable[]);
  const entry = { until: Infinity, found };
  known.set(message, entry);
  found.then(
    ([first]) => {
      entry.until = Date.now() + (first?.expires_in_seconds ?? 0) * 1000 - MARGIN_MS;
    },
    () => known.delete(message),
  );
  return found;
}
