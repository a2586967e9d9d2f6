"""Telling the host of messages for members who are away (SEND-13): the handlers of its jobs.

Away is who has no connection to this process, and has not said that the message arrived. It is
looked at when the message is stored, and again each time before the host is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..protocol.delivery import notice
from ..protocol.jobs import Job
from ..protocol.message import Message
from ..protocol.records import Messages
from .conversation import Conversation
from .environment import Environment
from .host import Notice
from .hub import Hub
from .registry import Registry

BATCH = 200
"""Users in one statement."""

T = TypeVar("T")


async def deliver(env: Environment, registry: Registry, job: Job) -> None:
    """Find who is away, and add a job for each; those that are there already change nothing."""
    if env.host.delivery is None:
        return
    most = env.limits.delivery_members

    def find(visited: Conversation, message: Message) -> tuple[str | None, list[str]]:
        return message.by, _away(visited, message, env.hub, most)

    found = await _look(env, registry, job, find)
    if found is None:
        return
    sender, away = found
    conversation, now = job.data["conversation"], env.clock()
    for start in range(0, len(away), BATCH):
        users = away[start : start + BATCH]
        quiet = await env.store.user_logs.undisturbed(users, conversation, sender, now)
        told = [user for user in users if user not in quiet]
        await env.store.jobs.add(
            [notice(job, user, now, first=env.is_first(user)) for user in told]
        )
        env.bell.ring(now)


async def notify(env: Environment, registry: Registry, job: Job) -> None:
    """Tell the host, unless the user has come meanwhile, or has gone, or so has the message."""
    if env.host.delivery is None:
        return
    user = job.data["user"]

    def show(visited: Conversation, message: Message) -> Notice | None:
        if not _misses(visited, user, message, env.hub):
            return None
        return Notice(job.id, user, visited.id, message.wire(user=user))

    missed = await _look(env, registry, job, show)
    if missed is not None:
        await env.host.delivery.deliver(missed)


def _away(visited: Conversation, message: Message, hub: Hub, most: int) -> list[str]:
    """The members who miss `message`; of more than `most`, those whom it mentions."""
    users = visited.state.current_members()
    if len(users) > most:
        users = message.current("mentions") or []
    return [user for user in users if _misses(visited, user, message, hub)]


def _misses(visited: Conversation, user: str, message: Message, hub: Hub) -> bool:
    """Whether `message` is there for `user`, is not their own, and has not arrived. Who keeps the
    other one out, or has not accepted their request, misses nothing (REQ-04)."""
    state = visited.state
    member = state.members.get(user)
    return (
        member is not None
        and member.role is not None
        and member.delivered_seq < message.seq
        and user != message.by
        and user not in state.aloof
        and state.may_see(user, message)
        and not hub.reaches(user)
    )


async def _look(
    env: Environment, registry: Registry, job: Job, at: Callable[[Conversation, Message], T]
) -> T | None:
    """What there is to see `at` the message of `job`, in its conversation; None if it is gone."""
    conversation, id = job.data["conversation"], job.data["message_id"]
    read: Messages | None = None
    found: list[T] = []

    def look(visited: Conversation) -> bool:
        ring = visited.resident.ring
        message = ring.message(id)
        if message is None and read is not None:
            ring.overlay(read.messages, read.as_of)
            message = next(iter(read.messages), None)
        if message is not None and not message.deleted:
            found.append(at(visited, message))
        return message is not None

    if not await registry.visit(conversation, look):
        read = await env.store.conversations.messages(conversation, [id])
        await registry.visit(conversation, look)
    return found[0] if found else None
