"""What history and resume ask, and how a message looks in a page."""

from typing import Any

import pytest
from hypothesis import given

from palaver.protocol.commands import parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.events import skipped
from palaver.protocol.features.history import MessageHistory, Resume
from palaver.protocol.features.messages import MessageSent
from palaver.protocol.message import Message, Overlay
from palaver.tests.support.machine import START, Chat
from palaver.tests.support.values import MAPS, datas

ID = "00000000-0000-7000-8000-000000000001"


def test_HIST_01_without_a_cursor():
    query = MessageHistory()
    assert not query.has_cursor
    assert (query.before, query.after, query.around, query.before_time) == (None,) * 4


@pytest.mark.parametrize(
    "cursor",
    [
        *({"before": 1}, {"after": 0}, {"around": ID}, {"before_time": 0}, {"limit": 100}),
        *({"page": 1}, {"page": 2, "before_time": 5}, {"page": 2, "before": 5}),
    ],
)
def test_HIST_01_HIST_03_HIST_08_one_cursor(cursor: dict[str, Any]):
    parse_command(MessageHistory, cursor)


@pytest.mark.parametrize(
    "cursor",
    [
        *({"before": 0}, {"after": -1}, {"limit": 0}, {"limit": 1001}, {"page": 0}),
        *({"before": 5, "after": 1}, {"around": ID, "before_time": 5}),
        *({"page": 2, "after": 1}, {"page": 2, "around": ID}, {"offset": 2}),
    ],
)
def test_HIST_01_everything_else_is_refused(cursor: dict[str, Any]):
    with pytest.raises(Rejected, match="VALIDATION_FAILED"):
        parse_command(MessageHistory, cursor)


def test_HIST_07_a_position_is_an_epoch_and_a_seq():
    assert parse_command(Resume, {"epoch": 1, "seq": 0}) == Resume(epoch=1, seq=0, marks=0)
    for payload in ({"seq": 1}, {"epoch": 1}, {"epoch": 1, "seq": 1, "marks": -1}):
        with pytest.raises(Rejected, match="VALIDATION_FAILED"):
            parse_command(Resume, payload)


def test_HIST_07_skipped_counts_like_the_events_it_stands_for():
    assert skipped("c1", 4, 6) == {"t": "skipped", "c": "c1", "seq": 6, "d": {"from": 4}}


def test_a_page_shows_a_message_like_its_event():
    chat = Chat.group("ann", "bob")
    first = chat.send("ann", "1")
    answer = chat.send("bob", "2", reply_to=first.id, metadata={"k": 1}, client_id="k1")
    pushed = chat.pushes[-1]
    payload = {key: value for key, value in pushed["d"].items() if key != "client_id"}
    assert chat.wire(answer) == {
        "seq": pushed["seq"],
        "ts": pushed["ts"],
        "kind": pushed["t"],
        **payload,
    }


def test_a_message_of_nobody():
    message = Message(
        id=ID, seq=4, number=None, kind="message.sent", by=None, at=START, text="x", sent={},
        overlay=Overlay(4),
    )  # fmt: skip
    assert message.wire() == {
        "id": ID,
        "seq": 4,
        "ts": START,
        "kind": "message.sent",
        "text": "x",
    }
    assert message.preview() == {"by": None, "text": "x"}


@given(datas(MessageSent), MAPS)
def test_HIST_06_a_tombstone_shows_nothing_of_the_message(data: MessageSent, overlay: Any):
    fields = data.fields()
    message = Message(
        id=ID, seq=4, number=2, kind="message.sent", by="ann", at=START,
        text=fields.pop("text"), sent=fields,
        overlay=Overlay(4, text="edited", deleted_at=START, deleted_by="ann", data=overlay),
    )  # fmt: skip
    thread = data.thread or overlay.get("thread")
    context = message.current("context")
    assert message.wire(message) == {
        "id": ID,
        "seq": 4,
        "ts": START,
        "kind": "message.sent",
        "by": "ann",
        "number": 2,
        "deleted_at": START,
        "redacted": True,
        **({"thread": thread} if thread else {}),
        **({"context": context} if context else {}),
    }
    assert message.preview() == {"unavailable": True}
    assert message.current_text is None
