"""Letting go of a thing that the host says is gone, wherever it is referred to (CONV-05).

Its session leads, since conversations never ask each other; each changes what is its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from ..protocol.features.references import CONTEXT, DropHere, DropReference
from ..protocol.ids import HOST
from ..protocol.references import Reference, refers, the_one
from .asker import Asker
from .conversation import Conversation
from .environment import Environment
from .registry import Registry

_AT_ONCE: Final = 100
"""References that are read, or dropped by one conversation, at a time."""


async def drop_reference(
    command: DropReference, env: Environment, registry: Registry
) -> dict[str, Any]:
    """Raises the `Rejected` of the first conversation that cannot; repeated, it goes on there."""
    gone = the_one(command.context)
    asker = Asker(HOST, 1)

    async def drop(conversation: str, messages: Iterable[str]) -> None:
        here = DropHere(context=command.context, messages=tuple(messages))
        await registry.ask(asker, conversation, here)

    # What is not stored yet is looked at first: what gets stored meanwhile is found by the query.
    for id in list(env.store.journal.pending()):
        if registry.resident(id) is not None:
            messages = await registry.visit(id, lambda c: _unstored(c, gone))
            if messages is not None:
                await drop(id, messages)
    after = None
    while found := await env.store.searches.referring(gone, _AT_ONCE, after):
        for id, each in groupby(found, lambda place: place.conversation):
            await drop(id, (place.message for place in each if place.message is not None))
        after = found[-1].conversation, found[-1].seq
    return {}


def _unstored(conversation: Conversation, to: Reference) -> list[str] | None:
    """Messages on their way to the store that refer to `to`; None if nothing here does."""
    resident = conversation.resident
    recent = resident.ring.recent_messages(resident.stored)
    found = [each.id for each in recent if refers(each.current("context"), to)]
    return found if found or refers(CONTEXT.of(resident.state), to) else None
