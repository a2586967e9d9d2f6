"""Moves of marks that are stored and told together (RCPT-09), and who may hear of which (C-09)."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

import trio

from ..protocol import machine
from ..protocol.commands import Emit, MoveMark
from ..protocol.features.marks import together
from ..protocol.machine import Mark
from ..protocol.policy import Policy
from ..protocol.state import ConversationState
from .outbox import Parcel, Push


class Batch:
    """The moves of one conversation that wait: at most `Policy.receipts_batch_s` long, or until
    there are `receipts_batch_n` of them. If it is not `on`, whoever gathers takes at once.

    Until then a mark is ahead (`ConversationState.ahead`): it counts for its user, who is told that
    it is not durable, and for nobody else. So what anybody hears of it is what is stored, and the
    first time that was ever told is kept (RCPT-05).
    """

    def __init__(self, policy: Policy) -> None:
        self.on = policy.receipts_batch_s > 0 and policy.receipts_batch_n > 1
        self.due = math.inf
        """when it is to be taken, in trio's time"""
        self._seconds = policy.receipts_batch_s
        self._most = policy.receipts_batch_n
        self._moves = 0
        self._receipts: dict[tuple[str, str], Emit] = {}

    @property
    def full(self) -> bool:
        return self._moves >= self._most

    @property
    def is_due(self) -> bool:
        return self._moves > 0 and trio.current_time() >= self.due

    def gather(self, state: ConversationState, move: MoveMark, at: int) -> None:
        """Carry `move` out for its user, and keep it for the others."""
        machine.move_ahead(state, move, at)
        if move.receipt is not None:
            self._receipts[move.user, move.kind] = move.receipt
        if not self._moves:
            self.due = trio.current_time() + self._seconds
        self._moves += 1

    def take(self, state: ConversationState) -> tuple[list[Mark], list[Emit]]:
        """All that waits: the last move of each mark, and what is to be told of it."""
        receipts = [self._receipts[key] for key in state.ahead if key in self._receipts]
        self._receipts, self._moves, self.due = {}, 0, math.inf
        return machine.take_ahead(state), receipts


class Shares:
    """What each subscriber hears of `receipts`, which are of one audience: one signal, made once
    for all who hear the same."""

    def __init__(self, conversation: str, receipts: Sequence[Emit], at: int) -> None:
        self._conversation = conversation
        self._at = at
        # What a sender hears is then the beginning of it: few different parcels, quickly found.
        self._emits = sorted(receipts, key=lambda emit: emit.after or 0)
        self._afters = [emit.after or 0 for emit in self._emits]
        self._for_senders = any(emit.after is not None for emit in self._emits)
        self._left_out = {emit.by for emit in self._emits}
        self._parcels: dict[tuple[int, str | None], Parcel | None] = {}

    def parcel(self, user: str, sent_seq: int) -> Parcel | None:
        """For `user`, whose last message is at `sent_seq`; None if there is nothing to hear."""
        count = len(self._emits)
        if self._for_senders:
            count = bisect_left(self._afters, sent_seq)
        key = count, (user if user in self._left_out else None)
        if key not in self._parcels:
            self._parcels[key] = self._make([e for e in self._emits[:count] if e.by != user])
        return self._parcels[key]

    def _make(self, emits: Sequence[Emit]) -> Parcel | None:
        if not emits:
            return None
        signal = together([emit.signal for emit in emits])
        return Parcel([Push(signal.item(self._conversation, self._at))], droppable=True)
