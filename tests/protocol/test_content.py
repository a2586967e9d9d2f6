"""What a message may hold: its type, its media, whom it mentions, its format."""

from typing import Any

import pytest

from palaver.protocol.codec import CODECS
from palaver.protocol.commands import Notify, parse_command
from palaver.protocol.errors import Rejected
from palaver.protocol.features.edits import EditMessage
from palaver.protocol.features.members import AddMembers, ChangeRole, RemoveMember
from palaver.protocol.features.messages import MessageMentioned, SendMessage
from palaver.protocol.features.system import PostMessage
from palaver.protocol.ids import HOST
from palaver.protocol.state import Hidden
from palaver.tests.support.machine import Chat

TYPES = ("text", "media", "image", "voice", "video", "file", "announcement")
PHOTO = "https://example.org/a.jpg"
SAYING: dict[str, dict[str, Any]] = {
    "media": {"urls": [{"url": PHOTO, "kind": "image"}, {"url": PHOTO, "kind": "video"}]},
    "image": {"url": PHOTO, "width": 640, "height": 480, "mime": "image/jpeg", "size": 12_345},
    "voice": {"url": PHOTO, "duration_s": 3.5, "waveform": [0, 17, 255]},
    "video": {"url": PHOTO, "duration_s": 60, "width": 1, "height": 1},
    "file": {"url": PHOTO, "name": "../../x<>.pdf"},
}
"""Metadata of each type of media, with all that the engine knows of it."""


def sent(chat: Chat, user: str, text: str, **more: Any) -> dict[str, Any]:
    """The payload that members get of a message."""
    chat.send(user, text, **more)
    payload: dict[str, Any] = chat.pushes[-1]["d"]
    return payload


# MSG-01, C-43.


@pytest.mark.parametrize("type", TYPES)
def test_MSG_01_every_type_is_sent_as_it_was_said(type: str):
    chat = Chat.group("ann", message_types=TYPES)
    payload = sent(chat, "ann", "look", type=type, metadata=SAYING.get(type))
    assert payload.get("type", "text") == type
    (served,) = chat.history()
    assert served.get("type", "text") == type
    assert chat.state.last is not None
    assert chat.state.last.get("type", "text") == type


def test_MSG_01_plain_text_carries_no_type():
    chat = Chat.group("ann", message_types=TYPES)
    assert sent(chat, "ann", "hello").keys() == {"id", "by", "number", "text"}
    assert "type" not in (chat.state.last or {})


@pytest.mark.parametrize("type", ["voice", "system", "poll", "nonsense", ""])
def test_MSG_01_C_43_a_type_that_is_not_allowed_is_refused(type: str):
    chat = Chat.group("ann", message_types=("text", "image"))
    no = chat.refuses("ann", SendMessage(text="x", type=type, metadata=SAYING["voice"]))
    assert no.code == "INVALID_MESSAGE_TYPE"
    assert no.details == {"field": "type", "allowed": ["text", "image"]}


def test_MSG_01_a_product_may_do_without_plain_text():
    chat = Chat.group("ann", message_types=("announcement",))
    assert chat.refuses("ann", SendMessage(text="x")).code == "INVALID_MESSAGE_TYPE"


def test_MSG_01_C_43_unless_told_otherwise_text_is_all_that_is_sent():
    no = Chat.group("ann").refuses("ann", SendMessage(text="x", type="image"))
    assert no.details == {"field": "type", "allowed": ["text"]}


def test_MSG_13_a_preview_says_of_what_type_the_message_is():
    chat = Chat.group("ann", message_types=TYPES)
    photo = chat.send("ann", "", type="image", metadata=SAYING["image"])
    preview = sent(chat, "ann", "nice", reply_to=photo.id)["preview"]
    assert preview == {"by": "ann", "text": "", "type": "image"}


# MSG-22, MSG-29: what a type says of its media.


@pytest.mark.parametrize("type", SAYING)
def test_MSG_22_MSG_29_media_metadata_round_trips(type: str):
    chat = Chat.group("ann", message_types=TYPES)
    metadata = {**SAYING[type], "our own": {"k": [1, None]}}
    command = parse_command(SendMessage, {"text": "", "type": type, "metadata": metadata})
    assert isinstance(command, SendMessage)
    chat.do("ann", command)
    for codec in (kind() for kind in CODECS):
        assert codec.decode(codec.encode(chat.pushes[-1]))["d"]["metadata"] == metadata
    assert chat.history()[0]["metadata"] == metadata


