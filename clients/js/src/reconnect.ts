/** When to try again: a sequence of upper bounds, of which a random part is waited (CLI-01).
 *
 * Full jitter from the first retry on: after an outage all clients come back at once, and any fixed
 * part of the delay would keep them together. */

/** Makes the bounds (ms) anew after each success. Where the iterator ends, so do the attempts. */
export type Backoff = () => Iterator<number, void>;

/** 1, 2, 4, 8, 16, 30, 30, … seconds, without end. */
export function* exponential(first = 1_000, cap = 30_000): Generator<number, void> {
  for (let bound = first; ; bound = Math.min(bound * 2, cap)) yield Math.min(bound, cap);
}

/** 1, 2, 3, 4, 5 seconds, then no more. */
export function* linear(step = 1_000, attempts = 5): Generator<number, void> {
  for (let attempt = 1; attempt <= attempts; attempt++) yield step * attempt;
}

/** Never less than what the server asked for; jitter comes on top of that. */
export function delay(bound: number, random: () => number, advice = 0): number {
  return advice + bound * random();
}
