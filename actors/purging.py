"""The jobs that make messages disappear: first for everybody who looks, then from the disk."""

from __future__ import annotations

from ..protocol.features.expiry import ExpireMessage
from ..protocol.ids import HOST
from ..protocol.jobs import Job
from .asker import Asker
from .environment import Environment
from .registry import Registry


async def expire(env: Environment, registry: Registry, job: Job) -> None:
    """The message's time is over (MSG-24). Done again it finds the message gone."""
    command = ExpireMessage(message_id=job.data["message_id"])
    await registry.ask(Asker(HOST, 1), job.data["conversation"], command)


async def purge(env: Environment, registry: Registry, job: Job) -> None:
    """Take the content out of whatever is stored of the message, unless it was restored meanwhile
    (MSG-12, PRIV-11). First everything that was ever said of it has to be stored."""
    conversation, message = job.data["conversation"], job.data["message_id"]
    await env.store.journal.settled(conversation)
    await env.store.contents.erase(conversation, message, job.data["deleted_at"])