@pytest.mark.parametrize(
    ("type", "metadata", "field"),
    [
        ("voice", {"url": PHOTO}, "metadata.duration_s"),
        ("voice", {"duration_s": 0}, "metadata.duration_s"),
        ("voice", {"duration_s": "3"}, "metadata.duration_s"),
        ("voice", {"duration_s": 86_401}, "metadata.duration_s"),
        ("voice", {"duration_s": 1, "waveform": [0, 256]}, "metadata.waveform.1"),
        ("voice", {"duration_s": 1, "waveform": [0.5]}, "metadata.waveform.0"),
        ("voice", {"duration_s": 1, "waveform": [0] * 257}, "metadata.waveform"),
        ("video", {"url": PHOTO, "duration_s": -1}, "metadata.duration_s"),
        ("image", {"url": PHOTO, "width": 0}, "metadata.width"),
        ("image", {"url": PHOTO, "size": -1}, "metadata.size"),
        ("image", {"url": PHOTO, "mime": "a\nb"}, "metadata.mime"),
        ("file", {"url": PHOTO}, "metadata.name"),
        ("media", {"url": PHOTO}, "metadata.urls"),
        ("media", {"urls": []}, "metadata.urls"),
        ("media", {"urls": [SAYING["media"]["urls"][0]] * 11}, "metadata.urls"),
        ("media", {"urls": [{"url": PHOTO, "kind": "gif"}]}, "metadata.urls.0.kind"),
        ("media", {"urls": [{"kind": "image"}]}, "metadata.urls.0.url"),
        ("image", {}, "metadata"),
        ("image", None, "metadata"),
    ],
)
def test_MSG_22_MSG_29_a_wrong_field_is_named(type: str, metadata: Any, field: str):
    chat = Chat.group("ann", message_types=TYPES)
    no = chat.refuses("ann", SendMessage(text="x", type=type, metadata=metadata))
    assert no.code == "VALIDATION_FAILED"
    assert no.details is not None
    assert no.details["field"] == field


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,<script>",
        "//example.org",
        "/etc/passwd",
        "https://",
        "https://a b",
        'https://a"onerror=',
        "https://a\n",
        "https://" + "a" * 2048,
    ],
)
def test_SEC_07_media_lie_on_the_web_and_nowhere_else(url: str):
    chat = Chat.group("ann", message_types=TYPES)
    no = chat.refuses("ann", SendMessage(text="x", type="image", metadata={"url": url}))
    assert no.details is not None
    assert no.details["field"] == "metadata.url"
    assert url not in str(no), "an answer does not repeat what was sent"


def test_MSG_29_metadata_of_media_has_the_same_bound():
    chat = Chat.group("ann", message_types=TYPES, max_metadata_bytes=100)
    metadata = {**SAYING["image"], "k": "x" * 100}
    no = chat.refuses("ann", SendMessage(text="x", type="image", metadata=metadata))
    assert no.details == {"field": "metadata"}


# SEND-03, C-02.


@pytest.mark.parametrize("type", SAYING)
def test_SEND_03_C_02_media_need_no_text(type: str):
    chat = Chat.group("ann", message_types=TYPES)
    message = chat.send("ann", "", type=type, metadata=SAYING[type])
    assert chat.wire(message)["text"] == ""
    chat.edit(message, "a caption")
    chat.edit(message, "")
    assert chat.wire(message)["text"] == ""


def test_SEND_03_C_02_but_where_the_product_wants_one():
    chat = Chat.group("ann", message_types=TYPES, allow_empty_with_attachment=False)
    no = chat.refuses("ann", SendMessage(text="", type="image", metadata=SAYING["image"]))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "text"})
    photo = chat.send("ann", "look", type="image", metadata=SAYING["image"])
    no = chat.refuses("ann", EditMessage(message_id=photo.id, text=" "))
    assert no.details == {"field": "text"}


