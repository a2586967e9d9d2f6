/** Drawings of buttons. They say nothing by themselves, the button has a label; unless they have one. */

const PATHS = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  compose: "M4 20h4L19 9l-4-4L4 16v4zM13 7l4 4",
  search: "M11 4a7 7 0 110 14 7 7 0 010-14zM16.5 16.5L21 21",
  settings: "M4 7h10M18 7h2M14 4v6M4 17h2M10 17h10M6 14v6",
  send: "M4 12l16-8-6 16-3-7-7-1z",
  attach: "M20 11l-8.5 8.5a5 5 0 01-7-7L13 4a3.3 3.3 0 014.7 4.7l-8.4 8.4a1.7 1.7 0 01-2.4-2.4L14 8",
  reply: "M10 8V4L3 11l7 7v-4c5 0 8 2 11 6 0-7-4-12-11-12z",
  forward: "M14 8V4l7 7-7 7v-4c-5 0-8 2-11 6 0-7 4-12 11-12z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  smile: "M12 3a9 9 0 110 18 9 9 0 010-18zM8.5 14a4 4 0 007 0M9 9.5v.01M15 9.5v.01",
  edit: "M4 20h4L19 9l-4-4L4 16v4z",
  remove: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v6M14 11v6",
  pin: "M9 3h6l-1 6 4 4H6l4-4-1-6zM12 13v8",
  star: "M12 3l2.7 5.8 6.3.8-4.6 4.4 1.2 6.3L12 17.2 6.4 20.3l1.2-6.3L3 9.6l6.3-.8L12 3z",
  more: "M5.5 12a.5.5 0 10-1 0 .5.5 0 101 0M12.5 12a.5.5 0 10-1 0 .5.5 0 101 0M19.5 12a.5.5 0 10-1 0 .5.5 0 101 0",
  down: "M12 5v14M6 13l6 6 6-6",
  mute: "M4 9v6h4l5 4V5L8 9H4zM17 9l4 6M21 9l-4 6",
  archive: "M4 5h16v4H4zM6 9v10h12V9M10 13h4",
  info: "M12 3a9 9 0 110 18 9 9 0 010-18zM12 11v5M12 8v.01",
  leave: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  add: "M12 5v14M5 12h14",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  unread: "M14 5H4v12h4v4l5-4h7v-6M19 3a2.5 2.5 0 110 5 2.5 2.5 0 010-5z",
  check: "M5 13l4 4L19 7",
  checks: "M2 13l4 4 9-10M11 16l1 1L22 7",
  microphone: "M12 3a3 3 0 013 3v6a3 3 0 01-6 0V6a3 3 0 013-3zM6 11v1a6 6 0 0012 0v-1M12 18v3",
  stop: "M7 7h10v10H7z",
  play: "M8 5l11 7-11 7z",
  pause: "M7 5h3v14H7zM14 5h3v14h-3z",
  next: "M9 5l7 7-7 7",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  waiting: "M12 4a8 8 0 110 16 8 8 0 010-16zM12 8v4l3 2",
  warning: "M12 4l9 16H3L12 4zM12 10v4M12 17v.01",
} as const;

export type IconName = keyof typeof PATHS;

interface Props {
  name: IconName;
  filled?: boolean;
  label?: string;
}

export function Icon({ name, filled, label }: Props) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      role={label === undefined ? undefined : "img"}
      aria-label={label}
      aria-hidden={label === undefined}
      data-filled={filled}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
