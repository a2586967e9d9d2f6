"""What the host is told of, for users who are away: the jobs of it (SEND-13).

With a message goes one job, whatever its conversation has of members. When it is done it finds who
is away, and adds a job for each of them, which tells the host.
"""

from __future__ import annotations

from typing import Final

from .ids import job_id, notice_id
from .jobs import LOW, NORMAL, Job

DELIVER: Final = "message.deliver"
"""The kind of the job that finds who is away."""
NOTIFY: Final = "message.notify"
"""The kind of the job that tells the host of one message for one user."""


def delivery(conversation: str, message: str, at: int) -> Job:
    """What is to be done about `message`, sent `at` that time (ms). Before it is done nobody knows
    whose turn it is, so it goes before what is LOW."""
    data = {"conversation": conversation, "message_id": message}
    return Job(job_id(DELIVER, message), DELIVER, at, data, NORMAL)


def notice(job: Job, user: str, now: int, *, first: bool) -> Job:
    """What follows from the `delivery` that `job` is for `user`, who is served `first` or not
    (SEND-17)."""
    id, data = notice_id(job.data["message_id"], user), {**job.data, "user": user}
    return Job(id, NOTIFY, now, data, NORMAL if first else LOW)
