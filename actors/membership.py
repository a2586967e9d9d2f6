"""The host says that who is in a group of its has changed: it is asked anew, at once (GRP-16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from ..protocol.errors import Rejected
from ..protocol.features.membership import SettleMembers, group_of
from ..protocol.ids import HOST, group_conversation_id
from .asker import Asker
from .conversation import Conversation
from .environment import Environment
from .host import Membership
from .registry import Registry

_BATCH: Final = 100
"""Users of whom the log is brought in line by one command."""
_AT_ONCE: Final = 16


async def membership_changed(
    group: str, users: Sequence[str], env: Environment, registry: Registry
) -> None:
    """When it returns, the log says of `users`, or if none are named of all members, what the host
    said after it was called.

    Raises FEATURE_DISABLED if the host cannot be asked at all, CONVERSATION_NOT_FOUND, or, when it
    has done what it could, UNAVAILABLE: then some of them are what they were.
    """
    membership = env.host.membership
    if membership is None:
        raise Rejected("FEATURE_DISABLED", "Nobody is asked who is in a group.")
    membership.invalidate(group, users)
    id, members = await _found(group, env, registry)
    users = list(dict.fromkeys(users)) or members
    batches = iter([users[at : at + _BATCH] for at in range(0, len(users), _BATCH)])
    failed: list[Rejected] = []

    async def settle() -> None:
        for batch in batches:  # which they share
            try:
                await _settle(id, group, batch, membership, registry)
            except Rejected as no:
                failed.append(no)

    async with trio.open_nursery() as nursery:
        for _ in range(_AT_ONCE):
            nursery.start_soon(settle)
    if failed:
        raise failed[0]


async def _settle(
    id: str, group: str, users: Sequence[str], membership: Membership, registry: Registry
) -> None:
    # The conversation looks again at what is at hand: it may be newer by then.
    pairs = [(group, user) for user in users]
    await membership.learn(pairs)
    roles = {user: membership.role(pair, None) for user, pair in zip(users, pairs, strict=True)}
    await registry.ask(Asker(HOST, 1), id, SettleMembers(roles=roles))


async def _found(group: str, env: Environment, registry: Registry) -> tuple[str, list[str]]:
    """The conversation of `group`, and who is in it."""

    def members(conversation: Conversation) -> list[str]:
        state = conversation.state
        if state.kind != "external_group" or group_of(state) != group:
            raise Rejected("CONVERSATION_NOT_FOUND")
        return state.current_members()

    try:
        id = group_conversation_id(env.policy.profile, HOST, group)
        return id, await registry.visit(id, members)
    except Rejected as no:
        if no.code != "CONVERSATION_NOT_FOUND":
            raise
        return group, await registry.visit(group, members)