@pytest.mark.parametrize("type", ["text", "announcement"])
def test_SEND_03_metadata_alone_makes_no_message_of_words(type: str):
    chat = Chat.group("ann", message_types=TYPES)
    no = chat.refuses("ann", SendMessage(text="", type=type, metadata=SAYING["image"]))
    assert no.details == {"field": "text"}


def test_SEND_03_a_caption_is_as_long_as_a_text():
    chat = Chat.group("ann", message_types=TYPES, max_chars=5)
    command = SendMessage(text="123456", type="image", metadata=SAYING["image"])
    assert chat.refuses("ann", command).code == "MESSAGE_TOO_LONG"


# SEND-02.


@pytest.mark.parametrize(
    ("policy", "payload"),
    [
        pytest.param({}, {"text": "Is it free?", "metadata": {"booking_id": 7}}, id="tutoring"),
        pytest.param(
            {"format": "markdown", "message_types": ("text", "file")},
            {"text": "see **this**", "type": "file", "metadata": SAYING["file"]},
            id="rental",
        ),
        pytest.param(
            {"message_types": ("text", "media", "voice")},
            {"text": "", "type": "media", "metadata": SAYING["media"]},
            id="petsocial",
        ),
        pytest.param(
            {"message_types": ("text", "file")},
            {"text": "", "type": "file", "metadata": {**SAYING["file"], "propertyId": "p1"}},
            id="stayeasy",
        ),
        pytest.param(
            {"message_types": TYPES},
            {"text": "hi", "type": "image", "metadata": SAYING["image"], "mentions": ["bob"]},
            id="tuggroups",
        ),
    ],
)
def test_SEND_02_what_five_products_send(policy: dict[str, Any], payload: dict[str, Any]):
    chat = Chat.group("ann", "bob", **policy)
    first = chat.send("bob", "before")
    command = parse_command(SendMessage, {**payload, "reply_to": first.id, "client_id": "k"})
    assert isinstance(command, SendMessage)
    chat.do("ann", command)
    said = chat.pushes[-1]["d"]
    assert payload.items() <= said.items()
    assert said["reply_to"]["id"] == first.id


# MSG-02, C-45: what it is read as.


@pytest.mark.parametrize("format", ["plain", "markdown"])
def test_MSG_02_a_text_is_kept_as_it_is_and_says_how_it_is_to_be_read(format: str):
    chat = Chat.group("ann", format=format)
    text = "**bold** <script>alert(1)</script> a < b & c\n> quoted"
    message = chat.send("ann", text)
    assert chat.pushes[-1]["d"]["text"] == text
    assert chat.pushes[-1]["d"].get("format", "plain") == format
    chat.edit(message, text + "!")
    assert chat.wire(message)["text"] == text + "!"
    assert chat.wire(message).get("format", "plain") == format
    chat.do(HOST, PostMessage(text=text))
    assert chat.pushes[-1]["d"].get("format", "plain") == format


def test_C_45_texts_are_plain_unless_the_product_says_otherwise():
    assert "format" not in sent(Chat.group("ann"), "ann", "**bold**")
    assert sent(Chat.group("ann", format="markdown"), "ann", "**bold**")["format"] == "markdown"


# MSG-25.


def test_MSG_25_only_who_may_announce_announces():
    chat = Chat.group("ann", "bob", message_types=TYPES)
    assert sent(chat, "ann", "closed on Monday", type="announcement")["type"] == "announcement"
    no = chat.refuses("bob", SendMessage(text="party!", type="announcement"))
    assert (no.code, no.details) == ("PERMISSION_DENIED", {"permission": "announce"})
    chat.send("bob", "party!")


def test_MSG_25_a_direct_conversation_has_no_announcements():
    chat = Chat.direct("ann", "bob", message_types=TYPES)
    announcement = SendMessage(text="x", type="announcement")
    assert chat.refuses("ann", announcement).code == "PERMISSION_DENIED"
    first = SendMessage(text="x", type="announcement", to="bob")
    empty = Chat(message_types=TYPES)
    assert empty.refuses("ann", first).code == "PERMISSION_DENIED"
    assert not empty.state.exists


