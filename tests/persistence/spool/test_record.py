"""A write comes out of the spool as it went in, or not at all."""

from dataclasses import fields, replace
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.persistence.payload import UnreadableEvent
from palaver.persistence.spool.record import Entry, UnreadableRecord, _checksum, entry, write_of
from palaver.protocol.events import Event
from palaver.protocol.features import EVENTS
from palaver.protocol.features.messages import MessageSent
from palaver.protocol.machine import Mark
from palaver.protocol.message import Overlay
from palaver.protocol.records import Head, MemberRow, NewConversation, Snapshot, Write
from palaver.tests.persistence.contract.chat import nobody
from palaver.tests.support.values import IDS, MAPS, USERS, datas, events, texts

N = st.integers(0, 2**63 - 1)
AT = st.integers(0, 2**53)
MARKS = st.builds(
    Mark, IDS, USERS, st.sampled_from(["read", "delivered"]), N, N, N, AT, st.integers(1, 2**53)
)
OVERLAYS = st.builds(Overlay, N, N, st.none() | AT, st.none() | USERS, st.none() | texts(), MAPS)
MEMBERS = st.builds(
    MemberRow,
    USERS,
    st.none() | st.sampled_from(["member", "owner"]),
    st.lists(st.tuples(N, st.none() | N).map(list), max_size=3),
    N,
    N,
    N,
)
HEADS = st.builds(Head, N, N, AT, st.none() | texts(), st.none() | MAPS, st.none() | MAPS)
CREATED = st.builds(
    NewConversation,
    IDS,
    st.sampled_from(["direct", "group"]),
    texts(),
    st.none() | texts(),
    st.none() | USERS,
    AT,
)


@st.composite
def writes(draw: st.DrawFn) -> Write:
    id = draw(IDS)
    audience = st.none() | st.lists(USERS, max_size=3).map(tuple)
    return Write(
        id,
        nobody,
        events=[
            replace(event, conversation=id, audience=draw(audience))
            for event in draw(st.lists(events(), max_size=3))
        ],
        head=draw(st.none() | HEADS),
        overlays=draw(st.lists(OVERLAYS, max_size=2)),
        marks=draw(st.lists(MARKS, max_size=2)),
        members=draw(st.lists(MEMBERS, max_size=2)),
        created=draw(st.none() | CREATED),
    )


def parts(write: Write) -> dict[str, Any]:
    return {each.name: getattr(write, each.name) for each in fields(write) if each.name != "done"}


def sent(text: str = "hello", **more: Any) -> Write:
    event = Event("c", 2, "e", MessageSent(text=text, **more), "ann", 1, "k", 1)
    return Write("c", nobody, [event], snapshot=Snapshot(2, 1, {"seq": 2}))


@given(writes(), N, N, AT)
def test_a_write_comes_back_as_it_was(write: Write, n: int, incarnation: int, at: int):
    back = write_of(entry(n, incarnation, at, write))
    assert parts(back) == parts(write)


@pytest.mark.parametrize("kind", EVENTS)
def test_so_does_every_kind_of_event(kind: str):
    @given(datas(EVENTS[kind]))
    def check(data: Any) -> None:
        write = Write("c", nobody, [Event("c", 3, "e", data, None, 5)])
        assert write_of(entry(1, 1, 1, write)).events == write.events

    check()


def test_SEND_13_so_does_that_the_host_is_to_be_told():
    write = sent()
    assert [each.jobs() for each in write_of(entry(1, 1, 1, write)).events] == [()]
    write.events[0].announced = True
    (event,) = write_of(entry(1, 1, 1, write)).events
    assert event.jobs() == write.events[0].jobs() != ()


@pytest.mark.parametrize("announced", [False, True])
def test_AUTO_07_so_does_that_it_is_told_by_webhook(announced: bool):
    write = sent()
    write.events[0].announced, write.events[0].webhook = announced, True
    (event,) = write_of(entry(1, 1, 1, write)).events
    assert event.jobs() == write.events[0].jobs()
    assert len(event.jobs()) == 1 + announced


def test_all_but_the_snapshot_which_can_be_made_anew():
    back = write_of(entry(1, 1, 1, sent()))
    assert back.snapshot is None
    assert back.events == sent().events


@pytest.mark.parametrize(
    "change",
    [{"n": 9}, {"incarnation": 9}, {"at": 9}, {"conversation": "d"}, {"checksum": 9}],
    ids=lambda change: next(iter(change)),
)
def test_an_entry_that_is_not_in_its_place_is_unreadable(change: dict[str, Any]):
    with pytest.raises(UnreadableRecord, match="damaged"):
        write_of(replace(entry(1, 1, 1, sent()), **change))


def test_every_flipped_bit_is_noticed():
    whole = entry(1, 1, 1, sent())
    for place in range(len(whole.record)):
        for bit in range(8):
            record = bytearray(whole.record)
            record[place] ^= 1 << bit
            with pytest.raises(UnreadableRecord):
                write_of(replace(whole, record=bytes(record)))
        with pytest.raises(UnreadableRecord):
            write_of(replace(whole, record=whole.record[:place]))


@pytest.mark.parametrize("instead", [None, "text", 5])
def test_what_is_no_bytes_at_all_is_unreadable(instead: Any):
    with pytest.raises(UnreadableRecord):
        write_of(replace(entry(1, 1, 1, sent()), record=instead))


def rewritten(parts: Any) -> Entry:
    """An entry that is whole and says what this version does not."""
    record = msgpack.packb(parts)
    return Entry(1, 1, 1, "c", _checksum(1, 1, 1, "c", record), record)


@pytest.mark.parametrize("parts", [(2, [], None), (1, [], None), (1, [(1,)], *[[]] * 6), 5, [None]])
def test_what_another_version_wrote_is_unreadable(parts: Any):
    with pytest.raises(UnreadableRecord):
        write_of(rewritten(parts))


def test_a_head_that_was_written_before_it_had_a_context_is_read():
    back = write_of(rewritten((1, [], (7, 3, 5, "Trip", None), [], [], [], None)))
    assert back.head == Head(7, 3, 5, "Trip", None)


def test_an_event_of_another_version_is_named():
    event = (2, "e", "poll.closed", None, None, "ann", 1, None, None, None)
    with pytest.raises(UnreadableEvent, match=r"poll\.closed"):
        write_of(rewritten((1, [event], None, [], [], [], None)))


def test_neither_error_quotes_what_was_said():
    whole = entry(1, 1, 1, sent("secret words", metadata={"secret": "words"}))
    for broken in (whole.record[:-3], whole.record + b"x"):
        with pytest.raises(UnreadableRecord) as error:
            write_of(replace(whole, record=broken))
        assert "secret" not in str(error.value)
