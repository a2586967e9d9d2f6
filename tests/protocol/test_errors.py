"""The error table and `Rejected`; and that validation names a field and repeats no value."""

import ast
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.protocol.commands import Command, parse_command
from palaver.protocol.errors import ERRORS, Rejected, invalid
from palaver.protocol.features import COMMANDS
from palaver.tests.support.values import VALUES, texts

ROOT = Path(__file__).parents[2]

# Codes that no layer answers with yet. Whoever makes the first use of one takes it off.
LATER = {"FEATURE_DISABLED", "RATE_LIMITED"}


def codes_in(source: str) -> set[str]:
    return {
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ERRORS
    }


def test_ERR_02_every_code_is_used():
    used: set[str] = set()
    for room in ("protocol", "actors", "persistence", "engine", "gateway"):
        for path in (ROOT / room).rglob("*.py"):
            if path != ROOT / "protocol" / "errors.py":
                used |= codes_in(path.read_text())
    used |= codes_in("VALIDATION_FAILED = 'VALIDATION_FAILED'")  # by `invalid`
    assert ERRORS.keys() - used <= LATER <= ERRORS.keys()


@pytest.mark.parametrize("kind", ERRORS.values(), ids=lambda kind: kind.code)
def test_ERR_01_every_row_of_the_table_is_whole(kind: Any):
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", kind.code)
    assert HTTPStatus(kind.http) >= HTTPStatus.BAD_REQUEST
    assert kind.sentence.endswith(".")
    assert kind.sentence[0].isupper()
    # What the server failed at may be repeated; so may what was only too much.
    assert kind.retryable == (kind.http >= 500 or kind.code in ("RATE_LIMITED", "UPLOAD_TIMEOUT"))


def test_ERR_01_the_shape_of_an_error():
    assert Rejected("GROUP_FULL").payload() == {
        "code": "GROUP_FULL",
        "message": "The group has no room for more members.",
        "retryable": False,
    }
    whole = Rejected("INTERNAL", "Oh.", details={"field": "text"}, retry_after=2.5, correlation="x")
    assert whole.payload() == {
        "code": "INTERNAL",
        "message": "Oh.",
        "retryable": True,
        "details": {"field": "text"},
        "retry_after": 2.5,
        "correlation": "x",
    }


def test_a_payload_shares_nothing_with_the_error():
    no = Rejected("GROUP_FULL", details={"max_members": 2})
    no.payload()["details"]["max_members"] = 3
    assert no.payload()["details"] == {"max_members": 2}


def test_SEC_05_zero_seconds_are_told():
    assert Rejected("OVERLOADED", retry_after=0.0).payload()["retry_after"] == 0.0


def test_an_error_reads_well_in_a_log():
    assert str(Rejected("LAST_ADMIN", "No.")) == "LAST_ADMIN: No."


def test_an_unknown_code_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        Rejected("NO_SUCH_CODE")


def test_ERR_03_invalid_names_its_field():
    assert invalid("title", "too long").payload() == {
        "code": "VALIDATION_FAILED",
        "message": "title: too long",
        "retryable": False,
        "details": {"field": "title"},
    }


ID = "00000000-0000-7000-8000-000000000001"

# What the commands that have required fields are content with.
GOOD: dict[str, Any] = {
    "text": "x",
    "query": "xx",
    "to": ID,
    "kind": "group",
    "members": [],
    "title": "x",
    "message_id": ID,
    "emoji": "👍",
    "user": "ann",
    "users": ["ann"],
    "role": "admin",
    "seq": 1,
    "epoch": 1,
    "conversation": ID,
    "option": 0,
    "id": "k",
    "send_at": 1,
    "message": {"text": "x"},
    "template": "x",
}


