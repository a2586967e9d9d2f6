"""docs/asyncapi.yaml: the socket as AsyncAPI 3.0, made from the models.

`make asyncapi` writes it, and docs/socket.md from it; a test says if they are not current. What is
answered is described where the endpoints of REST describe it (`gateway/rest/answers.py`), but with
times in milliseconds.

What the server sends is described open: a client ignores fields that it does not know. The tests
hold the server to exactly what stands here (tests/support/described.py).
"""

from __future__ import annotations

import json
import re
from inspect import cleandoc
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from palaver import __version__
from palaver.gateway.hello import Hello, Refresh
from palaver.gateway.rest.answers import (
    ANSWERS,
    CONVERSATION_ID,
    MESSAGE_ID,
    example,
    schema,
)
from palaver.gateway.rest.like import Maybe, Perhaps, Time
from palaver.gateway.rest.routes import ENDPOINTS
from palaver.protocol.codec import CODECS
from palaver.protocol.commands import Command, ConversationCommand, DurableCommand, UserCommand
from palaver.protocol.disconnects import DISCONNECTS
from palaver.protocol.errors import ERRORS
from palaver.protocol.events import EventData, Payload, Void
from palaver.protocol.features import COMMANDS, EVENTS, SIGNALS, USER_EVENTS
from palaver.protocol.frames import MAX_ITEMS, VERSION
from palaver.tests.docs import socket_page
from palaver.tests.docs.schemas import (
    CONVERSATION,
    ID,
    SEQ,
    TEXT,
    TIME,
    WHOLE,
    in_ms,
    item,
    message,
    of_command,
    of_payload,
    record,
    ref,
    references,
)

DOCS: Final = Path(__file__).parents[2] / "docs"
FILE: Final = DOCS / "asyncapi.yaml"

ABOUT: Final = """\
Everything that a client and the server say to one another over the WebSocket; in words:
docs/protocol.md. One WebSocket message is a frame: one item, or an array of items. Each message
below is an item. Unknown keys of an item are to be ignored by both sides; unknown keys of a
command's payload are refused, those of what the server sends are to be ignored, and so is an item
of an unknown kind. Times are in milliseconds since 1970-01-01 UTC.
"""


# What the socket answers otherwise than REST, which tells more of what is new, or less.
_PLACE = {"c": CONVERSATION_ID, "seq": 42, "id": MESSAGE_ID, "ts": Time()}
OWN_ANSWERS: Final[dict[str, Any]] = {
    "Placed": {name: Perhaps(value) for name, value in {**_PLACE, "durable": False}.items()},
    "Recovery": {
        "recovered": True,
        "epoch": 1,
        "seq": 57,
        "marks": Perhaps(
            {
                "n": 12,
                "moved": [{"user": "bob", "read": Perhaps(55), "delivered": Perhaps(57)}],
            }
        ),
        "reason": Perhaps(Maybe("diverged")),
        "reload_after": Perhaps(Maybe(40)),
    },
    "Moved": {"seq": 42, "at": Maybe(Time()), "unread": 0, "durable": Perhaps(False)},
    "Nothing": {"durable": Perhaps(False)},
}
_ALREADY_REST = {"NewMessage": "Placed", "NewConversation": "Placed", "Changed": "Placed"}
_ALREADY_REST |= {"Resumed": "Recovery", "ReadMark": "Moved"}


def answer_of(command: type[Command]) -> str:
    """The name of the schema of what `ok` holds."""
    if issubclass(command, DurableCommand):
        return "Placed"
    if issubclass(command, UserCommand):
        return "Own"
    for endpoint in ENDPOINTS:
        if command in endpoint.commands:
            return _ALREADY_REST.get(endpoint.answers, endpoint.answers)
    return "Nothing"


