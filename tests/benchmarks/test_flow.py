"""The loop of the generator against a server of a few lines, which may be rigged."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest

from palaver.benchmarks.checks import NumberCheck
from palaver.benchmarks.dialect import Address, Check, Kind, Line, Refused, Step
from palaver.benchmarks.flow import Flow

SIZE = 60
REPLY = b"\x06ok"


class Plain:
    """A message is its text, and so is a delivery."""

    reply = REPLY
    alive = b""
    senders_listen = True

    def sign_in(self, address: Address, user: str, token: str) -> Sequence[Step]:
        return ()

    def open_room(self, lines: Sequence[Line], kind: Kind) -> str:
        return "room"

    def message(self, room: str, text: str) -> bytes:
        return text.encode()

    def check(self) -> Check:
        return NumberCheck()


class Chat(threading.Thread):
    """Everybody gets what anybody says. Of its `flaw`th message one member gets none, or two."""

    def __init__(self, members: int, flaw: int | None = None, copies: int = 1) -> None:
        super().__init__(name="chat")
        pairs = [socket.socketpair() for _ in range(members)]
        self.lines = [Line(f"user{number}", ours) for number, (ours, _) in enumerate(pairs)]
        self._theirs = [theirs for _, theirs in pairs]
        self._flaw, self._copies = flaw, copies
        self._said = 0

    def run(self) -> None:
        """The first one is the only one that talks."""
        talker = self._theirs[0]
        with suppress(OSError):  # the other side may go first
            while message := talker.recv(SIZE, socket.MSG_WAITALL):
                self._said += 1
                for number, each in enumerate(self._theirs):
                    wrong = self._said == self._flaw and number == len(self._theirs) - 1
                    each.sendall(message * (self._copies if wrong else 1))
                talker.sendall(REPLY)
        for each in self._theirs:
            each.close()


@contextmanager
def chat(flaw: int | None = None, copies: int = 1) -> Iterator[Flow]:
    server = Chat(3, flaw, copies)
    server.start()
    flow = Flow(Plain(), SIZE)
    flow.add("room", server.lines, server.lines[:1], window=4)
    flow.sample(all_latencies=True)
    try:
        yield flow
    finally:
        flow.close()
        server.join()


def test_saturated_everything_lands():
    with chat() as flow:
        flow.saturate(0.05)
        assert flow.sent > 0
        assert flow.delivered == 3 * flow.sent
        assert flow.problems() == []
        assert flow.latencies["delivery"].count == flow.delivered
        assert flow.latencies["reply"].count == flow.sent


def test_paced_it_sends_what_is_due_and_no_more():
    with chat() as flow:
        flow.pace(1000, 0.05)
        assert flow.sent == 50
        assert flow.delivered == 150
        assert flow.latencies["late"].count == 50


def test_what_is_warmed_up_with_is_not_measured_but_checked():
    with chat() as flow:
        flow.pace(1000, 0.01, measuring=False)
        flow.say(5)
        assert flow.sent == 15
        assert flow.latencies["delivery"].count == flow.latencies["late"].count == 0
        assert flow.problems() == []


def test_a_message_that_comes_twice_is_found():
    with chat(flaw=3, copies=2) as flow:
        flow.say(10)
        assert any("came after" in problem for problem in flow.problems())
        assert any("got 11 of 10" in problem for problem in flow.problems())


def test_a_message_that_is_lost_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("palaver.benchmarks.flow._PATIENCE_S", 0.3)
    with (
        chat(flaw=3, copies=0) as flow,
        pytest.raises(Refused, match="10 replied to, 29 of 30 delivered"),
    ):
        flow.say(10)


def test_a_server_that_hangs_up_is_told():
    with chat() as flow:
        flow.say(1)
        flow._inlets[0].line.sock.shutdown(socket.SHUT_WR)
        with pytest.raises(Refused, match=r"closed|sending"):
            flow.saturate(5.0)
