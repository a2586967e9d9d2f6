"""The client rule against a model of the server: whatever is lost on the way, each seq once."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from palaver.gateway.client.replica import UNKNOWN_EPOCH, Replica, Step

C = "c"
LIMIT = 8


@dataclass
class Log:
    """One conversation as the server has it: what stands at each seq, and where epochs began."""

    entries: list[str] = field(default_factory=list)
    epoch: int = 1
    starts_after: list[int] = field(default_factory=list)
    serial: int = 0

    def append(self) -> int:
        self.serial += 1
        self.entries.append(f"event {self.serial}")
        return len(self.entries)


class Following(RuleBasedStateMachine):
    """A device follows one conversation. `wire` is what is on its way to it, in order; a broken
    connection loses it all, a lossy one any part. `held` is what the application was given."""

    def __init__(self) -> None:
        super().__init__()
        self.log = Log()
        self.replica = Replica()
        self.wire: list[tuple[str, Any]] = []
        self.connected = True
        self.held: dict[int, str] = {}
        self.reload_below = 0
        self.asked = False

    @initialize(history=st.integers(0, 5))
    def begins(self, history: int) -> None:
        for _ in range(history):
            self.log.append()

    # The server.

    @rule()
    def happens(self) -> None:
        seq = self.log.append()
        if self.connected:
            self.wire.append(("live", self.log.entries[:seq]))

    @rule(lost=st.integers(1, 3))
    def crashes(self, lost: int) -> None:
        """The last events were shown, but not stored; the next opening begins an epoch."""
        self.drops()
        kept = max(0, len(self.log.entries) - lost)
        del self.log.entries[kept:]
        self.log.epoch += 1
        self.log.starts_after.append(kept)

    @rule()
    def drops(self) -> None:
        self.connected = False
        self.wire.clear()
        self.asked = False
        self.replica.disconnected()

    @precondition(lambda self: not self.connected)
    @rule()
    def reconnects(self) -> None:
        self.connected = True
        self.wire.append(("rows", {C: (self.log.epoch, len(self.log.entries))}))

    @precondition(lambda self: self.wire)
    @rule(data=st.data())
    def loses(self, data: st.DataObject) -> None:
        """A live push vanishes (not one of a resume, which stands or falls with its Reply). The
        head is then told, since a lost last one shows no gap."""
        pushes = [item for item in self.wire if item[0] == "live"]
        if pushes:
            self.wire.remove(data.draw(st.sampled_from(pushes)))
            self.wire.append(("head", (self.log.epoch, len(self.log.entries))))

    # The device.

    @precondition(lambda self: self.wire)
    @rule()
    def receives(self) -> None:
        kind, value = self.wire.pop(0)
        if kind in ("live", "resumed"):
            self.takes(value)
        elif kind == "head":
            epoch, seq = value
            if self.replica.head(C, epoch, seq):
                self.asks()
        elif kind == "rows":
            behind, new = self.replica.compare(value)
            if new:
                self.reload_below = value[C][1]
            for _ in behind:
                self.asks()
        else:
            self.asked = False
            resumed = self.replica.resumed(C, value)
            if resumed.reload is not None:
                self.held = {}
                self.reload_below = resumed.seq
            if resumed.again:
                self.asks()

    def takes(self, log: list[str]) -> None:
        """`log` is what it was when its last event was sent."""
        seq = len(log)
        first = C not in self.replica.positions
        step = self.replica.push(C, seq, seq)
        if step is Step.RESUME:
            self.asks()
        elif step in (Step.TAKE, Step.FOUND):
            if first:
                self.reload_below = seq - 1
            assert seq not in self.held, "an event was taken twice"
            assert seq == 1 + max(self.held, default=self.reload_below), "an event is missing"
            self.held[seq] = log[-1]
            if not self.replica.positions[C].unchecked:
                assert all(log[at - 1] == held for at, held in self.held.items()), "two histories"

    def asks(self) -> None:
        """The server answers at its place in the order: pushes first, then the Reply."""
        assert not self.asked, "one resume at a time"
        self.asked = True
        claim = self.replica.claim(C)
        head = len(self.log.entries)
        answer = {"epoch": self.log.epoch, "seq": head, "marks": {"n": 0, "moved": []}}
        begun = self.log.starts_after[claim["epoch"] - 1 :]
        if claim["seq"] > min([head, *begun]):
            answer |= {"recovered": False, "reason": "diverged"}
        elif head - claim["seq"] > LIMIT:
            answer |= {"recovered": False, "reason": "too_far"}
        else:
            answer |= {"recovered": True}
            after = range(claim["seq"] + 1, head + 1)
            self.wire += [("resumed", self.log.entries[:seq]) for seq in after]
        self.wire.append(("reply", answer))

    @invariant()
    def what_is_held_is_contiguous(self) -> None:
        assert sorted(self.held) == list(range(self.reload_below + 1, self._end() + 1))

    def _end(self) -> int:
        return max(self.held, default=self.reload_below)

    def teardown(self) -> None:
        """Left alone with a connection, the device comes to hold what the log holds."""
        if not self.connected:
            self.reconnects()
        while self.wire:
            self.receives()
        position = self.replica.positions.get(C)
        if position is not None:
            assert position.claimed is None
            assert position.seq == len(self.log.entries)
            assert position.epoch in (UNKNOWN_EPOCH, self.log.epoch)
        for seq, held in self.held.items():
            assert self.log.entries[seq - 1] == held


TestFollowing = Following.TestCase
TestFollowing.settings = settings(stateful_step_count=40)


def test_a_hidden_run_moves_the_position_as_a_whole() -> None:
    replica = Replica()
    assert replica.push(C, 1, 1) is Step.FOUND
    assert replica.push(C, 2, 5) is Step.TAKE
    assert replica.push(C, 4, 4) is Step.KNOWN
    assert replica.push(C, 6, 6) is Step.TAKE
    assert replica.push(C, 8, 9) is Step.RESUME


def test_a_gap_is_resumed_once_and_again_if_more_was_heard_of_than_came() -> None:
    replica = Replica()
    replica.learn(C, 3, 10)
    assert replica.push(C, 12, 12) is Step.RESUME
    assert replica.push(C, 13, 13) is Step.LATER
    assert replica.claim(C) == {"epoch": 3, "seq": 10, "marks": 0}
    answer = {"recovered": True, "epoch": 3, "seq": 12, "marks": {"n": 7, "moved": []}}
    assert replica.resumed(C, answer).again
    assert replica.claim(C) == {"epoch": 3, "seq": 12, "marks": 7}


def test_marks_are_numbered_anew_in_a_new_epoch() -> None:
    replica = Replica()
    replica.learn(C, 1, 10, marks=5)
    assert replica.head(C, 2, 8)
    assert replica.claim(C) == {"epoch": 1, "seq": 10, "marks": 5}
    answer = {"recovered": False, "epoch": 2, "seq": 8, "reason": "diverged", "reload_after": 7}
    replica.resumed(C, answer)
    replica.learn(C, 2, 8, marks=4)
    assert replica.claim(C) == {"epoch": 2, "seq": 8, "marks": 4}


def test_an_epoch_never_learnt_is_claimed_to_be_the_first() -> None:
    replica = Replica()
    replica.push(C, 7, 7)
    replica.disconnected()
    assert replica.compare({C: (2, 9)}) == ([C], [])
    assert replica.claim(C)["epoch"] == 1


def test_an_epoch_is_only_believed_on_the_connection_that_showed_the_events() -> None:
    replica = Replica()
    replica.push(C, 7, 7)
    replica.disconnected()
    replica.learn(C, 2, 9)
    assert replica.claim(C)["epoch"] == 1


def test_who_is_no_member_any_more_is_forgotten() -> None:
    replica = Replica()
    replica.learn(C, 1, 4)
    replica.push(C, 6, 6)
    answer = {"recovered": False, "reason": "not_member", "epoch": 1, "seq": 6}
    assert replica.resumed(C, answer).reload == "not_member"
    assert C not in replica.positions


def test_after_a_reconnect_even_the_next_event_waits_until_the_epoch_is_known() -> None:
    replica = Replica()
    replica.learn(C, 1, 12)
    replica.disconnected()
    assert replica.push(C, 13, 13) is Step.RESUME
    assert replica.push(C, 14, 14) is Step.LATER
    assert replica.claim(C) == {"epoch": 1, "seq": 12, "marks": 0}
    assert replica.push(C, 13, 13) is Step.TAKE, "now as the answer"
    assert replica.push(C, 14, 14) is Step.TAKE
    answer = {"recovered": True, "epoch": 2, "seq": 14, "marks": {"n": 0, "moved": []}}
    assert replica.resumed(C, answer).again is False
    assert replica.push(C, 15, 15) is Step.TAKE
