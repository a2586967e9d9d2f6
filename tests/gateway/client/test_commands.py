"""Every command has a method, which says what the command takes and returns what is answered."""

from __future__ import annotations

import inspect
from typing import Any, get_type_hints, is_typeddict

import pytest
from pydantic import TypeAdapter, ValidationError

from palaver.gateway.client import Outgoing, results
from palaver.gateway.client.commands import Commands
from palaver.gateway.rest.answers import ANSWERS, example
from palaver.gateway.rest.like import Perhaps
from palaver.protocol.features import COMMANDS
from palaver.tests.docs.asyncapi import OWN_ANSWERS, answer_of
from palaver.tests.docs.schemas import in_ms

ID = "0190c2a5-5d0e-7cc3-98c4-dc0c0c07398f"

BY_ITSELF = {"ack", "conversation.resume", "sync.changes"}
"""What a client says without being asked: how it follows."""

VALUES: dict[str, Any] = {
    "c": ID,
    "message": ID,
    "to": ID,
    "reply_to": ID,
    "around": ID,
    "thread": ID,
    "user": "bob",
    "users": ["bob"],
    "members": ["bob"],
    "mentions": ["bob"],
    "uploads": [ID],
    "role": "admin",
    "status": "sent",
    "filter": "unread",
    "context": {"booking": "1"},
    "metadata": {"a": 1},
    "variables": {"a": "b"},
    "emoji": "👍",
    "who_may_send": "admins",
    "who_may_add": "everyone",
    "presence": "nobody",
    "messages_from": "friends",
}


class Heard(Commands):
    """Takes down what would be said, once it was found to be sound."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []

    async def call(
        self, name: str, payload: dict[str, Any] | None = None, c: str | None = None
    ) -> dict[str, Any]:
        COMMANDS[name].model_validate(payload or {})
        self.said.append((name, payload or {}))
        return {"c": ID}

    async def enqueue_call(
        self, name: str, payload: dict[str, Any] | None = None, c: str | None = None
    ) -> Any:
        return await self.call(name, payload, c)


METHODS = {
    name: method
    for name, method in inspect.getmembers(Commands, inspect.iscoroutinefunction)
    if name not in ("call", "enqueue_call", "_ask")
}


def value(method: str, name: str, annotation: str) -> Any:
    if (method, name) == ("schedule", "message"):
        return {"text": "later"}
    if (method, name) == ("thread", "after"):
        return 3
    if name == "after" and "str" in annotation:
        return f"1 {ID}" if method == "scheduled" else "bob"
    if name in VALUES:
        return VALUES[name]
    if "bool" in annotation:
        return True
    return 3 if "int" in annotation else "some words"


async def said_by(method: str) -> list[tuple[str, dict[str, Any]]]:
    """By a method with what it must have; then with each of the others alone."""
    heard = Heard()
    given: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, parameter in inspect.signature(METHODS[method]).parameters.items():
        if name in ("self", "options"):
            continue
        needed = parameter.default is parameter.empty
        (given if needed else others)[name] = value(method, name, str(parameter.annotation))
    for extra in ({}, *({name: each} for name, each in others.items())):
        await getattr(heard, method)(**given, **extra)
    return heard.said


@pytest.mark.parametrize("method", METHODS)
async def test_what_a_method_says_is_a_command(method: str) -> None:
    assert await said_by(method)


async def test_every_command_has_a_method() -> None:
    said = {name for method in METHODS for name, _ in await said_by(method)}
    for method in ("star", "typing"):
        heard = Heard()
        await getattr(heard, method)(
            c=ID, on=False, **({"message": ID} if method == "star" else {})
        )
        said |= {name for name, _ in heard.said}
    assert COMMANDS.keys() - said == BY_ITSELF


@pytest.mark.parametrize("method", METHODS)
async def test_what_a_method_returns_is_what_the_server_answers(method: str) -> None:
    returned = get_type_hints(METHODS[method])["return"]
    if returned in (str, Outgoing):
        return
    (answer,) = {answer_of(COMMANDS[name]) for name, _ in await said_by(method)}
    assert getattr(results, answer, dict[str, Any]) == returned
    if is_typeddict(returned):
        like = {**ANSWERS, **OWN_ANSWERS}[answer]
        types, shown = get_type_hints(returned), in_ms(example(like))
        assert types.keys() == like.keys()
        for name in types:
            TypeAdapter(types[name]).validate_python(shown[name], strict=True)
        if answer != "Placed":  # some say nothing if there was nothing to do
            needed = {name for name, value in like.items() if not isinstance(value, Perhaps)}
            assert returned.__required_keys__ == needed


async def test_a_message_may_say_all_that_there_is() -> None:
    heard = Heard()
    options = {
        "reply_to": ID,
        "thread": ID,
        "type": "image",
        "metadata": {"a": 1},
        "mentions": ["bob"],
        "attachments": [{"type": "image", "url": "https://example.org/a.jpg"}],
        "uploads": [ID],
        "context": {"booking": "1"},
        "expires_in": 60,
        "client_id": "1",
    }
    await heard.send(ID, "hello", **options)  # type: ignore[arg-type]
    (_, payload), fields = heard.said[0], COMMANDS["message.send"].model_fields
    assert payload.keys() == fields.keys() - {"to", "attempt"}
    with pytest.raises(ValidationError):
        await heard.send(ID, "hello", colour="red")  # type: ignore[call-arg]
