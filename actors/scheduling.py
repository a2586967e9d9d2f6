"""Messages for later (MSG-23): looked at when they are scheduled, and again when they are sent."""

from __future__ import annotations

from typing import Any

from ..protocol.errors import Rejected, invalid
from ..protocol.features.schedule import (
    SEND,
    STATES,
    FailScheduled,
    ListScheduled,
    ScheduleMessage,
    SendScheduled,
    listed,
)
from ..protocol.ids import scheduled_id
from ..protocol.jobs import Job
from ..protocol.paging import page_size
from .asker import Asker
from .environment import Environment
from .outbox import Outbox
from .registry import Registry
from .request import Request


async def try_message(
    command: ScheduleMessage,
    conversation: str | None,
    box: Outbox,
    env: Environment,
    registry: Registry,
) -> None:
    """Raises the `Rejected` of sending it now, so that few are met later by nobody; or that of one
    that is too many."""
    if conversation is None:
        raise invalid("c", "the conversation is missing")
    asker = Asker(box.user, 1, role=box.role, session=box.session, limited=box.limited)
    await registry.ask(asker, conversation, command.trial)
    job, most = scheduled_id(box.user, command.id), env.policy.max_scheduled
    if await env.store.jobs.ahead(box.user, SEND, env.clock(), besides=job) >= most:
        raise Rejected(
            "VALIDATION_FAILED",
            "Too many scheduled messages; cancel one first.",
            details={"field": "id", "max_scheduled": most},
        )


async def scheduled(query: ListScheduled, user: str, env: Environment) -> dict[str, Any]:
    limit = page_size(query.limit, env.policy.messages_page, env.policy.max_messages_page)
    after = None
    if query.after is not None:
        due, id = query.after.split()
        after = int(due), id
    states = [STATES[query.status]]
    found = await env.store.jobs.owned(user, SEND, states, limit + 1, after)
    page = found[:limit]
    more = len(found) > limit
    return {
        "scheduled": [listed(job) for job in page],
        "next": f"{page[-1].due} {page[-1].id}" if more else None,
    }


async def send_scheduled(env: Environment, registry: Registry, job: Job) -> None:
    """The handler of the job. The job's id is the client id, so the log takes the message once;
    from the second try on it is asked first."""
    assert job.owner is not None
    if env.gate is not None:
        await env.gate.admit(job.owner)
    message = {**job.data["message"], "client_id": job.id, "attempt": job.attempts}
    command = SendScheduled.model_validate(message)
    asker = Asker(job.owner, 1)
    await registry.ask(asker, job.data["conversation"], command)


async def tell_author(env: Environment, registry: Registry, job: Job) -> None:
    """The job was given up: its author learns of it, on all devices."""
    assert job.owner is not None
    assert job.error is not None
    command = FailScheduled(
        id=job.data["id"],
        job=job.id,
        conversation=job.data["conversation"],
        error=job.error.partition(" ")[0],
    )
    asker = Asker(job.owner, 1)
    id = asker.next_id()
    env.hub.session_of(job.owner).submit(Request(asker, command, id))
    await asker.outcome(id, env.limits.ask_timeout_s)
