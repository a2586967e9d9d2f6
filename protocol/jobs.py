"""Jobs: what is to be done at a time to come, by whichever engine is there then (AUTO-07).

A job is done at least once and must be harmless when it is done twice: then it shows once. So its
effect goes by a key, like a message by its client id.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from .immutable import immutable

JobState = Literal["pending", "done", "cancelled", "dead"]
"""`dead`: given up, until somebody asks for it to be tried again."""

LEASE_RAN_OUT: Final = "whoever tried it last has not come back"
"""The error of a job that is given up because all who have tried it are gone."""

HIGH: Final = 2
NORMAL: Final = 1
LOW: Final = 0


@immutable
class Job:
    """`id` (a UUID) follows from what it is about, so that adding it again changes nothing. Of
    those that are due, those of higher `priority` come first (SEND-17). Times are in ms.

    `data` is what its kind needs; what it holds as `message` is content, which goes when the job is
    over. Of a job with an `owner`, a user, the row stays to tell what became of it; of others
    nothing does. `attempts` counts the tries that have begun; `error` is why the last one failed.
    """

    id: str
    kind: str
    due: int
    data: dict[str, Any]
    priority: int = NORMAL
    owner: str | None = None
    state: JobState = "pending"
    attempts: int = 0
    error: str | None = None


@immutable
class Taken:
    """`jobs` are the caller's to do until their lease runs out; `next` is when the first of the
    jobs that were not due yet will be, and `more` says that some are due already."""

    jobs: list[Job]
    next: int | None
    more: bool


@immutable
class Tried:
    """How a try of `job` ended: well, if there is no `error`; otherwise it is tried `again` at that
    time (ms), or never. One that was not even `begun` is none."""

    job: Job
    error: str | None = None
    again: int | None = None
    begun: bool = True
