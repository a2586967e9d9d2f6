"""The envelope: what is an item, and what of a frame is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.protocol.errors import Rejected
from palaver.protocol.frames import MAX_ITEMS, Item, parse_frame, reply_error, reply_ok
from palaver.protocol.values import BadFrame
from palaver.tests.support.values import FRAMES, ITEMS, VALUES

KEYS = ["t", "id", "c", "seq", "v", "d", "ts", "else"]


def test_a_whole_item():
    item = {"t": "message.send", "id": 7, "c": "x", "seq": 3, "v": 1, "d": {"text": "hi"}}
    assert parse_frame(item) == [Item("message.send", 7, "x", 3, {"text": "hi"}, 1)]


def test_the_least_item():
    assert parse_frame({"t": "ping"}) == [Item("ping", None, None, None, {}, None)]


def test_a_frame_is_one_item_or_an_array_of_them():
    item = {"t": "ping"}
    assert parse_frame([]) == []
    assert parse_frame([item]) == parse_frame(item)
    assert len(parse_frame([item] * MAX_ITEMS)) == MAX_ITEMS
    with pytest.raises(BadFrame, match="more than 256 items"):
        parse_frame([item] * (MAX_ITEMS + 1))


def test_WS_01_unknown_keys_of_the_envelope_are_ignored():
    assert parse_frame({"t": "ping", "trace": [1, 2], "ts": "soon"}) == parse_frame({"t": "ping"})


@pytest.mark.parametrize("key", ["id", "c", "seq", "v", "d"])
def test_null_is_the_same_as_absent(key: str):
    assert parse_frame({"t": "ping", key: None}) == parse_frame({"t": "ping"})


@pytest.mark.parametrize(
    "id", [0, -1, 2**63 - 1, "", "x" * 64, "é" * 64], ids=lambda id: repr(id)[:10]
)
def test_ids_of_commands(id: Any):
    assert parse_frame({"t": "ping", "id": id})[0].id == id


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({}, "t"),
        ({"t": None}, "t"),
        ({"t": ""}, "t"),
        ({"t": "x" * 65}, "t"),
        ({"t": 1}, "t"),
        ({"t": "x", "id": True}, "id"),
        ({"t": "x", "id": 1.0}, "id"),
        ({"t": "x", "id": "x" * 65}, "id"),
        ({"t": "x", "id": [1]}, "id"),
        ({"t": "x", "c": 1}, "c"),
        ({"t": "x", "c": "x" * 65}, "c"),
        ({"t": "x", "seq": -1}, "seq"),
        ({"t": "x", "seq": "1"}, "seq"),
        ({"t": "x", "seq": 1.0}, "seq"),
        ({"t": "x", "seq": False}, "seq"),
        ({"t": "x", "v": "1"}, "v"),
        ({"t": "x", "d": []}, "d"),
        ({"t": "x", "d": "text"}, "d"),
        ({"t": "x", "d": False}, "d"),
    ],
)
def test_ERR_03_a_bad_item_is_refused_by_the_name_of_its_key(item: Any, field: str):
    with pytest.raises(BadFrame) as no:
        parse_frame([{"t": "fine"}, item])
    assert no.value.message.startswith(f"{field}: ")


@pytest.mark.parametrize("value", [None, 1, "t", True, [[]], ["t"], [{"t": "x"}, None]])
def test_what_is_no_item(value: Any):
    with pytest.raises(BadFrame, match="an item must be a map"):
        parse_frame(value)


def check_parsing(value: Any):
    try:
        items = parse_frame(value)
    except BadFrame:
        return
    assert all(isinstance(item, Item) for item in items)


@given(
    st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES) | ITEMS | VALUES, max_size=4) | VALUES
)
def test_nothing_decoded_raises_anything_but_bad_frame(value: Any):
    check_parsing(value)


@pytest.mark.parametrize("key", KEYS)
def test_nothing_under_any_key_raises_anything_but_bad_frame(key: str):
    for value in (None, True, 0, -1, 2**63 - 1, 1.5, "", "x", "x" * 70, "\0", [], [1], {}, {"": 0}):
        check_parsing({"t": "x", key: value})
        check_parsing([{key: value}])


@given(FRAMES)
def test_every_good_frame_is_understood(frame: Any):
    sent = frame if isinstance(frame, list) else [frame]
    for item, was in zip(parse_frame(frame), sent, strict=True):
        assert item.kind == was["t"]
        assert item.id == was.get("id")
        assert item.conversation == was.get("c")
        assert item.seq == was.get("seq")
        assert item.payload == was.get("d", {})
        assert item.version == was.get("v")


def test_replies():
    assert reply_ok(1, "x", {"seq": 2}) == {"t": "reply", "id": 1, "c": "x", "ok": {"seq": 2}}
    assert reply_ok("k", None, {}) == {"t": "reply", "id": "k", "ok": {}}
    error = Rejected("LAST_ADMIN").payload()
    assert reply_error(1, None, error) == {"t": "reply", "id": 1, "error": error}
    assert reply_error(1, "x", error)["c"] == "x"
