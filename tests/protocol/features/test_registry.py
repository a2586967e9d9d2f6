"""What every feature must keep to, so that codec, log, replay and docs need not know it."""

import gc
import re
from dataclasses import MISSING, fields
from typing import Any

import pytest
from hypothesis import given
from pydantic import TypeAdapter, ValidationError

from palaver.protocol.codec import CODECS
from palaver.protocol.commands import (
    Command,
    ConversationCommand,
    DurableCommand,
    Query,
    SessionCommand,
    UserCommand,
    UserQuery,
)
from palaver.protocol.events import Event, EventData, MessageChange, Payload, SignalData
from palaver.protocol.features import COMMANDS, EVENTS, FEATURES, SIGNALS, SLICES, USER_EVENTS
from palaver.protocol.message import Message, Overlay
from palaver.protocol.personal import UserEventData
from palaver.tests.support.values import IDS, datas, events

BASES = {
    *(Command, ConversationCommand, DurableCommand, Query),
    *(SessionCommand, UserCommand, UserQuery),
    *(EventData, MessageChange, SignalData, UserEventData),
}

ENVELOPE = {"id", "by", "client_id", "number", "redacted", "preview"}
"""Keys that `Event.item` puts beside the fields of an event."""


def subclasses(base: type[Any]) -> set[type[Any]]:
    found = set(base.__subclasses__())
    return found | {kind for each in found for kind in subclasses(each)}


@pytest.mark.parametrize(
    ("registry", "base"),
    [(COMMANDS, Command), (EVENTS, EventData), (SIGNALS, SignalData), (USER_EVENTS, UserEventData)],
    ids=["commands", "events", "signals", "user events"],
)
def test_everything_is_registered_under_a_name_of_its_own(registry: Any, base: type[Any]):
    gc.collect()  # a dataclass with slots is made from one without, which then has no name
    ours = {kind for kind in subclasses(base) if kind.__module__.startswith("palaver.protocol.")}
    ours = {kind for kind in ours if not getattr(kind, "host_only", False)} - BASES
    assert set(registry.values()) == ours
    assert len(registry) == len(set(registry.values()))
    for name, kind in registry.items():
        assert name == kind.name
        assert re.fullmatch(r"ack|void|[a-z]+\.[a-z_]+", name)
        assert len(name) <= 64


def test_a_name_means_one_thing_to_a_client():
    assert not EVENTS.keys() & SIGNALS.keys()
    assert not USER_EVENTS.keys() & {*EVENTS, *SIGNALS}
    connection = {"hello", "welcome", "refresh", "ping", "pong", "goodbye", "reply", "skipped"}
    assert not connection & {*EVENTS, *SIGNALS, *COMMANDS}


def test_slices_have_names_of_their_own():
    assert len({part.name for part in SLICES}) == len(SLICES)
    state = {"c", "kind", "title", "created_at", "epoch", "seq", "number", "role", "members"}
    state |= {"member_count", "unread", "last", "marks"}
    assert not state & {part.name for part in SLICES}, "keys of conversation.get"


def test_every_feature_is_listed_once():
    assert len(set(FEATURES)) == len(FEATURES)
    names = {module.__name__.rpartition(".")[2] for module in FEATURES}
    import pkgutil

    import palaver.protocol.features as package

    assert names == {module.name for module in pkgutil.iter_modules(package.__path__)}


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS.keys())
def test_no_field_of_an_event_hides_one_of_the_envelope(kind: type[EventData]):
    fields = set(kind.field_names())
    assert not ENVELOPE & fields
    if kind.is_message:
        page = {"id", "seq", "ts", "kind", "by", "number", "deleted_at", "edited_at", "version"}
        assert not (page | {"pinned", "redacted", "preview"}) & fields


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS.keys())
def test_content_that_can_be_erased_may_be_absent(kind: type[EventData]):
    """A redacted event is read back from the log, and is applied like any other."""
    for field in fields(kind):
        if field.name in kind.content - {"text"}:
            assert field.default is not MISSING


@pytest.mark.parametrize("kind", COMMANDS.values(), ids=COMMANDS.keys())
def test_every_durable_command_is_idempotent(kind: type[Command]):
    if issubclass(kind, DurableCommand):
        assert kind.writes
        assert {"client_id", "attempt"} <= kind.model_fields.keys()
    if issubclass(kind, Query):
        assert not kind.writes


