"""One line of the table: a method and a path, and the command that is asked for by them.

What an endpoint takes is the payload of its command (docs/protocol.md), wherever a field of it
comes from: the path, the query string (GET and DELETE) or the body. It adds no rule of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...protocol.commands import Command
from ...protocol.errors import invalid

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

CONVERSATION = "conversation"
"""In a path, or beside the payload in the body: `c` of the item."""
MESSAGE = "message_id"
"""In a path without a conversation it also says which conversation."""


@dataclass(frozen=True)
class Endpoint:
    """`path` is below /v1. Of several `commands` one has all the fields that are given; or the
    parameter of the name in `choice` says which, without it the first.

    `fixed` are fields that the path stands for. `only`: of the fields just these. `needs`: the
    conversation is named beside the payload, since the path does not. `makes`: what is new then and
    is told whole, with 201 (REST-03). `answers`: the schema of the answer (`answers.py`).
    """

    method: Method
    path: str
    id: str
    summary: str
    commands: tuple[type[Command], ...]
    answers: str
    status: int = 200
    choice: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    only: Sequence[str] | None = None
    needs: bool = False
    makes: Literal["conversation", "message"] | None = None

    @property
    def in_query(self) -> bool:
        """Whether fields come from the query string, not from a body."""
        return self.method in ("GET", "DELETE")

    @property
    def takes_key(self) -> bool:
        """Whether an Idempotency-Key says anything to it."""
        return any("client_id" in each.model_fields for each in self.commands)

    @property
    def placeholders(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)(?::\w+)?}", self.path))

    @property
    def shown_path(self) -> str:
        """As it is written for people."""
        return re.sub(r":\w+}", "}", f"/v1{self.path}")

    def fields(self, command: type[Command]) -> tuple[str, ...]:
        """Of `command`, those that come from the query string or the body."""
        taken = {*self.placeholders, *self.fixed}
        if self.in_query:
            taken.add("client_id")  # it is the Idempotency-Key, which belongs into no URL
        if MESSAGE in taken and MESSAGE not in command.model_fields:
            taken.add("message_ids")
        names = command.model_fields if self.only is None else self.only
        return tuple(name for name in names if name not in taken)

    def chosen(self, given: dict[str, Any]) -> type[Command]:
        """The command that `given` is for; without the choice then."""
        if self.choice:
            name, *values = self.choice
            value = given.pop(name, values[0])
            if value not in values:
                raise invalid(name, f"must be one of {', '.join(values)}")
            return self.commands[values.index(value)]
        if len(self.commands) == 1:
            return self.commands[0]
        names = [name for name in given if name not in ("client_id", "attempt")]
        for command in self.commands:
            if names and names[0] in self.fields(command):
                return command
        raise invalid(
            names[0] if names else "d",
            f"give something of {', '.join(n for c in self.commands for n in self.fields(c))}",
        )

    def payload(
        self, command: type[Command], path: Mapping[str, str], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Of the item, from all that was given. VALIDATION_FAILED for what has no place here."""
        allowed = {*self.fields(command), "client_id"} & command.model_fields.keys()
        for name in given:
            if name not in allowed:
                raise invalid(name, "not here")
        payload = {**given, **self.fixed}
        for name, value in path.items():
            if name in command.model_fields:
                payload[name] = value
            elif name == MESSAGE:
                payload["message_ids"] = [value]
        return payload
