"""The bounds of the actors, as the settings say."""

from __future__ import annotations

from ..actors.environment import Limits
from ..actors.jobs import JobLimits
from ..actors.supervisor import Limits as CrashLimits
from .settings import Settings


def limits(settings: Settings) -> Limits:
    actors, jobs = settings.actors, settings.jobs
    return Limits(
        mailbox=actors.mailbox,
        slice=actors.slice,
        ring=actors.ring,
        resume_limit=actors.resume_limit,
        waiting_per_sender=actors.waiting_per_sender,
        idle_s=actors.idle_s,
        snapshot_every=actors.snapshot_every,
        ask_timeout_s=actors.ask_timeout_s,
        presence_grace_s=actors.presence_grace_s,
        unread_flush_s=actors.unread_flush_s,
        session_queries=actors.session_queries,
        reader_queue=actors.reader_queue,
        pending_asks=actors.pending_asks,
        max_connections_per_user=settings.connections.max_per_user,
        requests_per_min=settings.limits.requests_per_min,
        messages_per_min=settings.limits.messages_per_min,
        connects_per_min=settings.limits.connects_per_min,
        messages_to_strangers_per_h=settings.limits.messages_to_strangers_per_h,
        new_conversations_per_day=settings.limits.new_conversations_per_day,
        delivery_members=settings.host.delivery_members,
        loads=actors.loads,
        waiting_loads=actors.waiting_loads,
        crashes=CrashLimits(actors.max_crashes, actors.crash_window_s, actors.quarantine_s),
        jobs=JobLimits(jobs.concurrency, jobs.tries, jobs.backoff_s, jobs.lease_s, jobs.poll_s),
    )
