"""Forwarding a message: from one conversation to another, led by the session of who forwards.

First the origin says what the copy holds, or that it may not be made; then the copy is sent; then
the origin counts it. What fails before the copy is sent leaves nothing behind. What fails after it
leaves a copy that is not counted yet, and an answer that says to repeat; the repetition finds the
copy by its client id, and counts it once.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ..protocol.errors import Rejected, invalid
from ..protocol.features.forwards import CountForward, ForwardMessage, ReadForward, SendCopy
from ..protocol.ids import forward_count_id
from .asker import Asker
from .asking import ask
from .environment import Environment
from .outbox import Outbox
from .registry import Registry
from .replies import event_result


async def forward(
    command: ForwardMessage, origin: str | None, box: Outbox, env: Environment, registry: Registry
) -> dict[str, Any]:
    """Where the copy stands. Raises the `Rejected` of either conversation."""
    if origin is None:
        raise invalid("c", "the conversation is missing")
    asker = Asker(box.user, 1, role=box.role, session=box.session, limited=box.limited)
    ask_of = partial(ask, env, registry, asker)
    target, client_id, attempt = command.to, command.client_id, command.attempt
    first = None
    if client_id is not None and attempt > 1:
        first = await env.store.conversations.find(target, box.user, client_id)
    if first is not None:
        sent = event_result(first)
    else:
        copy = await ask_of(origin, ReadForward(message_id=command.message_id))
        sent = await ask_of(target, SendCopy(client_id=client_id, attempt=attempt, **copy))
    count_id = None if client_id is None else forward_count_id(client_id)
    count = CountForward(message_id=command.message_id, client_id=count_id, attempt=attempt)
    try:
        await ask_of(origin, count)
    except Rejected as no:
        # Otherwise it will never be counted: the message is gone, or its reader is.
        if no.retryable and client_id is not None:
            raise
    return sent
