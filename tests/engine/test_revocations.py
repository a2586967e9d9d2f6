"""What is revoked, for how long, and in how much memory; and the connections that end."""

import pytest
import structlog

from palaver.engine.revocations import Revocations
from palaver.engine.testing import Device, memory_engine
from palaver.protocol.disconnects import REVOKED


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def revocations(limit: int = 100) -> tuple[Revocations, Clock]:
    clock = Clock()
    return Revocations(60, limit, clock=clock), clock


def test_CONN_12_of_a_user_what_was_issued_before_is_revoked() -> None:
    revoked, _ = revocations()
    revoked.user("ann")
    assert revoked.cover("ann", None, 999)
    assert revoked.cover("ann", "s1", 1000), "in that very second"
    assert revoked.cover("ann", None, None)
    assert not revoked.cover("ann", None, 1001)
    assert not revoked.cover("bob", "ann", 999)


def test_CONN_12_a_session_is_revoked_whenever_its_token_was_issued() -> None:
    revoked, _ = revocations()
    revoked.session("s1")
    assert revoked.cover("ann", "s1", 5000)
    assert not revoked.cover("ann", "s2", 5)
    assert not revoked.cover("s1", None, 5)


def test_CONN_12_it_is_remembered_as_long_as_tokens_live() -> None:
    revoked, clock = revocations()
    revoked.user("ann")
    revoked.session("s1")
    clock.now += 59
    revoked.user("ann")  # again, so it starts anew
    clock.now += 1
    assert not revoked.cover("bob", "s1", 0)
    assert revoked.cover("ann", None, 1059)
    clock.now += 59
    assert not revoked.cover("ann", None, 0)
    assert len(revoked) == 0


def test_CONN_12_its_memory_is_bounded_and_says_so() -> None:
    revoked, _ = revocations(limit=3)
    with structlog.testing.capture_logs() as entries:
        for number in range(5):
            revoked.session(f"s{number}")
    assert len(revoked) == 3
    assert len(entries) == 2
    assert "s0" not in str(entries)
    assert [revoked.cover("ann", f"s{n}", 0) for n in range(5)] == [False, False, True, True, True]


async def test_CONN_12_a_user_s_connections_end() -> None:
    async with memory_engine() as engine:
        ann, other, bob = (Device(engine, user) for user in ("ann", "ann", "bob"))
        engine.revoke(user="ann")
        assert ann.disconnects == other.disconnects == [REVOKED]
        assert bob.disconnects == []
        engine.revoke(user="nobody")


async def test_CONN_12_a_session_s_connections_end() -> None:
    async with memory_engine() as engine:
        phone = Device(engine, "ann", session="s1")
        tab = Device(engine, "ann", session="s2")
        none = Device(engine, "ann")
        engine.revoke(session="s1")
        assert phone.disconnects == [REVOKED]
        assert tab.disconnects == none.disconnects == []


async def test_a_revocation_is_of_one_thing() -> None:
    async with memory_engine() as engine:
        with pytest.raises(ValueError, match="one of them"):
            engine.revoke()
        with pytest.raises(ValueError, match="one of them"):
            engine.revoke(user="ann", session="s1")
