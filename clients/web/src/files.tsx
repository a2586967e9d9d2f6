/** Pictures and files of a message. Several pictures are a grid. */

import type { Attachment, Conversation, Message } from "palaver-client";
import { useState } from "preact/hooks";
import { useAddresses, type Loadable } from "./addresses.js";
import { Icon } from "./icons.js";
import { size } from "./time.js";
import { Viewer } from "./viewer.js";
import { Voice } from "./voice.js";

/** Of the longer side of a picture, in pixels. */
const SHOWN = 300;

export function Files({ message, conversation }: { message: Message; conversation: Conversation }) {
  const loadable = useAddresses(message, conversation.c);
  const [open, setOpen] = useState<number>();
  const files = (message.attachments ?? []).map((file, index) => ({
    file,
    from: loadable?.[index],
  }));
  const pictures = files.filter(({ file }) => file.type === "image");
  const others = files.filter(({ file }) => file.type !== "image");
  return (
    <div class="files">
      {pictures.length > 0 && (
        <div class="pictures" role="group" aria-label="Pictures">
          {pictures.map(({ file, from }, index) => (
            <Picture
              key={file.url}
              file={file}
              from={from}
              style={
                pictures.length === 1 ? itsOwnRoom(file) : roomInGrid(index, pictures.length)
              }
              onOpen={() => from && setOpen(index)}
            />
          ))}
        </div>
      )}
      {others.map(({ file, from }) => (
        <Other key={file.url} file={file} from={from} />
      ))}
      {open !== undefined && (
        <Viewer
          pictures={pictures.map(({ file, from }) => ({ name: file.name ?? "", url: from!.url }))}
          first={open}
          onClose={() => setOpen(undefined)}
        />
      )}
    </div>
  );
}

interface FileProps {
  file: Attachment;
  from: Loadable | undefined;
}

/** Its own shape. */
function itsOwnRoom({ width = SHOWN, height = SHOWN }: Attachment): string {
  const scale = Math.min(SHOWN / Math.max(width, height), 1);
  return `width: ${Math.round(width * scale)}px; aspect-ratio: ${width} / ${height}`;
}

/** Two or three stand side by side, and fewer in the first row if they do not come out even. */
function roomInGrid(index: number, count: number): string {
  const columns = count < 5 ? 2 : 3;
  const rest = count % columns;
  const beside = index < rest ? rest : columns;
  return `grid-column: span ${6 / beside}; aspect-ratio: ${columns} / ${beside}`;
}

/** It has its room before it is loaded. */
function Picture({ file, from, style, onOpen }: FileProps & { style: string; onOpen(): void }) {
  const source = from?.thumbnail_url ?? from?.url;
  return (
    <button
      type="button"
      class="picture"
      aria-label={`Picture ${file.name ?? ""}`}
      style={style}
      onClick={onOpen}
    >
      {source && <img src={source} alt={file.name ?? ""} loading="lazy" />}
    </button>
  );
}

function Other({ file, from }: FileProps) {
  if (file.type === "voice" && from) return <Voice url={from.url} />;
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
