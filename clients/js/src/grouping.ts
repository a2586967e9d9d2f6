/** Which messages belong together on a screen (MSG-31). */

interface Shown {
  by?: string;
  ts: number;
  kind?: string;
}

/** Runs of consecutive messages of one sender, each at most `within` ms after the one before it, in
 * the given order. A message of the system, which has no `by`, stands alone, and so does what else
 * somebody has done. */
export function grouped<M extends Shown>(messages: Iterable<M>, within = 300_000): M[][] {
  return runs(messages, (last, next) => {
    const isOnes = isSaid(last) && isSaid(next) && next.by === last.by;
    return isOnes && next.ts - last.ts <= within;
  });
}

const isSaid = ({ by, kind = "message.sent" }: Shown) =>
  by !== undefined && kind === "message.sent";

/** Runs of messages of one day, where this machine is or in `timeZone` (`Europe/Paris`). */
export function groupedByDay<M extends Shown>(
  messages: Iterable<M>,
  timeZone?: string,
): { day: string; messages: M[] }[] {
  // In Swedish a date is written as ISO 8601 wants it.
  const format = new Intl.DateTimeFormat("sv-SE", timeZone === undefined ? {} : { timeZone });
  const day = ({ ts }: Shown) => format.format(ts);
  return runs(messages, (last, next) => day(last) === day(next)).map((run) => ({
    day: day(run[0]!),
    messages: run,
  }));
}

function runs<M>(messages: Iterable<M>, together: (last: M, next: M) => boolean): M[][] {
  const found: M[][] = [];
  for (const message of messages) {
    const run = found.at(-1);
    if (run !== undefined && together(run.at(-1)!, message)) run.push(message);
    else found.push([message]);
  }
  return found;
}
