"""Attachments of a message, and the query for what a conversation has to show."""

from typing import Any

import pytest

from palaver.protocol.codec import CODECS
from palaver.protocol.commands import parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.forwards import ReadForward, SendCopy
from palaver.protocol.features.media import ListMedia
from palaver.protocol.features.messages import MessageSent, SendMessage
from palaver.protocol.media import shown
from palaver.protocol.message import Message
from palaver.protocol.policy import MIB, Policy
from palaver.tests.support.machine import Chat

URL = "https://example.org/a.jpg"
PHOTO: dict[str, Any] = {
    "type": "image",
    "url": URL,
    "thumbnail_url": "/thumbnails/a-300.jpg",
    "name": "a.jpg",
    "mime": "image/jpeg",
    "size": 123_456,
    "width": 640,
    "height": 480,
}
VOICE: dict[str, Any] = {"type": "voice", "url": URL, "duration_s": 3.5, "waveform": [0, 255]}
BARE: dict[str, Any] = {"type": "file", "url": "/files/1"}


def sending(*attachments: dict[str, Any], **more: Any) -> SendMessage:
    """The command as a client sends it."""
    payload = {"text": "look", "attachments": list(attachments), **more}
    command = parse_command(SendMessage, payload)
    assert isinstance(command, SendMessage)
    return command


def sent(chat: Chat, *attachments: dict[str, Any], **more: Any) -> Message:
    return chat.messages[chat.do("ann", sending(*attachments, **more)).events[-1].id]


def refused(policy: dict[str, Any], *attachments: dict[str, Any], **more: Any) -> Rejected:
    try:
        command = sending(*attachments, **more)
    except Rejected as no:
        return no
    return Chat.group("ann", **policy).refuses("ann", command)


# What is kept, and where it shows.


def test_ATT_04_ATT_27_ATT_29_attachments_come_back_as_they_were_said():
    chat = Chat.group("ann", "bob")
    message = sent(chat, PHOTO, VOICE, BARE)
    for codec in (kind() for kind in CODECS):
        payload = codec.decode(codec.encode(chat.pushes[-1]))["d"]
        assert payload["attachments"] == [PHOTO, VOICE, BARE]
    assert chat.wire(message)["attachments"] == [PHOTO, VOICE, BARE]
    assert "type" not in chat.wire(message)


def test_a_message_without_any_says_nothing_of_them():
    chat = Chat.group("ann")
    for message in (chat.send("ann", "x"), sent(chat)):
        assert chat.wire(message).keys() == {"id", "seq", "ts", "kind", "by", "number", "text"}
    assert chat.state.last is not None
    assert "attachments" not in chat.state.last


def test_MSG_13_CONV_07_where_a_message_is_only_mentioned_the_types_stand_for_them():
    chat = Chat.group("ann", "bob")
    message = sent(chat, PHOTO, VOICE, text="")
    assert chat.state.last is not None
    assert chat.state.last["attachments"] == ["image", "voice"]
    chat.send("bob", "nice", reply_to=message.id)
    preview = {"by": "ann", "text": "", "attachments": ["image", "voice"]}
    assert chat.pushes[-1]["d"]["preview"] == preview


def test_MSG_08_a_deletion_takes_them_away_everywhere():
    chat = Chat.group("ann", "bob")
    message = sent(chat, PHOTO)
    chat.delete(message)
    assert "attachments" not in chat.wire(message)
    assert "attachments" not in (chat.state.last or {})
    assert URL not in str([event.item() for event in chat.stored()])
    assert chat.reopened().last == chat.state.last


def test_MSG_17_they_are_forwarded():
    chat = Chat.group("ann", "bob")
    message = sent(chat, PHOTO, VOICE, text="")
    carried = chat.do("bob", ReadForward(message_id=message.id)).result
    copy = Chat.group("bob").do("bob", SendCopy(**carried)).event.item()["d"]
    assert (copy["text"], copy["attachments"]) == ("", [PHOTO, VOICE])


# C-02.


def test_C_02_with_an_attachment_a_message_needs_no_text():
    chat = Chat.group("ann")
    message = sent(chat, PHOTO, text="")
    chat.edit(message, "a caption")
    chat.edit(message, "")
    assert (chat.wire(message)["text"], chat.wire(message)["attachments"]) == ("", [PHOTO])
    no = refused({}, text="")
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "text"})


def test_C_02_unless_the_product_wants_one():
    policy = {"allow_empty_with_attachment": False}
    no = refused(policy, PHOTO, text="")
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "text"})
    chat = Chat.group("ann", **policy)
    message = sent(chat, PHOTO)
    no = chat.refuses("ann", EditMessage(message_id=message.id, text=" "))
    assert no.details == {"field": "text"}


