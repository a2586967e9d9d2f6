"""Telling the product of stored events: the handler of the jobs of it.

As long as it takes them, the events of a conversation are told one after another, in order of seq.
One that it does not take is tried again later; those after it do not wait for that.
"""

from __future__ import annotations

from ..protocol.jobs import Job
from .environment import Environment
from .registry import Registry


async def tell(env: Environment, registry: Registry, job: Job) -> None:
    """Tell the event as it is now: what was deleted since, without its content."""
    webhooks = env.host.webhooks
    if webhooks is None:
        return
    conversation, seq = job.data["conversation"], job.data["seq"]
    async with webhooks.turns.turn(conversation, seq):
        page = await env.store.conversations.events(conversation, seq - 1, 1)
        for event in page.events:
            if event.id == job.data["event_id"]:
                await webhooks.tell(event)
