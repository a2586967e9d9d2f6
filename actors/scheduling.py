"""Messages for later (MSG-23): looked at when they are scheduled, and again when they are sent."""

from __future__ import annotations

from typing import Any

from ..protocol.errors import invalid
from ..protocol.features.schedule import (
    SEND,
    STATES,
    ListScheduled,
    ScheduleMessage,
    SendScheduled,
    listed,
)
from ..protocol.jobs import Job
from ..protocol.paging import page_size
from .asker import Asker
from .environment import Environment
from .outbox import Outbox
from .registry import Registry


async def try_message(
    command: ScheduleMessage, conversation: str | None, box: Outbox, registry: Registry
) -> None:
    """Raises the `Rejected` of sending it now, so that few are met later by nobody."""
    if conversation is None:
        raise invalid("c", "the conversation is missing")
    asker = Asker(box.user, 1, role=box.role, session=box.session, limited=box.limited)
    await registry.ask(asker, conversation, command.trial)


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
