"""Moves of marks that are stored and told together (RCPT-09), and who may hear of which (C-09)."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence

import trio

from ..protocol import machine
from ..protocol.commands import Emit, MoveMark
from ..protocol.features.marks import together
from ..protocol.machine import Mark
from ..protocol.policy import Policy
from ..protocol.state import ConversationState, Member
from .outbox import Parcel, Push


class Batch:
    """The moves of one conversation that wait: at most `Policy.receipts_batch_s` long, or until
    there are `receipts_batch_n` of them. If it is not `on`, whoever gathers takes at once.

    Until then a mark is ahead (`ConversationState.ahead`): it counts for its user, who is told that
    it is not durable, and for nobody else. So what anybody hears of it is what is stored, and the
    first time that was ever told is kept (RCPT-05).
    """

    __slots__ = ("_most", "_moves", "_receipts", "_seconds", "due", "on")

    def __init__(self, policy: Policy) -> None:
        self.on = policy.receipts_batch_s > 0 and policy.receipts_batch_n > 1
        self.due = math.inf
        """when it is to be taken, in trio's time"""
        self._seconds = policy.receipts_batch_s
        self._most = policy.receipts_batch_n
        self._moves = 0
        self._receipts: dict[tuple[str, str], Emit | None] = {}

    def __bool__(self) -> bool:
        """Whether any wait."""
        return self._moves > 0

    @property
    def full(self) -> bool:
        return self._moves >= self._most

    @property
    def is_due(self) -> bool:
        return trio.current_time() >= self.due

    def gather(self, state: ConversationState, move: MoveMark, at: int) -> None:
        """Carry `move` out for its user, and keep it for the others."""
        machine.move_ahead(state, move, at)
        self._receipts[move.user, move.kind] = move.receipt
        if not self._moves:
            self.due = trio.current_time() + self._seconds
        self._moves += 1

    def take(self, state: ConversationState) -> tuple[list[Mark], list[Emit]]:
        """All that waits: the last move of each mark, and what is to be told of it. Who has become
        reticent meanwhile is left out."""
        receipts, self._receipts = self._receipts, {}
        self._moves, self.due = 0, math.inf
        marks = machine.take_ahead(state)
        tells = (mark for mark in marks if mark.user not in state.reticent)
        told = (receipts.get((mark.user, mark.kind)) for mark in tells)
        return marks, [receipt for receipt in told if receipt is not None]


class Shares:
    """What each subscriber hears of `receipts`, which are of one audience: one signal, made once
    for all who hear the same."""

    def __init__(self, conversation: str, receipts: Sequence[Emit], at: int) -> None:
        self._conversation = conversation
        self._at = at
        # What a sender hears is then the beginning of it: few different parcels, quickly found.
        self._emits = sorted(receipts, key=lambda emit: emit.after or 0)
        self._afters = [emit.after for emit in self._emits if emit.after is not None]
        self._left_out = {emit.by for emit in self._emits}.union(
            *(emit.without for emit in self._emits)
        )
        self._beginnings: dict[int, Parcel | None] = {}

    def parcel(self, user: str, members: Mapping[str, Member]) -> Parcel | None:
        """For `user`, one of `members`; None if there is nothing to hear."""
        count = len(self._emits)
        if self._afters:
            count = bisect_left(self._afters, members[user].sent_seq)
        if user in self._left_out:
            return self._make(
                [
                    emit
                    for emit in self._emits[:count]
                    if emit.by != user and user not in emit.without
                ]
            )
        if count not in self._beginnings:
            self._beginnings[count] = self._make(self._emits[:count])
        return self._beginnings[count]

    def _make(self, emits: Sequence[Emit]) -> Parcel | None:
        if not emits:
            return None
        signal = together([emit.signal for emit in emits])
        return Parcel([Push(signal.item(self._conversation, self._at))], droppable=True)
