"""Asking a conversation for something in the name of a user, and waiting for the answer."""

from __future__ import annotations

from typing import Any

from ..protocol.commands import ConversationCommand
from .asker import Asker
from .environment import Environment
from .registry import Registry
from .request import Request


async def ask(
    env: Environment,
    registry: Registry,
    asker: Asker,
    conversation: str,
    command: ConversationCommand,
) -> dict[str, Any]:
    """The `ok` of its Reply, or its `Rejected`; UNAVAILABLE after `ask_timeout_s`."""
    id = asker.next_id()
    registry.tell(conversation, Request(asker, command, id, conversation))
    return await asker.outcome(id, env.limits.ask_timeout_s)