@pytest.mark.parametrize(
    ("command", "payload", "field"),
    [
        ("message.send", {}, "text"),
        ("message.send", {"text": 1}, "text"),
        ("message.send", {"text": None}, "text"),
        ("message.send", {"text": "x", "txet": "x"}, "txet"),
        ("message.send", {"text": "x", "metadata": []}, "metadata"),
        ("message.send", {"text": "x", "client_id": ""}, "client_id"),
        ("message.send", {"text": "x", "client_id": "x" * 65}, "client_id"),
        ("message.send", {"text": "x", "client_id": 7}, "client_id"),
        ("message.send", {"text": "x", "attempt": 0}, "attempt"),
        ("message.send", {"text": "x", "reply_to": "no id"}, "reply_to"),
        ("message.send", {"text": "x", "reply_to": ID.upper().replace("7", "A")}, "reply_to"),
        ("message.send", {"text": "x", "reply_to": ID + "\n"}, "reply_to"),
        ("message.send", {"text": "x", "to": ""}, "to"),
        ("message.send", {"text": "x", "to": "u" * 129}, "to"),
        ("message.send", {"text": "x", "to": " ann"}, "to"),
        ("message.send", {"text": "x", "to": "a\nb"}, "to"),
        ("message.send", {"text": "x", "to": "ann", "reply_to": ID}, "d"),
        ("conversation.create", {"members": []}, "kind"),
        ("conversation.create", {"kind": "room", "members": []}, "kind"),
        ("conversation.create", {"kind": "group"}, "members"),
        ("conversation.create", {"kind": "group", "members": "ann"}, "members"),
        ("conversation.create", {"kind": "group", "members": ["a", "b", 3]}, "members.2"),
        ("conversation.create", {"kind": "group", "members": [], "title": " "}, "title"),
        ("member.set_role", {"user": "ann", "role": "king"}, "role"),
        ("member.add", {"users": []}, "users"),
        ("member.add", {"users": ["x"] * 1001}, "users"),
        ("member.list", {"limit": 501}, "limit"),
        ("message.history", {"limit": 0}, "limit"),
        ("message.history", {"limit": 1001}, "limit"),
        ("message.history", {"before": 1, "after": 1}, "d"),
        ("message.history", {"around": 5}, "around"),
        ("message.history", {"page": 0}, "page"),
        ("message.history", {"page": 1, "after": 1}, "d"),
        ("message.search", {"query": "x" * 201}, "query"),
        ("message.search", {}, "query"),
        ("message.search", {"query": "xx", "page": 0}, "page"),
        ("message.search", {"query": "xx", "by": ""}, "by"),
        ("message.read", {"seq": 0}, "seq"),
        ("message.read", {"seq": 1, "message_ids": [ID]}, "d"),
        ("message.read", {"message_ids": []}, "message_ids"),
        ("message.read", {"message_ids": [ID] * 101}, "message_ids"),
        ("message.read", {"message_ids": [ID, "x"]}, "message_ids.1"),
        ("message.send", {"text": "x", "thread": "x"}, "thread"),
        ("message.send", {"text": "x", "thread": ID, "to": "bob"}, "d"),
        ("message.forward", {"message_id": ID, "to": "bob"}, "to"),
        ("message.forward", {"message_id": ID, "to": ID, "client_id": ""}, "client_id"),
        ("conversation.resume", {"epoch": 0, "seq": 0}, "epoch"),
        ("conversation.resume", {"epoch": 1, "seq": -1}, "seq"),
        ("conversation.list", {"limit": 1001}, "limit"),
        ("ack", {"seq": None}, "seq"),
    ],
)
def test_ERR_03_SEC_09_a_bad_field_is_named(command: str, payload: Any, field: str):
    with pytest.raises(Rejected) as no:
        parse_command(COMMANDS[command], payload)
    assert no.value.code == "VALIDATION_FAILED"
    assert no.value.details is not None
    assert no.value.details["field"] == field
    assert no.value.message.startswith(f"{field}: ")


@pytest.mark.parametrize("forged", ["by", "sender", "user", "seq", "id", "ts", "at", "number"])
def test_SEND_04_what_the_server_sets_cannot_be_sent(forged: str):
    with pytest.raises(Rejected) as no:
        parse_command(COMMANDS["message.send"], {"text": "x", forged: "mallory"})
    assert no.value.details is not None
    assert no.value.details["field"] == forged


ODD: list[Any] = [
    *(None, True, 0, -1, 2**63, 10**400, 1.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", " ", "x", "\0", "\ud800", "x" * 10_000, "1", "true", "1e9", ID, b"", b"x", object()),
    *([], [None], ["x"] * 5_000, [[[[]]]], {}, {"": 0}, {1: 2}, {"x": {"y": [1.5]}}, (1, 2), {3}),
]
NAMES = sorted({name for command in COMMANDS.values() for name in command.model_fields})


def refusal(command: type[Command], payload: dict[str, Any]) -> Rejected | None:
    try:
        parse_command(command, payload)
    except Rejected as no:
        return no
    return None


def check_parsing(command: type[Command], payload: dict[str, Any]):
    if (no := refusal(command, payload)) is not None:
        assert no.code == "VALIDATION_FAILED"
        assert no.details is not None
        assert isinstance(no.details["field"], str)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_SEC_09_no_field_raises_anything_but_validation_failed(command: type[Command]):
    good = {name: value for name, value in GOOD.items() if name in command.model_fields}
    parse_command(command, good)
    for name in command.model_fields:
        for value in ODD:
            check_parsing(command, {**good, name: value})


@given(
    st.sampled_from(list(COMMANDS.values())),
    st.dictionaries(st.sampled_from(NAMES) | texts(), VALUES | st.lists(st.uuids().map(str))),
)
def test_SEC_09_no_payload_raises_anything_but_validation_failed(
    command: type[Command], payload: dict[str, Any]
):
    check_parsing(command, payload)


SECRET = "Xk7secretq"


def hidden(value: Any) -> list[Any]:
    return [value, [value], {"k": value}, [{"k": [value]}], {value: 1} if value else value]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_the_answer_never_repeats_a_value(command: type[Command]):
    good = {name: value for name, value in GOOD.items() if name in command.model_fields}
    for name in command.model_fields:
        for value in [*hidden(SECRET), *hidden(SECRET * 1_000), SECRET + "\0"]:
            if (no := refusal(command, {**good, name: value})) is not None:
                assert SECRET not in str(no.payload())
                assert SECRET not in str(no)
                assert no.__cause__ is None
                assert no.__suppress_context__


def test_the_name_of_an_unknown_field_is_cut():
    with pytest.raises(Rejected) as no:
        parse_command(COMMANDS["typing.start"], {"x" * 100_000: 1})
    assert len(str(no.value.payload())) < 500
