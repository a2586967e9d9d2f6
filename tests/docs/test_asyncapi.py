"""docs/asyncapi.yaml and docs/socket.md are current, and whole."""

import re

from jsonschema_rs import Draft7Validator

from palaver.protocol.features import COMMANDS, EVENTS, SIGNALS, USER_EVENTS
from palaver.tests.docs.asyncapi import FILE, document, push_name, written
from palaver.tests.docs.schemas import references, whole
from palaver.tests.docs.socket_page import PAGE, page
from palaver.tests.support.described import PROBLEMS, Listener

DOCUMENT = document()
MESSAGES = DOCUMENT["components"]["messages"]
SCHEMAS = DOCUMENT["components"]["schemas"]


def test_it_is_current():
    assert FILE.read_text() == written(), "run `make asyncapi`"
    assert PAGE.read_text() == page(DOCUMENT), "run `make asyncapi`"


def test_every_command_with_its_reply_event_and_signal_is_there():
    assert {*COMMANDS, *EVENTS} <= MESSAGES.keys()
    assert {push_name(name) for name in (*SIGNALS, *USER_EVENTS)} <= MESSAGES.keys()
    assert {f"{name}.reply" for name in COMMANDS if name != "ack"} <= MESSAGES.keys()


def test_what_it_refers_to_is_there():
    for reference in set(references(DOCUMENT)):
        place = DOCUMENT
        path = reference[2:] if reference[0] == "#" else f"components/schemas/{reference}"
        for name in path.split("/"):
            place = place[name]


def test_its_examples_are_what_it_describes():
    for name, message in MESSAGES.items():
        validator = Draft7Validator(whole(message["payload"], SCHEMAS))
        for example in message.get("examples", ()):
            problems = [str(each) for each in validator.iter_errors(example["payload"])]
            assert not problems, name


def test_names_are_what_the_format_allows():
    for name in (*MESSAGES, *SCHEMAS):
        assert re.fullmatch(r"[\w.-]+", name)


def test_what_it_does_not_describe_fails_the_test_that_saw_it():
    listener = Listener()
    listener.asks(1, "conversation.list")
    goodbye = {"t": "goodbye", "d": {"reconnect_after": 1.5}}
    listener.hears(goodbye)
    assert not PROBLEMS
    for item in (
        {"t": "nobody.knows"},
        {**goodbye, "more": 1},
        {"t": "goodbye", "d": {"reconnect_after": "soon"}},
        {"t": "reply", "id": 1, "ok": {"conversations": []}},
        {"t": "reply", "id": 1, "error": {"code": "NO"}},
    ):
        listener.hears(item)
        assert len(PROBLEMS) == 1, item
        PROBLEMS.clear()
