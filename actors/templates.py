"""Templates: listed, and sent in the name of a user (MSG-30)."""

from __future__ import annotations

from typing import Any

from ..protocol.errors import invalid
from ..protocol.features.templates import SendTemplate
from ..protocol.policy import Policy
from ..protocol.roles import require_member
from ..protocol.template import variables
from .asker import Asker
from .environment import Environment
from .outbox import Outbox
from .registry import Registry


def templates(policy: Policy) -> dict[str, Any]:
    """What `template.list` answers."""
    found = sorted(policy.templates.items())
    return {
        "templates": [
            {"name": name, "text": text, "variables": variables(text)} for name, text in found
        ]
    }


async def send_template(
    command: SendTemplate,
    conversation: str | None,
    box: Outbox,
    env: Environment,
    registry: Registry,
) -> dict[str, Any]:
    """Where the message stands. Raises the `Rejected` of sending it."""
    if conversation is None:
        raise invalid("c", "the conversation is missing")
    user = box.user
    await registry.visit(conversation, lambda visited: require_member(visited.state, user))
    asker = Asker(user, 1, role=box.role, session=box.session, limited=box.limited)
    return await registry.ask(asker, conversation, command.message(env.policy))
