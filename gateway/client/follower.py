"""Follows the user's conversations over one connection after another: the client rule at work.

Reads positions out of whatever passes by, resumes where something is missing, and hands the
application each event once and in order, or a `Reload`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import trio

from ...protocol.errors import Rejected
from .calls import Calls, Then
from .errors import NoAnswer
from .inbox import Inbox
from .pushes import Event, Reload, Signal
from .reconnect import delay, exponential
from .replica import UNKNOWN_EPOCH, Replica, Step

RESUMES = 32
"""In flight at the same time: a user may have a thousand conversations that moved."""
ANSWER_TIMEOUT = 30.0


class Follower:
    def __init__(self, calls: Calls, inbox: Inbox, random: Callable[[], float]) -> None:
        self.replica = Replica()
        self._calls = calls
        self._inbox = inbox
        self._random = random
        self._cursor: str | None = None
        self._n = 0
        self._catching_up = True
        self._user: str | None = None
        self._subscriptions: dict[str, None] = {}
        self._nursery: trio.Nursery | None = None
        self._slots = trio.CapacityLimiter(RESUMES)

    # From the connection's reader, in the order of arrival.

    async def take(self, item: dict[str, Any]) -> None:
        """An event or signal has come. Waits for room in the inbox."""
        kind, conversation, seq = item["t"], item.get("c"), item.get("seq")
        data = item.get("d") or {}
        if seq is None or conversation is None:
            if "n" in item and not self._catching_up:
                self._n = max(self._n, item["n"])
            if kind == "conversation.head" and conversation is not None:
                if self.replica.head(conversation, data["epoch"], data["seq"]):
                    self._resume(conversation)
            elif kind == "message.receipts":
                await self._receipts(conversation, item.get("ts", 0), data)
            else:
                await self._inbox.put(Signal(kind, conversation, item.get("ts", 0), data))
            return
        skipped = kind == "skipped"
        step = self.replica.push(conversation, data["from"] if skipped else seq, seq)
        if step is Step.RESUME:
            self._resume(conversation)
        if step is Step.FOUND and not self._begins(kind, seq, data):
            self._inbox.force(Reload(conversation, "new", seq - 1))
        # A void may take back what was known, so it is the one event that is worth repeating.
        wanted = step in (Step.TAKE, Step.FOUND) or (step is Step.KNOWN and kind == "void")
        if wanted and not skipped:
            await self._inbox.put(Event(kind, conversation, seq, item.get("ts", 0), data))

    async def _receipts(self, conversation: str | None, at: int, data: dict[str, Any]) -> None:
        """Several marks that were told together, as if each had been told by itself (RCPT-09)."""
        for kind in ("read", "delivered"):
            for each in data.get(kind, ()):
                await self._inbox.put(Signal(f"message.{kind}", conversation, at, each))

    def _begins(self, kind: str, seq: int, data: dict[str, Any]) -> bool:
        """Whether there is nothing before this event that the user could load."""
        return seq == 1 or (kind == "member.added" and self._user in data["users"])

    def observer(self, name: str, conversation: str | None) -> Then | None:
        """What to do with the result of an application's call, if there is something to learn."""
        if name == "conversation.list":
            return self._learn_rows
        if conversation is None:
            return None
        if name in ("conversation.get", "message.history"):
            return partial(self._learn, conversation)
        if name == "conversation.subscribe":
            return lambda _: self._subscriptions.update({conversation: None})
        if name == "conversation.unsubscribe":
            return lambda _: self._unsubscribed(conversation)
        return None

    def _learn_rows(self, result: dict[str, Any]) -> None:
        for row in result.get("conversations", ()):
            self._learn(row["c"], row)

    def _learn(self, conversation: str, result: dict[str, Any]) -> None:
        if "seq" in result:
            epoch, marks = result.get("epoch", UNKNOWN_EPOCH), result.get("marks")
            self.replica.learn(
                conversation, epoch, result["seq"], marks if isinstance(marks, int) else 0
            )

    def _unsubscribed(self, conversation: str) -> None:
        self._subscriptions.pop(conversation, None)

    # One connection's life.

    def connected(self, nursery: trio.Nursery, user: str | None) -> None:
        """A connection of `user` is up; `nursery` ends with it."""
        self._nursery = nursery
        self._user = user
        self._catching_up = True
        for conversation in self._subscriptions:
            nursery.start_soon(self._subscribe, conversation)
        nursery.start_soon(self._catch_up)

    def disconnected(self) -> None:
        self._nursery = None
        self.replica.disconnected()

    async def _subscribe(self, conversation: str) -> None:
        """A subscription ends with its connection, so each connection gets it anew."""
        try:
            await self._insist("conversation.subscribe", dict, conversation, lambda _: None)
        except Rejected:
            self._unsubscribed(conversation)

    async def _catch_up(self) -> None:
        """One round trip tells what moved while there was no connection (HIST-07); more of them if
        the user's own log is far ahead. Until that is done a push tells nothing of what is missing
        before it."""
        try:
            while self._catching_up:
                await self._insist("sync.changes", self._position, None, self._changed)
        except Rejected:
            # Without the overview (an old cursor, a feature switched off) every conversation asks.
            self._cursor = None
            self._compare(None)

    def _position(self) -> dict[str, Any]:
        position: dict[str, Any] = {"n": self._n}
        if self._cursor is not None:
            position["cursor"] = self._cursor
        return position

    def _changed(self, answer: dict[str, Any]) -> None:
        rows = {row["c"]: (row["epoch"], row["seq"]) for row in answer["conversations"]}
        # What the user has left has no row; of marks that moved only a resume tells for certain.
        suspects = (*answer.get("left", ()), *self._subscriptions)
        self._compare(rows if self._cursor is not None else None, suspects)
        self._cursor = answer["cursor"]
        for entry in answer.get("log", ()):
            self._n = max(self._n, entry["n"])
            self._inbox.force(Signal(entry["kind"], None, entry["ts"], entry["data"]))
        self._catching_up = answer.get("more", False)

    def _compare(
        self, rows: dict[str, tuple[int, int]] | None, suspects: Iterable[str] = ()
    ) -> None:
        behind, new = self.replica.compare(rows, suspects)
        for conversation in new:
            seq = self.replica.positions[conversation].seq
            self._inbox.force(Reload(conversation, "new", seq))
        for conversation in behind:
            self._resume(conversation)

    def _resume(self, conversation: str) -> None:
        assert self._nursery is not None, "only called while connected"
        self._nursery.start_soon(self._recover, conversation)

    async def _recover(self, conversation: str) -> None:
        claim = partial(self.replica.claim, conversation)
        async with self._slots:
            try:
                resumed = partial(self._resumed, conversation)
                await self._insist("conversation.resume", claim, conversation, resumed)
            except Rejected as rejection:
                self.replica.forget(conversation)
                self._inbox.force(Reload(conversation, rejection.code.lower()))

    def _resumed(self, conversation: str, answer: dict[str, Any]) -> None:
        resumed = self.replica.resumed(conversation, answer)
        if resumed.reload is not None:
            self._inbox.force(Reload(conversation, resumed.reload, resumed.seq, resumed.keep))
        for moved in answer.get("marks", {}).get("moved", ()):
            self._moved(conversation, moved)
        if resumed.again:
            self._resume(conversation)

    def _moved(self, conversation: str, moved: dict[str, Any]) -> None:
        """Marks that moved meanwhile, as the signals that were missed; when is not known."""
        for kind in ("read", "delivered"):
            data = {"by": moved["user"], "seq": moved[kind]}
            self._inbox.force(Signal(f"message.{kind}", conversation, 0, data))

    async def _insist(
        self, name: str, payload: Callable[[], dict[str, Any]], conversation: str | None, then: Then
    ) -> None:
        """Ask until there is an answer. Raises `Rejected` if repeating would not help."""
        for bound in exponential():
            advice = None
            try:
                await self._calls.perform(
                    name, payload(), conversation, timeout=ANSWER_TIMEOUT, then=then
                )
            except Rejected as rejection:
                if not rejection.retryable:
                    raise
                advice = rejection.retry_after
            except NoAnswer:
                pass
            else:
                return
            await trio.sleep(delay(bound, self._random, advice))