def test_MSG_25_who_may_announce_no_longer_does_not_edit_what_they_announced():
    chat = Chat.group("ann", "bob", message_types=TYPES)
    message = chat.send("ann", "closed", type="announcement")
    chat.do("ann", ChangeRole(user="bob", role="admin"))
    chat.do("bob", ChangeRole(user="ann", role="member"))
    no = chat.refuses("ann", EditMessage(message_id=message.id, text="open"))
    assert no.details == {"permission": "announce"}


# MSG-20.


def mentions(chat: Chat, user: str, text: str, **more: Any) -> tuple[Any, list[Notify]]:
    """Whom the message says that it mentions, and who is told."""
    done = chat.do(user, SendMessage(text=text, **more))
    payload = chat.pushes[-1]["d"]
    return payload.get("mentions"), done.notices


def test_MSG_20_those_named_are_told_and_nobody_else():
    chat = Chat.group("ann", "bob", "cid")
    named, notices = mentions(chat, "ann", "hi Bob", mentions=["bob"])
    assert named == ["bob"]
    assert notices == [Notify(MessageMentioned(by="ann", seq=2), ("bob",))]
    assert chat.history()[0]["mentions"] == ["bob"]


def test_MSG_20_only_other_members_are_mentioned_each_once():
    chat = Chat.group("ann", "bob", "cid", "dee")
    chat.do("ann", RemoveMember(user="dee"))
    named, _ = mentions(chat, "ann", "x", mentions=["eve", "cid", "dee", "bob", "ann", "cid"])
    assert named == ["cid", "bob"]
    assert mentions(chat, "ann", "x", mentions=["eve", "ann"]) == (None, [])
    assert mentions(chat, "ann", "x", mentions=[]) == (None, [])


def test_MSG_20_without_a_mention_nobody_is_told():
    chat = Chat.group("ann", "bob")
    assert mentions(chat, "ann", "hello @bob") == (None, []), "unless the product wants that"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@bob hi", ["bob"]),
        ("hi @bob, @cid.", ["bob", "cid"]),
        ("(@bob) @bob's «@cid»", ["bob", "cid"]),
        ("@u.1-x@example.org: hi", ["u.1-x@example.org"]),
        ("@Đặng_李", ["Đặng_李"]),
        ("@bobby @Bob @ann @eve @", None),
        ("mail bob@cid, https://example.org/@bob, @@bob", None),
        ("no names", None),
    ],
)
def test_MSG_20_names_in_a_text(text: str, named: Any):
    chat = Chat.group("ann", "bob", "cid", "u.1-x@example.org", "Đặng_李", mentions_in_text=True)
    assert mentions(chat, "ann", text)[0] == named


def test_MSG_20_explicit_ones_come_first():
    chat = Chat.group("ann", "bob", "cid", mentions_in_text=True)
    assert mentions(chat, "ann", "@bob @cid", mentions=["cid"])[0] == ["cid", "bob"]


def test_MSG_20_there_is_a_bound():
    chat = Chat.group("ann", "bob", "cid", "dee", max_mentions=2, mentions_in_text=True)
    no = chat.refuses("ann", SendMessage(text="x", mentions=["bob", "cid", "dee"]))
    assert (no.code, no.details) == ("VALIDATION_FAILED", {"field": "mentions"})
    assert mentions(chat, "ann", "@dee @cid @bob")[0] == ["dee", "cid"]
    with pytest.raises(Rejected, match="mentions"):
        parse_command(SendMessage, {"text": "x", "mentions": ["bob"] * 1001})
    with pytest.raises(Rejected, match=r"mentions\.0"):
        parse_command(SendMessage, {"text": "x", "mentions": [" "]})


def test_MSG_20_the_first_message_to_somebody_may_mention_them():
    chat = Chat(mentions_in_text=True)
    named, notices = mentions(chat, "ann", "hi @bob, @eve", to="bob")
    assert named == ["bob"]
    assert notices == [Notify(MessageMentioned(by="ann", seq=2), ("bob",))]
    assert chat.log[-1].seq == 2


def test_MSG_20_CONV_20_a_mention_in_a_thread_tells_the_place_of_its_message():
    chat = Chat.group("ann", "bob", threads=True)
    root = chat.send("ann", "root")
    _, notices = mentions(chat, "ann", "x", mentions=["bob"], thread=root.id)
    assert notices == [Notify(MessageMentioned(by="ann", seq=chat.log[-1].seq), ("bob",))]
    assert [event.kind for event in chat.log[-2:]] == ["thread.replied", "message.sent"]


