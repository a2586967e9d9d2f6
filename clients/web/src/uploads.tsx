/** Files that go up while something is written. */

import { useRef, useState } from "preact/hooks";
import { Icon } from "./icons.js";
import type { Session } from "./session.js";
import { size } from "./time.js";
import { Voice } from "./voice.js";

/** As many go with one message. */
const MOST = 10;

export interface Upload {
  key: number;
  file: File;
  /** An address of what it looks or sounds like, if it is a picture or a recording. */
  preview: string | undefined;
  /** From 0 to 1. */
  progress: number;
  /** By which a message names it, as soon as it is there. */
  id?: string;
  problem?: string;
}

export interface Uploads {
  all: readonly Upload[];
  /** How many were left out, since more do not go with a message. */
  leftOut: number;
  add(files: Iterable<File>): void;
  again(upload: Upload): void;
  remove(uploads: readonly Upload[]): void;
}

let last = 0;

export function useUploads(session: Session): Uploads {
  // What is added later counts those that were added before, whoever adds it.
  const current = useRef<readonly Upload[]>([]);
  const [all, setAll] = useState(current.current);
  const [leftOut, setLeftOut] = useState(0);
  const set = (next: readonly Upload[]) => setAll((current.current = next));
  const put = (changed: Upload) =>
    set(current.current.map((each) => (each.key === changed.key ? changed : each)));
  const start = async (fresh: Upload) => {
    try {
      const progress = (done: number, size: number) => put({ ...fresh, progress: done / size });
      const id = await session.client.upload(fresh.file, { progress });
      put({ ...fresh, progress: 1, id });
    } catch (error) {
      put({ ...fresh, problem: (error as Error).message });
    }
  };
  return {
    all,
    leftOut,
    add(files) {
      const given = [...files];
      const taken = given.slice(0, MOST - current.current.length);
      const fresh = taken.map((file) => {
        const preview = isShown(file) ? URL.createObjectURL(file) : undefined;
        return { key: ++last, file, preview, progress: 0 };
      });
      setLeftOut(given.length - taken.length);
      set([...current.current, ...fresh]);
      for (const each of fresh) void start(each);
    },
    again({ key, file, preview }) {
      const fresh = { key, file, preview, progress: 0 };
      put(fresh);
      void start(fresh);
    },
    remove(uploads) {
      for (const { preview } of uploads) if (preview) URL.revokeObjectURL(preview);
      setLeftOut(0);
      set(current.current.filter(({ key }) => !uploads.some((each) => each.key === key)));
    },
  };
}

const isShown = ({ type }: File) => /^(image|audio)\//.test(type);

export function UploadList({ uploads }: { uploads: Uploads }) {
  return (
    <>
      {uploads.all.length > 0 && (
        <ul class="uploads" aria-label="Files to send">
          {uploads.all.map((each) => (
            <Item key={each.key} upload={each} uploads={uploads} />
          ))}
        </ul>
      )}
      <p class="left-out" role="status">
        {uploads.leftOut > 0 &&
          `At most ${MOST} files go with a message: ${uploads.leftOut} ${uploads.leftOut === 1 ? "was" : "were"} left out.`}
      </p>
    </>
  );
}

function Item({ upload, uploads }: { upload: Upload; uploads: Uploads }) {
  const { file, preview, problem, progress, id } = upload;
  const picture = preview !== undefined && file.type.startsWith("image/");
  const going = id === undefined && problem === undefined;
  return (
    <li data-picture={picture && problem === undefined} data-problem={problem !== undefined}>
      <Preview upload={upload} />
      <span class="words">
        {file.name}
        <small>{problem ?? size(file.size)}</small>
      </span>
      {going && <progress value={progress} aria-label={`Upload of ${file.name}`} />}
      {problem !== undefined && (
        <button type="button" class="link" onClick={() => uploads.again(upload)}>
          Try again
        </button>
      )}
      <button
        type="button"
        class="plain"
        aria-label={`Remove ${file.name}`}
        onClick={() => uploads.remove([upload])}
      >
        <Icon name="close" />
      </button>
    </li>
  );
}

function Preview({ upload: { file, preview } }: { upload: Upload }) {
  if (preview === undefined) return <Icon name="file" />;
  return file.type.startsWith("audio/") ? <Voice url={preview} /> : <img src={preview} alt="" />;
}
