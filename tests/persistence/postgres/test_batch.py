"""What of many writes goes into one statement."""

from palaver.persistence.postgres.backlog import Backlog
from palaver.persistence.postgres.batch import Batch
from palaver.persistence.postgres.parcel import Parcel
from palaver.persistence.postgres.rows import Row
from palaver.protocol.events import Event
from palaver.protocol.features.messages import MessageSent
from palaver.protocol.features.references import ReferenceDropped
from palaver.protocol.message import Overlay
from palaver.protocol.records import Head, MemberRow, Snapshot, Write
from palaver.tests.persistence.contract.chat import new_id, nobody

C = new_id()


def rows(*writes: Write | Parcel) -> dict[str, list[Row]]:
    parcels = [write if isinstance(write, Parcel) else Parcel(write, 0.0) for write in writes]
    sql, (_, *arguments) = Batch(parcels, 1).statement()
    tables = [line.split('"')[1] for line in sql.splitlines() if "unnest(" in line]
    return dict(zip(tables, arguments, strict=True))


def message(seq: int, number: int) -> Event:
    return Event(C, seq, new_id(), MessageSent(text="hello"), "ann", 1, None, number)


def head(seq: int, number: int = 0) -> Head:
    return Head(seq, number, 1, None, None)


def test_only_the_newest_version_of_a_row_whatever_their_order():
    def overlay(changed_seq: int) -> Write:
        return Write(C, nobody, overlays=[Overlay(2, changed_seq)])

    def snapshot(seq: int) -> Write:
        return Write(C, nobody, snapshot=Snapshot(seq, 1, {}))

    def member(changed_seq: int, read_seq: int) -> Write:
        row = MemberRow("ann", str(changed_seq), [[1, None]], changed_seq, read_seq, read_seq)
        return Write(C, nobody, members=[row])

    for order in (1, -1):
        stored = rows(
            *[Write(C, nobody, head=head(seq)) for seq in (5, 6)][::order],
            *[overlay(3), overlay(4)][::order],
            *[snapshot(8), snapshot(9)][::order],
            *[member(3, 7), member(4, 6)][::order],
        )
        assert [row[1] for row in stored["conversation_head"]] == [6]
        assert [row[2] for row in stored["overlay"]] == [4]
        assert [row[1] for row in stored["snapshot"]] == [9]
        assert [(row[1], row[2], row[6]) for row in stored["member"]] == [(4, 7, "4")]


def test_a_void_event_raises_the_head_of_its_batch():
    void = Parcel(Write(C, nobody, [message(6, 4)]), 0.0).voided()
    stored = rows(Write(C, nobody, head=head(5, 3)), void)
    assert [(row[1], row[2]) for row in stored["conversation_head"]] == [(6, 4)]
    later = rows(void, Write(C, nobody, head=head(7, 5)))
    assert [(row[1], row[2]) for row in later["conversation_head"]] == [(7, 5)]


def test_void_events_alone_raise_the_head_that_is_stored():
    voids = [Parcel(Write(C, nobody, [message(seq, seq)]), 0.0).voided() for seq in (6, 7)]
    stored = rows(*voids)
    assert [(row[1], row[2]) for row in stored["conversation_head"]] == [(7, 7)]
    assert [row[8] for row in stored["log"]] == ["void", "void"]
    assert [(row[1], row[3]) for row in stored["overlay"]] == [(6, 1), (7, 1)]


def test_CONV_05_only_what_refers_to_something_has_rows_of_that():
    plain = Write(C, nobody, [message(2, 1)], head=head(2, 1))
    assert rows(plain).keys() == {"log", "conversation_head"}
    context = {"booking": "100", "property": "p9"}
    said = Event(C, 3, new_id(), MessageSent("hello", context=context), "ann", 1, None, 2)
    gone = Event(C, 4, new_id(), ReferenceDropped({"booking": "100"}, said.id, 3), None, 1)
    both = Batch([Parcel(Write(C, nobody, [said, gone]), 0.0)], 1)
    there, dropped = (C, 3, "property", "p9"), (C, 3, "booking", "100")
    assert both.statement()[1][2:] == [[there], [dropped]]


def test_the_backlog_keeps_nothing_that_is_answered():
    backlog = Backlog(100, 10_000)
    parcels = [Parcel(Write(C, nobody, [message(seq, seq)]), float(seq)) for seq in range(5)]
    for parcel in parcels:
        backlog.add(parcel)
    assert backlog.oldest_untold() is parcels[0]
    backlog.delay(parcels[0])
    assert backlog.oldest_untold() is parcels[1]
    assert backlog.oldest() is parcels[0]
    assert not backlog.has_room
    backlog.spool(parcels[0])
    assert backlog.oldest_unspooled() is parcels[1]
    assert backlog.unspooled(2) == [parcels[1], parcels[2]]
    assert backlog.has_room
    for parcel in parcels:
        backlog.remove(parcel)
    backlog.changed()
    assert (backlog.rows, backlog.bytes, backlog.delayed) == (0, 0, 0)
    assert (backlog.waiting, backlog.spooled, len(backlog.conversations)) == (0, 0, 0)
    assert backlog.oldest() is backlog.oldest_unspooled() is backlog.oldest_untold() is None
    assert backlog.has_room
