"""The host says that who is in a group of its has changed: it is asked anew, at once (GRP-16)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import trio

from ..protocol.errors import Rejected
from ..protocol.features.membership import SettleMembers, group_of
from ..protocol.ids import HOST, group_conversation_id
from ..protocol.roles import Role
from .asker import Asker
from .conversation import Conversation
from .environment import Environment
from .registry import Registry

_QUESTIONS: Final = 4
"""At a time: the host has others to answer, too."""
_ASKED: Final = 100
"""Users in one question."""
_SETTLED: Final = 8
"""Users by one command: each may be an event to all members, and others want to get in between."""


async def membership_changed(
    group: str, users: Collection[str], env: Environment, registry: Registry
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
    id, was = await _found(group, env, registry)
    batches = iter(_parts(list(dict.fromkeys(users or was)), _ASKED))
    failed: list[Rejected] = []

    async def settle(users: list[str]) -> None:
        await membership.learn([(group, user) for user in users])
        said = {user: membership.role((group, user), None) for user in users}
        for part in _parts([user for user in users if said[user] != was.get(user)], _SETTLED):
            # The conversation looks again at what is at hand: it may be newer by then.
            command = SettleMembers(roles={user: said[user] for user in part})
            await registry.ask(Asker(HOST, 1), id, command)

    async def work() -> None:
        for batch in batches:  # which they share
            try:
                await settle(batch)
            except Rejected as no:
                failed.append(no)

    async with trio.open_nursery() as nursery:
        for _ in range(_QUESTIONS):
            nursery.start_soon(work)
    if failed:
        raise failed[0]


def _parts(users: list[str], size: int) -> list[list[str]]:
    return [users[at : at + size] for at in range(0, len(users), size)]


async def _found(
    group: str, env: Environment, registry: Registry
) -> tuple[str, dict[str, Role | None]]:
    """The conversation of `group`, and what its members are."""

    def members(conversation: Conversation) -> dict[str, Role | None]:
        state = conversation.state
        if state.kind != "external_group" or group_of(state) != group:
            raise Rejected("CONVERSATION_NOT_FOUND")
        return {user: state.members[user].role for user in state.current_members()}

    try:
        id = group_conversation_id(env.policy.profile, HOST, group)
        return id, await registry.visit(id, members)
    except Rejected as no:
        if no.code != "CONVERSATION_NOT_FOUND":
            raise
        return group, await registry.visit(group, members)
