/** The pictures of a message, one at a time, as large as there is room. */

import { useRef, useState } from "preact/hooks";
import { Icon } from "./icons.js";
import { useModal } from "./modal.js";

/** A finger that moves by so many pixels means the next one. */
const SWIPE = 50;

interface Props {
  pictures: readonly { name: string; url: string }[];
  first: number;
  onClose(): void;
}

export function Viewer({ pictures, first, onClose }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const [at, setAt] = useState(first);
  const touched = useRef(0);
  useModal(ref);
  const { name, url } = pictures[at]!;
  const go = (by: number) => setAt((at + by + pictures.length) % pictures.length);
  const pressed = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    go(by);
  };
  const swiped = (event: TouchEvent) => {
    const moved = event.changedTouches[0]!.clientX - touched.current;
    if (Math.abs(moved) > SWIPE) go(moved < 0 ? 1 : -1);
  };
  return (
    <dialog
      ref={ref}
      class="viewer"
      aria-label={`Picture ${at + 1} of ${pictures.length}: ${name}`}
      onClose={onClose}
      onKeyDown={pressed}
      onTouchStart={(event) => (touched.current = event.changedTouches[0]!.clientX)}
      onTouchEnd={swiped}
    >
      <header>
        <p aria-live="polite">
          {name} <small>{pictures.length > 1 && `${at + 1} of ${pictures.length}`}</small>
        </p>
        <a class="plain" href={url} download={name || true} aria-label="Download">
          <Icon name="download" />
        </a>
        <button type="button" class="plain" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="stage" onClick={(event) => event.target === event.currentTarget && onClose()}>
        <img key={url} src={url} alt={name} />
      </div>
      {pictures.length > 1 && (
        <>
          <button
            type="button"
            class="plain previous"
            aria-label="The one before"
            onClick={() => go(-1)}
          >
            <Icon name="back" />
          </button>
          <button
            type="button"
            class="plain next"
            aria-label="The next one"
            onClick={() => go(1)}
          >
            <Icon name="next" />
          </button>
        </>
      )}
    </dialog>
  );
}
