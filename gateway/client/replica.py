"""What a device knows of the order of things: a position per conversation, and the one rule.

    seq == last + 1    take it
    seq <= last        drop it, it is known
    seq >  last + 1    something is missing: resume from the position

Pure: no I/O, no clock. One resume per conversation is in flight at a time; what lies beyond the gap
is dropped meanwhile, because the answer to the resume covers it. Whatever is lost, dropped or
repeated on the way, every seq after the first is taken once and in order, or skipped over by a
reload that the application is told of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

UNKNOWN_EPOCH = 0
"""Of a conversation that was met by a push: pushes do not carry the epoch."""


class Step(Enum):
    TAKE = "take"
    FOUND = "take it: it is the first that is known of its conversation"
    KNOWN = "drop it"
    LATER = "drop it: the resume in flight covers it"
    RESUME = "drop it, and resume"


@dataclass(slots=True)
class Position:
    """Every event of `epoch` up to `seq` is known; of marks, the first `marks` moves.

    `claimed` is (epoch, seq) of the resume in flight; `heard` and `told_epoch` are the greatest seq
    and epoch that were heard of meanwhile. `unchecked`: not compared with the server since the
    connection broke, so that even the next seq may belong to another epoch. `moved`: it moved since
    it was last compared, so that it may be ahead of what was stored.
    """

    epoch: int
    seq: int
    marks: int = 0
    claimed: tuple[int, int] | None = None
    heard: int = 0
    told_epoch: int = 0
    unchecked: bool = False
    moved: bool = True


@dataclass(frozen=True, slots=True)
class Resumed:
    """`reload`: the reason why the application must reload; up to `keep` it need not. `again`:
    resume once more."""

    reload: str | None
    seq: int
    keep: int
    again: bool


class Replica:
    def __init__(self) -> None:
        self.positions: dict[str, Position] = {}

    def push(self, conversation: str, first: int, last: int) -> Step:
        """What to do with events `first` to `last` (one number, but for `skipped`).

        `RESUME` is said once per gap. The first push of an unknown conversation founds its
        position: what lies before it is history, to be read as such.
        """
        position = self.positions.get(conversation)
        if position is None:
            self.positions[conversation] = Position(UNKNOWN_EPOCH, last)
            return Step.FOUND
        if last <= position.seq:
            return Step.KNOWN
        # While a resume is in flight, what comes next may be its answer. If it is of another epoch,
        # the answer says so right after.
        if first <= position.seq + 1 and (position.claimed or not position.unchecked):
            position.seq = last
            position.moved = True
            return Step.TAKE
        position.heard = max(position.heard, last)
        return Step.RESUME if self._begin(position) else Step.LATER

    def head(self, conversation: str, epoch: int, seq: int) -> bool:
        """Whether to resume, now that the conversation's actor says where it stands.

        It says so in line with the pushes, so any difference is a loss.
        """
        position = self.positions.get(conversation)
        if position is None or (position.epoch, position.seq) == (epoch, seq):
            return False
        position.told_epoch = epoch
        position.heard = max(position.heard, seq)
        return self._begin(position)

    def learn(self, conversation: str, epoch: int, seq: int, marks: int = 0) -> None:
        """An answer told where the conversation stands. Founds the position of an unknown one, and
        completes one that was founded on the same connection; other positions only pushes move."""
        position = self.positions.setdefault(conversation, Position(epoch, seq))
        if position.epoch == UNKNOWN_EPOCH:
            position.epoch = epoch
        position.marks = max(position.marks, marks)

    def claim(self, conversation: str) -> dict[str, Any]:
        """The payload of `conversation.resume`.

        It is the position as it was when the need was seen: what was taken since then may be of
        another epoch. An epoch that was never learnt is claimed to be the first one: the server
        then recovers what cannot have diverged, at worst needlessly careful.
        """
        position = self.positions[conversation]
        epoch, seq = position.claimed or (position.epoch, position.seq)
        return {"epoch": max(epoch, 1), "seq": seq, "marks": position.marks}

    def resumed(self, conversation: str, answer: Mapping[str, Any]) -> Resumed:
        """The answer to a resume, taken in line with the pushes that came before it."""
        position = self.positions[conversation]
        recovered = answer["recovered"]
        reason = None if recovered else str(answer.get("reason", "unknown"))
        if reason == "not_member":
            self.forget(conversation)
            return Resumed(reason, 0, 0, again=False)
        position.epoch = answer["epoch"]
        position.seq = max(position.seq, answer["seq"]) if recovered else answer["seq"]
        # In a new epoch the numbers of moves that were lost are given to others.
        known = position.marks if recovered else 0
        position.marks = answer.get("marks", {}).get("n", known)
        again = position.heard > position.seq or position.told_epoch > position.epoch
        position.claimed = (position.epoch, position.seq) if again else None
        position.heard = position.told_epoch = 0
        position.unchecked = position.moved = False
        return Resumed(reason, position.seq, answer.get("reload_after", 0), again)

    def forget(self, conversation: str) -> None:
        self.positions.pop(conversation, None)

    def disconnected(self) -> None:
        """The connection is gone, and with it the resumes in flight."""
        for position in self.positions.values():
            position.moved |= position.claimed is not None
            position.claimed = None
            position.heard = position.told_epoch = 0
            position.unchecked = True
            position.epoch = max(position.epoch, 1)

    def compare(
        self, rows: Mapping[str, tuple[int, int]] | None, suspects: Iterable[str] = ()
    ) -> tuple[list[str], list[str]]:
        """After a reconnect: given (epoch, seq) of every conversation that changed meanwhile,
        those to resume, and those that are new and stand where the row says from now on.

        A position that moved since the last comparison is resumed even if it is in no row: it may
        be ahead of a log that has lost its end. So are `suspects`, where something may have
        happened that no row tells. Without rows (None) all of them are.
        """
        behind, new = [], []
        for conversation, (epoch, seq) in (rows or {}).items():
            position = self.positions.get(conversation)
            if position is None:
                self.positions[conversation] = Position(epoch, seq, moved=False)
                new.append(conversation)
            elif position.epoch == UNKNOWN_EPOCH:  # met on this very connection
                position.epoch = epoch
            else:
                position.moved = (position.epoch, position.seq) != (epoch, seq)
        for conversation in suspects:
            if conversation in self.positions:
                self.positions[conversation].moved = True
        for conversation, position in self.positions.items():
            if position.unchecked and (position.moved or rows is None):
                if self._begin(position):
                    behind.append(conversation)
            else:
                position.unchecked = position.moved = False
        return behind, new

    def _begin(self, position: Position) -> bool:
        if position.claimed is not None:
            return False
        position.claimed = (position.epoch, position.seq)
        return True
