"""Stored events of which the product is told, whoever is away or not: the jobs of it."""

from __future__ import annotations

from typing import Final

from .ids import job_id
from .jobs import NORMAL, Job

WEBHOOK: Final = "webhook"
"""The kind of the job that tells the product of one event."""


def webhook(conversation: str, event: str, seq: int, at: int) -> Job:
    """That the product is to be told of the event at `seq`, which happened `at` that time (ms)."""
    data = {"conversation": conversation, "event_id": event, "seq": seq}
    return Job(job_id(WEBHOOK, event), WEBHOOK, at, data, NORMAL)
