"""What has become of a message that one has sent."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from operator import methodcaller
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.gateway.client import (
    BackwardStatus,
    Event,
    Failed,
    MessageStatus,
    Outgoing,
    Push,
    Sent,
    Signal,
    Status,
)
from palaver.gateway.client.errors import Expired

SENDING, SENT, DELIVERED, READ, FAILED = Status
LATE = Expired("message.send", {}, "room", sent=False)
FORWARD = {
    SENDING: {SENT, DELIVERED, READ, FAILED},
    SENT: {DELIVERED, READ},
    DELIVERED: {READ},
    READ: set(),
    FAILED: set(),
}


def test_SEND_12_a_status_only_goes_forward():
    for now, other in itertools.product(Status, Status):
        if other in FORWARD[now]:
            assert now.become(other) is other
        else:
            with pytest.raises(BackwardStatus):
                now.become(other)


FACTS: dict[str, Callable[[MessageStatus], None]] = {
    "sent": lambda status: status.sent(5),
    "failed": lambda status: status.failed(),
    **{
        f"{user} {kind} {seq}": methodcaller("marked", user, kind, seq)
        for user in ("bob", "cid", "not a recipient")
        for kind in ("read", "delivered")
        for seq in (4, 5, 9)
    },
}


@given(st.lists(st.sampled_from(sorted(FACTS)), max_size=12))
def test_SEND_12_whatever_comes_in_whatever_order(facts: list[str]):
    status = MessageStatus(["bob", "cid"])
    path = [status.now]
    for fact in facts:
        FACTS[fact](status)
        path.append(status.now)
    for before, after in itertools.pairwise(path):
        assert after is before or after in FORWARD[before]
    if not {"sent", "failed"} <= set(facts):  # only one of them is ever true
        again = MessageStatus(["bob", "cid"])
        for fact in sorted(facts * 2):
            FACTS[fact](again)
        assert again.now is status.now, "neither order nor repetition matters"


def test_SEND_12_in_a_group_the_last_one_counts():
    status = MessageStatus(["bob", "cid"])
    status.marked("bob", "read", 7)
    assert status.now is SENDING, "what others have seen may still be lost"
    status.sent(5)
    assert status.now is SENT
    status.marked("cid", "delivered", 5)
    assert status.now is DELIVERED
    status.marked("cid", "read", 4)
    assert status.now is DELIVERED
    status.marked("cid", "read", 5)
    assert status.now is READ


def test_SEND_12_to_nobody_it_stays_sent():
    status = MessageStatus([])
    status.sent(5)
    assert status.now is SENT


def outgoing(c: str | None, **payload: Any) -> Outgoing:
    return Outgoing("message.send", {"text": "hi", **payload}, c, "key", 0.0, 20)


def receipt(kind: str, c: str, by: str, seq: int) -> Signal:
    return Signal(f"message.{kind}", c, 0, {"by": by, "seq": seq, "at": 1})


@pytest.mark.parametrize("c", ["room", None])
def test_SEND_12_as_the_pushes_of_a_client_tell_it(c: str | None):
    mine, other = outgoing(c, **({} if c else {"to": "bob"})), outgoing("room")
    status = MessageStatus(["bob"])
    story: list[tuple[Push, Status]] = [
        (Event("message.sent", "room", 5, 0, {"by": "ann", "client_id": "key"}), SENDING),
        (Sent(other, {"c": "room", "seq": 4}), SENDING),
        (receipt("delivered", "elsewhere", "bob", 9), SENDING),
        (receipt("delivered", "room", "bob", 5), SENDING),
        (Sent(mine, {"c": "room", "seq": 5}), DELIVERED),
        (Failed(other, LATE), DELIVERED),
        (Event("message.sent", "elsewhere", 9, 0, {"by": "bob"}), DELIVERED),
        (Event("message.sent", "room", 6, 0, {"by": "bob"}), READ),
        (receipt("delivered", "room", "bob", 6), READ),
    ]
    for push, now in story:
        assert status.take(push, mine) is now, push


def test_SEND_12_a_failed_one_stays_failed():
    mine = outgoing("room")
    status = MessageStatus(["bob"])
    assert status.take(Failed(mine, LATE), mine) is FAILED
    assert status.take(receipt("read", "room", "bob", 9), mine) is FAILED


@pytest.mark.parametrize(
    ("shown", "seen"),
    [
        ({SENT}, [None, SENT, SENT, SENT, None]),
        ({SENDING, SENT, DELIVERED, FAILED}, [SENDING, SENT, DELIVERED, DELIVERED, FAILED]),
        (set(Status), [SENDING, SENT, DELIVERED, READ, FAILED]),
    ],
)
def test_C_44_a_product_shows_some_of_them(shown: set[Status], seen: list[Status | None]):
    assert [status.among(shown) for status in Status] == seen
