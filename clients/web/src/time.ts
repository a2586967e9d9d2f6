/** Times as people read them. */

/** The hour as it is written in full dates, too: 4:01 AM, or 04:01. */
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const DAY_MS = 86_400_000;

export const clock = (ts: number): string => CLOCK.format(ts);
export const whole = (ts: number): string => WHOLE.format(ts);

/** The shortest that says when it was. */
export function short(ts: number): string {
  const days = daysAgo(ts);
  if (days === 0) return CLOCK.format(ts);
  return days < 7 ? WEEKDAY.format(ts) : DATE.format(ts);
}

/** `day` is a date as in 2026-11-21. */
export function dayName(day: string): string {
  const noon = new Date(`${day}T12:00`).getTime();
  const days = daysAgo(noon);
  if (days === 0) return "Today";
  return days === 1 ? "Yesterday" : DAY.format(noon);
}

function daysAgo(ts: number): number {
  const midnight = new Date().setHours(0, 0, 0, 0);
  return ts >= midnight ? 0 : Math.ceil((midnight - ts) / DAY_MS);
}

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
}

/** A length of time: 1:05. */
export const minutes = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

/** A time that lies ahead: the shortest words that say when. */
export function soon(ts: number): string {
  const midnight = new Date().setHours(24, 0, 0, 0);
  if (ts < midnight) return `at ${CLOCK.format(ts)}`;
  if (ts < midnight + DAY_MS) return `tomorrow at ${CLOCK.format(ts)}`;
  return `on ${DATE.format(ts)} at ${CLOCK.format(ts)}`;
}

/** When one would like to send something that is not to be sent now. */
export function laterTimes(now: number): { label: string; at: number }[] {
  const morning = (days: number) => {
    const day = new Date(now);
    day.setDate(day.getDate() + days);
    return day.setHours(9, 0, 0, 0);
  };
  const toMonday = ((8 - new Date(now).getDay()) % 7) || 7;
  const times = [
    { label: "In an hour", at: now + 3_600_000 },
    { label: `Tomorrow at ${CLOCK.format(morning(1))}`, at: morning(1) },
    { label: `Monday at ${CLOCK.format(morning(toMonday))}`, at: morning(toMonday) },
  ];
  return toMonday === 1 ? times.slice(0, 2) : times;
}

/** As a field for dates and times has it: 2026-11-21T09:00, where the reader is. */
export function toField(ts: number): string {
  const away = new Date(ts).getTimezoneOffset() * 60_000;
  return new Date(ts - away).toISOString().slice(0, 16);
}

export const fromField = (value: string): number => new Date(value).getTime();