@pytest.mark.parametrize("kind", COMMANDS.values(), ids=COMMANDS.keys())
def test_everything_is_frozen_and_refuses_what_it_does_not_know(kind: Any):
    assert kind.model_config["frozen"]
    assert kind.model_config["extra"] == "forbid"
    assert kind.__doc__ is None or kind.__doc__.strip()


@pytest.mark.parametrize("kind", [*EVENTS.values(), *SIGNALS.values(), *USER_EVENTS.values()])
def test_an_event_is_a_slim_record_and_refuses_what_it_does_not_know(kind: type[Payload]):
    """One is made for every message, and stays in memory with it: slots are a third of a dict."""
    assert "__slots__" in vars(kind)
    needed = {field.name for field in fields(kind) if field.default is MISSING}
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python({"unheard": "of"})
    wrong = {error["type"]: error["loc"] for error in caught.value.errors()}
    assert wrong["unexpected_keyword_argument"] == ("unheard",)
    assert len(caught.value.errors()) == 1 + len(needed)


# Everything that is said round-trips.


def said(event: Event, item: dict[str, Any]) -> EventData:
    """What a reader makes of the Push of `event`."""
    payload = {key: value for key, value in item["d"].items() if key not in ENVELOPE}
    return EVENTS[item["t"]](**payload)


@given(events())
def test_WS_08_every_event_round_trips_with_its_place(event: Event):
    for kind in CODECS:
        codec = kind()
        item = codec.decode(codec.encode(event.item()))
        assert item == event.item()
        assert said(event, item) == event.data.seen_by("")
        again = (item["c"], item["seq"], item["ts"])
        assert again == (event.conversation, event.seq, event.at)
        envelope = {key: item["d"].get(key) for key in ("id", "by", "client_id", "number")}
        assert envelope == {
            "id": event.id,
            "by": event.sender,
            "client_id": event.client_id,
            "number": event.number,
        }


@given(events())
def test_a_redacted_event_shows_no_content_and_stays_what_it_was(event: Event):
    redacted = event.redact()
    item = redacted.item()
    has_content = bool(event.data.content_fields())
    assert item["d"].get("redacted", False) == has_content
    assert not event.data.content & item["d"].keys()
    rest = {k: v for k, v in event.item()["d"].items() if k not in event.data.content}
    assert {k: v for k, v in item["d"].items() if k != "redacted"} == rest
    assert has_content or item == event.item()
    assert (redacted.seq, redacted.id, redacted.number) == (event.seq, event.id, event.number)
    assert type(redacted.data) is type(event.data)
    for name in event.data.content_fields():
        assert not getattr(redacted.data, name)
    assert redacted.redact() == redacted
    assert not event.redacted, "the event itself is as it was"


@given(events(), IDS)
def test_a_redacted_event_shows_no_preview(event: Event, id: str):
    quoted = Message(id, 1, 1, "message.sent", "ann", 0, "secret", {}, Overlay(1))
    assert event.item(quoted)["d"]["preview"] == {"by": "ann", "text": "secret"}
    assert "preview" not in event.redact().item(quoted)["d"]


@given(events())
def test_a_void_stands_where_the_event_stood_and_says_nothing_of_it(event: Event):
    void = event.voided()
    item = void.item()
    assert item["t"] == "void"
    assert item["d"].pop("of") == event.id
    assert item["d"].keys() <= {"id", "by", "number"}
    assert (void.seq, void.number, void.at) == (event.seq, event.number, event.at)
    assert void.client_id is None, "the command may be repeated"


@pytest.mark.parametrize("kind", SIGNALS.values(), ids=SIGNALS.keys())
def test_every_signal_round_trips(kind: type[SignalData]):
    @given(datas(kind))
    def check(signal: SignalData):
        item = signal.item("c1", 7)
        for codec in (kind() for kind in CODECS):
            again = codec.decode(codec.encode(item))
            assert (again["t"], again["c"], again["ts"]) == (kind.name, "c1", 7)
            assert kind(**again["d"]) == signal

    check()