def document() -> dict[str, Any]:
    """The whole, as JSON would have it."""
    schemas: dict[str, Any] = {}
    asked = {**_connection_asks(schemas), **_commands(schemas)}
    told = {**_connection_tells(), **_replies(schemas), **_pushes(schemas)}
    schemas["Error"] = _error()
    told["error"] = message(
        "error",
        "The Reply to a command that was not carried out; without `id` it is about the connection",
        item("reply", id=ID, c=CONVERSATION, error=ref("Error"), required=("error",)),
    )
    for names, whose in ((asked, "clientFrame"), (told, "serverFrame")):
        names[whose] = message(
            whose,
            "Several items in one WebSocket message, handled in order",
            {
                "type": "array",
                "maxItems": MAX_ITEMS,
                "items": {"type": "object", "required": ["t"], "properties": {"t": TEXT}},
            },
        )
    messages = {**asked, **told}
    _examples(messages)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "palaver",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "development": {
                "host": "127.0.0.1:8765",
                "protocol": "ws",
                "description": "What `make serve` starts",
            }
        },
        "channels": {
            "socket": {
                "address": "/v1/ws",
                "description": "One connection of one user, for all of their conversations",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
                "x-subprotocols": [codec.subprotocol for codec in CODECS],
                "x-close-codes": [
                    {"code": each.code, "reason": each.reason, "reconnect": each.reconnect}
                    for each in DISCONNECTS
                ],
            }
        },
        "operations": _operations(asked, told),
        "components": {
            "messages": {
                name: {key: value for key, value in each.items() if not key.startswith("_")}
                for name, each in messages.items()
            },
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _operations(asked: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    here = {"$ref": "#/channels/socket"}

    def of(*names: str) -> list[dict[str, str]]:
        return [{"$ref": f"#/channels/socket/messages/{name}"} for name in names]

    operations: dict[str, Any] = {}
    for name, each in asked.items():
        operations[name] = {"action": "receive", "channel": here, "messages": of(name)}
        if answers := each.get("_answers"):
            operations[name]["reply"] = {"channel": here, "messages": of(*answers)}
    pushes = [name for name, each in told.items() if "_push" in each]
    operations["push"] = {"action": "send", "channel": here, "messages": of(*pushes)}
    return operations


# ---- What clients say -------------------------------------------------------


def _connection_asks(schemas: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for kind, answer in ((Hello, "welcome"), (Refresh, "refresh.reply")):
        schemas[kind.__name__] = of_command(kind, schemas)
        more = {"v": {"type": "integer", "const": VERSION}} if kind is Hello else {}
        name = kind.__name__.lower()
        shape = item(name, id=ID, **more, d=ref(kind.__name__), required=("d",))
        said[name] = message(name, cleandoc(kind.__doc__ or ""), shape)
        said[name]["_answers"] = (answer, "error")
    for name, summary in (
        ("ping", "Is answered by `pong`, for programs that cannot see pings of WebSocket"),
        ("goodbye", "Ends the connection, after what is still unanswered"),
    ):
        said[name] = message(name, summary, item(name, id=ID))
    said["ping"]["_answers"] = ("pong",)
    return said


def _commands(schemas: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, command in COMMANDS.items():
        schemas[name] = of_command(command, schemas)
        payload = schemas[name]
        required = ["d"] if payload.get("required") else []
        here = issubclass(command, ConversationCommand) and not command.opens
        if here or (issubclass(command, UserCommand) and command.in_conversation):
            required.append("c")
        keys = {"c": CONVERSATION, "d": ref(name)}
        if name == "ack":  # the one whose fields are those of the item
            keys = {"c": CONVERSATION, "seq": SEQ}
            required = ["c", "seq"]
        shape = item(name, id=ID, **keys, required=tuple(required))
        said[name] = message(name, cleandoc(command.__doc__ or ""), shape)
        if name != "ack":
            said[name]["_answers"] = (f"{name}.reply", "error")
    return said


# ---- What the server says ---------------------------------------------------


def _connection_tells() -> dict[str, Any]:
    welcome = record(
        {
            "user": TEXT,
            "connection": TEXT,
            "ttl": {"type": ["number", "null"], "description": "Seconds"},
            "heartbeat": {"type": "number", "description": "Seconds between pings"},
            "durability": {"enum": ["commit", "write_behind", "relaxed"]},
            "durable": {"type": "boolean"},
            "max_frame": {"type": "integer", "description": "Bytes"},
            "server": TEXT,
        }
    )
    goodbye = record({"reconnect_after": {"type": "number", "description": "Seconds"}})
    skipped = record({"from": SEQ})
    told = {
        "welcome": message(
            "welcome",
            "One is signed in",
            item("welcome", id=ID, v=WHOLE, ts=TIME, d=welcome, required=("v", "ts", "d")),
        ),
        "pong": message("pong", "The answer to `ping`", item("pong", id=ID)),
        "refresh.reply": _reply("refresh", record({"ttl": {"type": ["number", "null"]}})),
        "server.goodbye": message(
            "goodbye",
            "The server is about to close; come back after so many seconds",
            item("goodbye", d=goodbye, required=("d",)),
        ),
        "skipped": message(
            "skipped",
            "Stands for the events from `from` to `seq`, which this user may not see",
            item("skipped", c=CONVERSATION, seq=SEQ, d=skipped, required=("c", "seq", "d")),
        ),
    }
    for name in ("server.goodbye", "skipped"):
        told[name]["_push"] = True
    return told


def _reply(name: str, ok: dict[str, Any]) -> dict[str, Any]:
    shape = item("reply", id=ID, c=CONVERSATION, ok=ok, required=("id", "ok"))
    return message(f"{name}.reply", f"`{name}` was carried out", shape)


def _replies(schemas: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    answers = {**ANSWERS, **OWN_ANSWERS}
    for name, command in COMMANDS.items():
        if name == "ack":
            continue
        answer = answer_of(command)
        told[f"{name}.reply"] = _reply(name, ref(answer))
        shown = {"t": "reply", "id": 7, "ok": in_ms(example(answers[answer]))}
        told[f"{name}.reply"]["examples"] = [{"payload": shown}]
    used = {answer_of(command) for command in COMMANDS.values()}
    while used:
        answer = used.pop()
        schemas[answer] = {"type": "object", **in_ms(schema(answers[answer]))}
        used |= {name for name in references(schemas[answer]) if name not in schemas}
    return told


def _pushes(schemas: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}

    def tell(kind: type[Payload], payload: dict[str, Any], *required: str, **keys: Any) -> None:
        name = push_name(kind.name)
        schemas[name] = payload
        shape = item(kind.name, ts=TIME, d=ref(name), **keys, required=("ts", "d", *required))
        told[name] = {**message(kind.name, cleandoc(kind.__doc__ or ""), shape), "_push": True}

    for event in EVENTS.values():
        tell(event, _event(event, schemas), "c", "seq", c=CONVERSATION, seq=SEQ)
    for signal in SIGNALS.values():
        tell(signal, of_payload(signal, schemas), c=CONVERSATION)
    for private in USER_EVENTS.values():
        tell(private, of_payload(private, schemas), "n", n=SEQ)
    return told


def push_name(kind: str) -> str:
    """Of the message that tells of a `kind`: a command may be called the same."""
    return f"{kind}.push" if kind in COMMANDS else kind


def _event(kind: type[EventData], schemas: dict[str, Any]) -> dict[str, Any]:
    made = of_payload(kind, schemas)
    own = made["properties"]
    properties = {"id": TEXT, "by": TEXT, "client_id": TEXT}
    if kind.countable or kind is Void:
        properties["number"] = SEQ
    content = kind.content.intersection(own)
    if content:
        properties["redacted"] = {"const": True, "description": "Its content is gone"}
    if kind.countable:
        properties["preview"] = ref("Preview")
        schemas["Preview"] = {
            "type": "object",
            "description": "Of the message that is replied to",
            "properties": {
                "by": TEXT,
                "text": TEXT,
                "type": TEXT,
                "attachments": {"type": "array", "items": TEXT},
                "unavailable": {"const": True},
            },
        }
    made["properties"] = {**properties, **own}
    made["required"] = ["id", *(name for name in made.get("required", ()) if name not in content)]
    return made


def _error() -> dict[str, Any]:
    made = record(
        {
            "code": {"enum": list(ERRORS)},
            "message": {"type": "string", "description": "A sentence for developers"},
            "retryable": {"type": "boolean"},
            "retry_after": {"type": "number", "description": "Seconds"},
            "details": {"type": "object"},
            "correlation": {"type": "string", "description": "What to tell the operator"},
        },
        "code",
        "message",
        "retryable",
    )
    made["x-errors"] = {
        code: {"http": kind.http, "retryable": kind.retryable, "sentence": kind.sentence}
        for code, kind in ERRORS.items()
    }
    return made


def _examples(messages: dict[str, Any]) -> None:
    """Those of docs/protocol.md, with ids in full."""
    page = (DOCS / "protocol.md").read_text()
    for block in re.findall(r"```json\n(.*?)```", page, re.S):
        value = json.loads(block.replace("8a3f…", CONVERSATION_ID).replace("0193…", MESSAGE_ID))
        for shown in value if isinstance(value, list) else [value]:
            if (about := messages.get(shown.get("t"))) is not None:
                about.setdefault("examples", []).append({"payload": shown})


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> Any:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def written() -> str:
    head = "# Made by `make asyncapi` from the models of palaver/protocol; not to be edited.\n"
    return head + str(
        yaml.dump(document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    )


if __name__ == "__main__":
    FILE.write_text(written())
    socket_page.PAGE.write_text(socket_page.page(document()))
