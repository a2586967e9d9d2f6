/** Files that go up while something is written. */

import { useState } from "preact/hooks";
import { Icon } from "./icons.js";
import type { Session } from "./session.js";
import { size } from "./time.js";
import { upload } from "./upload.js";

export interface Upload {
  key: number;
  file: File;
  /** An address of what it looks like, if it is a picture. */
  preview: string | undefined;
  /** From 0 to 1. */
  progress: number;
  /** By which a message names it, as soon as it is there. */
  id?: string;
  problem?: string;
}

export interface Uploads {
  all: readonly Upload[];
  add(files: Iterable<File>): void;
  again(upload: Upload): void;
  remove(uploads: readonly Upload[]): void;
}

let last = 0;

export function useUploads(session: Session): Uploads {
  const [all, setAll] = useState<Upload[]>([]);
  const put = (changed: Upload) =>
    setAll((all) => all.map((each) => (each.key === changed.key ? changed : each)));
  const start = async (fresh: Upload) => {
    try {
      const id = await upload(session, fresh.file, (progress) => put({ ...fresh, progress }));
      put({ ...fresh, progress: 1, id });
    } catch (error) {
      put({ ...fresh, problem: (error as Error).message });
    }
  };
  return {
    all,
    add(files) {
      const fresh = [...files].map((file) => {
        const picture = file.type.startsWith("image/");
        const preview = picture ? URL.createObjectURL(file) : undefined;
        return { key: ++last, file, preview, progress: 0 };
      });
      setAll((all) => [...all, ...fresh]);
      for (const each of fresh) void start(each);
    },
    again({ key, file, preview }) {
      const fresh = { key, file, preview, progress: 0 };
      put(fresh);
      void start(fresh);
    },
    remove(uploads) {
      for (const { preview } of uploads) if (preview) URL.revokeObjectURL(preview);
      setAll((all) => all.filter(({ key }) => !uploads.some((each) => each.key === key)));
    },
  };
}

export function UploadList({ uploads }: { uploads: Uploads }) {
  if (uploads.all.length === 0) return null;
  return (
    <ul class="uploads" aria-label="Files to send">
      {uploads.all.map((each) => (
        <li key={each.key} data-problem={each.problem !== undefined}>
          {each.preview ? <img src={each.preview} alt="" /> : <Icon name="file" />}
          <span>
            {each.file.name}
            <small>{each.problem ?? size(each.file.size)}</small>
            {each.id === undefined && each.problem === undefined && (
              <progress value={each.progress} aria-label={`Upload of ${each.file.name}`} />
            )}
          </span>
          {each.problem !== undefined && (
            <button type="button" class="link" onClick={() => uploads.again(each)}>
              Try again
            </button>
          )}
          <button
            type="button"
            class="plain"
            aria-label={`Remove ${each.file.name}`}
            onClick={() => uploads.remove([each])}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
