/** What a device knows of the order of things: a position per conversation, and the one rule.
 *
 *     seq == last + 1    take it
 *     seq <= last        drop it, it is known
 *     seq >  last + 1    something is missing: resume from the position
 *
 * Pure: no I/O, no clock. One resume per conversation is in flight at a time; what lies beyond the
 * gap is dropped meanwhile, because the answer to the resume covers it. Whatever is lost, dropped or
 * repeated on the way, every seq after the first is taken once and in order, or skipped over by a
 * reload that the application is told of. */

import type { Ok } from "./calls.js";

/** Of a conversation that was met by a push: pushes do not carry the epoch. */
export const UNKNOWN_EPOCH = 0;

/** `take` it; it is `found`: the first that is known of its conversation; it is `known`: drop it;
 * `later`: drop it, the resume in flight covers it; or drop it and `resume`. */
export type Step = "take" | "found" | "known" | "later" | "resume";

/** Every event of `epoch` up to `seq` is known; of marks, the first `marks` moves. */
export interface Position {
  epoch: number;
  seq: number;
  marks: number;
  /** (epoch, seq) of the resume in flight. */
  claimed: readonly [epoch: number, seq: number] | undefined;
  /** The greatest that were heard of while it is. */
  heard: number;
  toldEpoch: number;
  /** Not compared with the server since the connection broke, so that even the next seq may belong
   * to another epoch. */
  unchecked: boolean;
  /** It moved since it was last compared, so that it may be ahead of what was stored. */
  moved: boolean;
}

/** `reload`: the reason why the application must reload; up to `keep` it need not. `again`: resume
 * once more. */
export interface Resumed {
  reload: string | undefined;
  seq: number;
  keep: number;
  again: boolean;
}

export class Replica {
  readonly positions = new Map<string, Position>();

  /** What to do with events `first` to `last` (one number, but for `skipped`).
   *
   * `resume` is said once per gap. The first push of an unknown conversation founds its position:
   * what lies before it is history, to be read as such. */
  push(conversation: string, first: number, last: number): Step {
    const position = this.positions.get(conversation);
    if (position === undefined) {
      this.positions.set(conversation, at(UNKNOWN_EPOCH, last));
      return "found";
    }
    if (last <= position.seq) return "known";
    // While a resume is in flight, what comes next may be its answer. If it is of another epoch,
    // the answer says so right after.
    if (first <= position.seq + 1 && (position.claimed !== undefined || !position.unchecked)) {
      position.seq = last;
      position.moved = true;
      return "take";
    }
    position.heard = Math.max(position.heard, last);
    return begin(position) ? "resume" : "later";
  }

  /** Whether to resume, now that the conversation's actor says where it stands. It says so in line
   * with the pushes, so any difference is a loss. */
  head(conversation: string, epoch: number, seq: number): boolean {
    const position = this.positions.get(conversation);
    if (position === undefined || (position.epoch === epoch && position.seq === seq)) return false;
    position.toldEpoch = epoch;
    position.heard = Math.max(position.heard, seq);
    return begin(position);
  }

  /** An answer told where the conversation stands. Founds the position of an unknown one, and
   * completes one that was founded on the same connection; other positions only pushes move. */
  learn(conversation: string, epoch: number, seq: number, marks = 0): void {
    let position = this.positions.get(conversation);
    if (position === undefined) {
      position = at(epoch, seq);
      this.positions.set(conversation, position);
    }
    if (position.epoch === UNKNOWN_EPOCH) position.epoch = epoch;
    position.marks = Math.max(position.marks, marks);
  }

  /** The payload of `conversation.resume`.
   *
   * It is the position as it was when the need was seen: what was taken since then may be of
   * another epoch. An epoch that was never learnt is claimed to be the first one: the server then
   * recovers what cannot have diverged, at worst needlessly careful. Undefined: nothing is known
   * of it any more. */
  claim(conversation: string): { epoch: number; seq: number; marks: number } | undefined {
    const position = this.positions.get(conversation);
    if (position === undefined) return undefined;
    const [epoch, seq] = position.claimed ?? [position.epoch, position.seq];
    return { epoch: Math.max(epoch, 1), seq, marks: position.marks };
  }

  /** The answer to a resume, taken in line with the pushes that came before it. */
  resumed(conversation: string, answer: Ok): Resumed {
    const position = this.positions.get(conversation);
    const recovered = answer["recovered"] as boolean;
    const reason = recovered ? undefined : String(answer["reason"] ?? "unknown");
    if (position === undefined || reason === "not_member") {
      this.forget(conversation);
      return { reload: reason, seq: 0, keep: 0, again: false };
    }
    position.epoch = answer["epoch"];
    position.seq = recovered ? Math.max(position.seq, answer["seq"]) : answer["seq"];
    // In a new epoch the numbers of moves that were lost are given to others.
    position.marks = answer["marks"]?.n ?? (recovered ? position.marks : 0);
    const again = position.heard > position.seq || position.toldEpoch > position.epoch;
    position.claimed = again ? [position.epoch, position.seq] : undefined;
    position.heard = position.toldEpoch = 0;
    position.unchecked = position.moved = false;
    return { reload: reason, seq: position.seq, keep: answer["reload_after"] ?? 0, again };
  }

  forget(conversation: string): void {
    this.positions.delete(conversation);
  }

  /** The connection is gone, and with it the resumes in flight. */
  disconnected(): void {
    for (const position of this.positions.values()) {
      position.moved ||= position.claimed !== undefined;
      position.claimed = undefined;
      position.heard = position.toldEpoch = 0;
      position.unchecked = true;
      position.epoch = Math.max(position.epoch, 1);
    }
  }

  /** After a reconnect: given (epoch, seq) of every conversation that changed meanwhile, those to
   * resume, and those that are new and stand where the row says from now on.
   *
   * A position that moved since the last comparison is resumed even if it is in no row: it may be
   * ahead of a log that has lost its end. So are `suspects`, where something may have happened that
   * no row tells. Without rows all of them are. */
  compare(
    rows: ReadonlyMap<string, readonly [epoch: number, seq: number]> | undefined,
    suspects: Iterable<string> = [],
  ): { behind: string[]; fresh: string[] } {
    const behind: string[] = [];
    const fresh: string[] = [];
    for (const [conversation, [epoch, seq]] of rows ?? []) {
      const position = this.positions.get(conversation);
      if (position === undefined) {
        this.positions.set(conversation, { ...at(epoch, seq), moved: false });
        fresh.push(conversation);
      } else if (position.epoch === UNKNOWN_EPOCH) {
        position.epoch = epoch; // met on this very connection
      } else {
        position.moved = position.epoch !== epoch || position.seq !== seq;
      }
    }
    for (const conversation of suspects) {
      const position = this.positions.get(conversation);
      if (position !== undefined) position.moved = true;
    }
    for (const [conversation, position] of this.positions) {
      if (position.unchecked && (position.moved || rows === undefined)) {
        if (begin(position)) behind.push(conversation);
      } else {
        position.unchecked = position.moved = false;
      }
    }
    return { behind, fresh };
  }
}

function at(epoch: number, seq: number): Position {
  const rest = { marks: 0, claimed: undefined, heard: 0, toldEpoch: 0, unchecked: false };
  return { epoch, seq, ...rest, moved: true };
}

function begin(position: Position): boolean {
  if (position.claimed !== undefined) return false;
  position.claimed = [position.epoch, position.seq];
  return true;
}
