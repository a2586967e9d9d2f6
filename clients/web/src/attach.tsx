/** Ways by which files come into a message, besides pasting them. */

import { useEffect, useRef, type MutableRef } from "preact/hooks";
import { Icon } from "./icons.js";

type Take = (files: Iterable<File>) => void;

export function Attach({ disabled, onFiles }: { disabled: boolean; onFiles: Take }) {
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        class="plain"
        aria-label="Attach files"
        disabled={disabled}
        onClick={() => chooser.current?.click()}
      >
        <Icon name="attach" />
      </button>
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        aria-label="Files"
        onChange={(event) => {
          onFiles(event.currentTarget.files ?? []);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

/** Files may be dropped wherever in the conversation; while they are above it, it says so. */
export function useDropped(within: MutableRef<HTMLElement | null>, take: Take): void {
  useEffect(() => {
    const place = within.current!.closest("main")!;
    const over = (event: DragEvent) => {
      event.preventDefault();
      place.dataset["drop"] = "true";
    };
    const left = (event: DragEvent) => {
      if (!place.contains(event.relatedTarget as Node | null)) delete place.dataset["drop"];
    };
    const dropped = (event: DragEvent) => {
      event.preventDefault();
      delete place.dataset["drop"];
      take(event.dataTransfer?.files ?? []);
    };
    place.addEventListener("dragover", over);
    place.addEventListener("dragleave", left);
    place.addEventListener("drop", dropped);
    return () => {
      place.removeEventListener("dragover", over);
      place.removeEventListener("dragleave", left);
      place.removeEventListener("drop", dropped);
    };
  }, []);
}