def test_MSG_20_HIST_11_who_does_not_see_the_edited_message_is_not_told_of_it():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", "x")
    chat.do("ann", AddMembers(users=["cid"]))
    command = EditMessage(message_id=message.id, text="y", mentions=["cid", "bob"])
    assert [notice.users for notice in chat.do("ann", command).notices] == [("bob",)]


def test_MSG_20_MSG_09_who_has_hidden_the_edited_message_is_not_told_of_it():
    chat = Chat.group("ann", "bob", "cid")
    message = chat.send("ann", "x")
    chat.state.hidden["cid"] = Hidden(messages={message.seq: True})
    command = EditMessage(message_id=message.id, text="y", mentions=["cid", "bob"])
    assert [notice.users for notice in chat.do("ann", command).notices] == [("bob",)]


def test_MSG_20_an_edit_mentions_anew_and_tells_who_was_not_told_before():
    chat = Chat.group("ann", "bob", "cid")
    message = chat.send("ann", "bob?", mentions=["bob"])
    command = EditMessage(message_id=message.id, text="bob, cid?", mentions=["bob", "cid"])
    done = chat.do("ann", command)
    assert done.notices == [Notify(MessageMentioned(by="ann", seq=message.seq), ("cid",))]
    assert chat.wire(message)["mentions"] == ["bob", "cid"]
    assert chat.do("ann", command).effects == [], "the same again is no edit"
    done = chat.do("ann", EditMessage(message_id=message.id, text="bob, cid?", mentions=["cid"]))
    assert (done.notices, chat.wire(message)["mentions"]) == ([], ["cid"])
    assert chat.edit(message, "nobody").notices == []
    assert "mentions" not in chat.wire(message)


def test_MSG_20_who_comes_later_is_mentioned_from_then_on():
    chat = Chat.group("ann")
    assert mentions(chat, "ann", "x", mentions=["bob"])[0] is None
    chat.do("ann", AddMembers(users=["bob"]))
    assert mentions(chat, "ann", "x", mentions=["bob"])[0] == ["bob"]


# MSG-27, and that all of it goes with the message.

LINKS = "https://example.org/a and www.example.com."


def test_MSG_27_two_links_are_two_entities():
    chat = Chat.group("ann")
    entities = sent(chat, "ann", f"\U0001f600 {LINKS}")["entities"]
    assert entities == [
        {"kind": "link", "offset": 2, "length": 21, "url": "https://example.org/a"},
        {"kind": "link", "offset": 28, "length": 15, "url": "http://www.example.com"},
    ]
    assert chat.history()[0]["entities"] == entities
    chat.do(HOST, PostMessage(text=LINKS))
    assert len(chat.pushes[-1]["d"]["entities"]) == 2


def test_MSG_27_MSG_05_an_edit_marks_the_links_of_the_new_text():
    chat = Chat.group("ann")
    message = chat.send("ann", LINKS)
    chat.edit(message, "now https://example.org")
    (entity,) = chat.pushes[-1]["d"]["entities"]
    assert chat.wire(message)["entities"] == [entity]
    assert entity["offset"] == 4
    chat.edit(message, "no more")
    assert "entities" not in chat.pushes[-1]["d"]
    assert "entities" not in chat.wire(message)


@pytest.mark.parametrize("most", [0, 1, 2])
def test_MSG_27_there_is_a_bound(most: int):
    chat = Chat.group("ann", max_entities=most)
    assert len(sent(chat, "ann", LINKS).get("entities", [])) == most


def test_MSG_08_links_and_mentions_go_with_the_message():
    chat = Chat.group("ann", "bob")
    message = chat.send("ann", LINKS, mentions=["bob"])
    chat.do("ann", EditMessage(message_id=message.id, text=LINKS + "!", mentions=["bob"]))
    chat.delete(message)
    served = [event.item()["d"] for event in chat.stored()]
    served += [chat.wire(message), message.overlay.data]
    assert not any({"mentions", "entities", "text"} & each.keys() for each in served)
