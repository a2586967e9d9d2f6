from __future__ import annotations

import pytest

from palaver.actors.ring import Ring
from palaver.protocol.commands import Position
from palaver.protocol.events import Event, EventData, Void
from palaver.protocol.features.deletes import MessageDeleted
from palaver.protocol.features.edits import MessageEdited
from palaver.protocol.features.messages import MessageSent
from palaver.protocol.features.pins import MessagePinned

ROOM = "c0000000-0000-5000-8000-000000000000"


class Log:
    """Events made and put into a ring."""

    def __init__(self, capacity: int, head: int = 0) -> None:
        self.ring = Ring(capacity, head)
        self._seq = head
        self._number = 0

    def add(self, data: EventData, client_id: str | None = None, quoted: str | None = None) -> str:
        self._seq += 1
        number = None
        if data.countable or isinstance(data, Void):
            number = self._number = self._number + 1
        event = Event(ROOM, self._seq, f"{self._seq}", data, "ann", 0, client_id, number)
        self.ring.add(event, self.ring.message(quoted) if quoted else None)
        return event.id

    def send(self, text: str, client_id: str | None = None, reply_to: str | None = None) -> str:
        quote = {"id": reply_to, "seq": int(reply_to)} if reply_to else None
        data = MessageSent(text=text, reply_to=quote, metadata={"m": text})
        return self.add(data, client_id, reply_to)

    def edit(self, id: str, text: str, version: int = 2) -> None:
        self.add(MessageEdited(message_id=id, message_seq=int(id), text=text, version=version))

    def delete(self, id: str) -> None:
        self.add(MessageDeleted(message_id=id, message_seq=int(id), counted=True))

    def seqs(self, after: int) -> list[int]:
        return [push.item["seq"] for push in self.ring.after(after)]


def test_it_holds_the_recent_end_only():
    log = Log(3, head=10)
    assert (log.ring.first, log.seqs(10)) == (11, [])
    for n in range(5):
        log.send(f"{n}")
        log.ring.evict(stored=10 + n + 1)
    assert (log.ring.first, log.seqs(12)) == (13, [13, 14, 15])
    assert log.seqs(13) == [14, 15]
    assert log.seqs(15) == log.seqs(99) == []


def test_what_is_not_stored_is_never_evicted():
    log = Log(2)
    for n in range(6):
        log.send(f"{n}")
    log.ring.evict(stored=0)
    assert log.seqs(0) == [1, 2, 3, 4, 5, 6]
    log.ring.evict(stored=3)
    assert log.seqs(3) == [4, 5, 6], "more than its capacity, but no more than must be"
    log.ring.evict(stored=6)
    assert log.seqs(4) == [5, 6]


def test_what_is_evicted_is_forgotten():
    log = Log(1)
    first = log.send("one", client_id="1")
    log.send("two", client_id="2")
    log.ring.evict(stored=2)
    assert log.ring.message(first) is None
    assert log.ring.led_to("ann", "1") is None
    event = log.ring.led_to("ann", "2")
    assert event is not None
    assert event.seq == 2
    assert log.ring.led_to("bob", "2") is None


def test_a_message_is_known_as_it_is_now():
    log = Log(10)
    first = log.send("one")
    log.edit(first, "two")
    log.add(MessagePinned(message_id=first, message_seq=1))
    message = log.ring.message(first)
    assert message is not None
    assert message.current_text == "two"
    assert message.overlay.data["pinned"] is True
    assert message.overlay.changed_seq == 3


def test_a_deletion_takes_the_content_out_of_all_that_would_be_sent_again():
    log = Log(10)
    secret = log.send("secret")
    log.send("answer", reply_to=secret)
    log.edit(secret, "secret, too")
    log.send("harmless")
    before = log.ring.after(3)[0]
    log.delete(secret)
    items = [push.item for push in log.ring.after(0)]
    assert "secret" not in str(items)
    assert items[0]["d"]["redacted"] is items[2]["d"]["redacted"] is True
    assert items[1]["d"]["preview"] == {"unavailable": True}
    assert log.ring.after(3)[0] is before, "what is not concerned keeps its bytes"
    message = log.ring.message(secret)
    assert message is not None
    assert message.deleted
    assert "secret" not in str(message)


def test_a_deletion_of_what_was_evicted_redacts_what_is_left_of_it():
    log = Log(2)
    secret = log.send("secret")
    log.edit(secret, "secret, too")
    log.send("answer", reply_to=secret)
    log.ring.evict(stored=3)
    log.delete(secret)
    assert "secret" not in str([push.item for push in log.ring.after(1)])


def test_messages_read_elsewhere_are_brought_up_to_date():
    log = Log(10)
    first, second = log.send("one"), log.send("two")
    messages = [
        event.as_message()
        for push in log.ring.after(0)
        if (event := push.event) is not None  # as the store had them, as of seq 2
    ]
    log.edit(first, "ONE")
    log.delete(second)
    assert log.ring.overlay(messages, 2)
    assert messages[0].current_text == "ONE"
    assert messages[1].deleted
    log.ring.capacity = 1
    log.ring.evict(stored=4)
    assert not log.ring.overlay(messages, 2), "something in between is gone"
    assert log.ring.overlay(messages, 3)


def test_positions():
    log = Log(10)
    ids = [log.send(f"{n}") for n in range(4)]
    log.delete(ids[2])
    log.add(Void(of="x"))
    assert log.ring.position(0, "ann") == Position(0, 2)
    assert log.ring.position(1, "ann") == Position(1, 2)
    assert log.ring.position(3, "ann") == Position(3, 1)
    assert log.ring.position(4, "ann") == Position(4, 1)
    assert log.ring.position(6, "ann") is None, "nothing after it counts, so nothing tells"
    log.ring.capacity = 3
    log.ring.evict(stored=6)
    assert log.ring.position(2, "ann") is None
    assert log.ring.position(3, "ann") == Position(3, 1)


def test_what_was_excluded_since():
    log = Log(10)
    ids = [log.send(f"{n}") for n in range(4)]
    log.delete(ids[0])
    log.delete(ids[3])
    assert log.ring.excluded_since(4, 0, "ann") == 2
    assert log.ring.excluded_since(4, 1, "ann") == 1
    assert log.ring.excluded_since(5, 0, "ann") == 1
    log.ring.capacity = 1
    log.ring.evict(stored=6)
    assert log.ring.excluded_since(4, 0, "ann") is None


@pytest.mark.parametrize("seq", [0, 5])
def test_asking_for_what_is_gone_is_a_mistake(seq: int):
    log = Log(1, head=6)
    with pytest.raises(AssertionError):
        log.ring.after(seq)