# What is refused.


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "gif"}, "type"),
        ({"type": None}, "type"),
        ({"url": None}, "url"),
        ({"url": URL + "/" * 2048}, "url"),
        ({"thumbnail_url": "data:image/png,x"}, "thumbnail_url"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"mime": "image"}, "mime"),
        ({"size": -1}, "size"),
        ({"size": "1"}, "size"),
        ({"size": 1.5}, "size"),
        ({"width": 0}, "width"),
        ({"height": 100_001}, "height"),
        ({"duration_s": 0}, "duration_s"),
        ({"waveform": [256]}, "waveform.0"),
        ({"id": "0193"}, "id"),
    ],
)
def test_ATT_27_a_wrong_field_is_named(change: dict[str, Any], field: str):
    no = refused({}, BARE, {**PHOTO, **change})
    assert no.code == "VALIDATION_FAILED"
    assert no.details is not None
    assert no.details["field"] == f"attachments.1.{field}"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,<script>",
        "http://example.org/a.jpg",
        "//example.org/a.jpg",
        "/\\example.org",
        "https:///a",
        "https://a b",
        "https://a\0b",
        'https://a"onerror=',
        "https://",
        "/",
        "a.jpg",
        "",
    ],
)
def test_SEC_07_an_attachment_lies_on_the_web_or_at_a_path_of_the_product(url: str):
    no = refused({}, {**PHOTO, "url": url})
    assert no.details is not None
    assert no.details["field"] == "attachments.0.url"


def test_ATT_04_a_product_may_take_its_own_paths_only():
    policy = {"external_attachments": False}
    for foreign in ({"url": URL}, {"url": "/a", "thumbnail_url": URL}):
        no = refused(policy, {"type": "image", **foreign})
        assert no.code == "VALIDATION_FAILED"
        assert no.details == {"field": f"attachments.0.{list(foreign)[-1]}"}
    sent(Chat.group("ann", **policy), BARE, {**BARE, "thumbnail_url": "/b"})


@pytest.mark.parametrize(("policy", "most"), [({}, 10), ({"max_attachments": 1}, 1)])
def test_ATT_20_C_21_as_many_as_the_product_allows(policy: dict[str, Any], most: int):
    message = sent(Chat.group("ann", **policy), *[PHOTO] * most)
    assert len(message.sent["attachments"]) == most
    no = refused(policy, *[PHOTO] * (most + 1))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "attachments"})


def test_ATT_20_a_product_may_have_none():
    assert refused({"max_attachments": 0}, BARE).code == "VALIDATION_FAILED"


@pytest.mark.parametrize(
    ("policy", "type", "limit"),
    [
        ({}, "image", 10 * MIB),
        ({}, "voice", 25 * MIB),
        ({}, "video", 100 * MIB),
        ({}, "file", 25 * MIB),
        ({"attachment_limits": {"image": 5_000_000}}, "image", 5_000_000),
    ],
)
def test_ATT_05_ERR_05_C_17_what_is_said_to_be_too_large(
    policy: dict[str, Any], type: str, limit: int
):
    attachment = {"type": type, "url": URL}
    sent(Chat.group("ann", **policy), attachment, {**attachment, "size": limit})
    no = refused(policy, attachment, {**attachment, "size": limit + 1})
    assert no.code == "ATTACHMENT_TOO_LARGE"
    assert no.details == {"field": "attachments.1.size", "max_bytes": limit}


def test_ERR_05_a_type_that_the_product_does_not_take():
    policy = {"attachment_limits": {"image": MIB, "file": MIB}}
    no = refused(policy, BARE, VOICE)
    assert no.code == "INVALID_FILE_TYPE"
    assert no.details == {"field": "attachments.1.type", "allowed": ["image", "file"]}


# Beside the type of the message.


def test_MSG_01_a_type_with_media_says_it_by_metadata_or_by_attachments():
    chat = Chat.group("ann", message_types=("text", "image"))
    sent(chat, PHOTO, text="", type="image")
    sent(chat, PHOTO, text="", type="image", metadata={"url": URL})
    bad = sending(PHOTO, type="image", metadata={"width": 0})
    assert (chat.refuses("ann", bad).details or {})["field"] == "metadata.width"
    assert (chat.refuses("ann", sending(type="image")).details or {})["field"] == "metadata"


def test_GRP_12_what_a_message_shows():
    said = {"url": URL, "duration_s": 2, "waveform": [1], "width": "our own", "k": None}
    voice = {"type": "voice", "url": URL, "duration_s": 2, "waveform": [1]}
    urls = [{"url": URL, "kind": "image", "k": 1}, {"url": URL, "kind": "video"}]
    two = [{"type": "image", "url": URL}, {"type": "video", "url": URL}]
    assert shown({}) == shown({"metadata": {"url": URL}}) == []
    assert shown({"type": "announcement", "metadata": {"url": URL}}) == []
    assert shown({"type": "voice", "metadata": said}) == [voice]
    assert shown({"type": "media", "metadata": {"urls": urls}}) == two
    assert shown({"attachments": [PHOTO, BARE]}) == [PHOTO, BARE]
    assert shown({"type": "voice", "metadata": said, "attachments": [PHOTO]}) == [voice, PHOTO]
    assert MessageSent("x", attachments=[PHOTO]).media == [PHOTO]
    assert MessageSent("x", metadata={"url": URL}).media == ()


def test_GRP_12_the_listing_has_its_bounds():
    assert parse_command(ListMedia, {}) == ListMedia(before=None, limit=None)
    for payload in ({"limit": 0}, {"limit": 1001}, {"before": 0}, {"after": 1}):
        with pytest.raises(Rejected):
            parse_command(ListMedia, payload)


def test_the_defaults_are_those_of_the_table():
    policy = Policy()
    assert (policy.max_attachments, policy.external_attachments) == (10, True)
    assert policy.allow_empty_with_attachment
