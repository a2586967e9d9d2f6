"""Jobs in memory, for the twin."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import trio

from ...protocol.features.schedule import MessageScheduled
from ...protocol.jobs import LEASE_RAN_OUT, Job, JobState, Taken, Tried
from .disk import Disk, copy_json


class MemoryJobs:
    """Implements `Jobs`. `check` is called first by everything: it raises while away."""

    def __init__(self, disk: Disk, incarnation: int, check: Callable[[], None]) -> None:
        self._disk = disk
        self._incarnation = incarnation
        self._check = check

    async def add(self, jobs: Sequence[Job]) -> None:
        await self._turn()
        for job in jobs:
            self._disk.add_job(job)

    async def reclaim(self, now: int) -> None:
        await self._turn()
        for id, holder in list(self._disk.holders.items()):
            if self._disk.ended[holder] is not None:
                del self._disk.holders[id]
                self._disk.next_at[id] = now

    async def take(self, now: int, limit: int, until: int, tries: int) -> Taken:
        await self._turn()
        if self._disk.ended[self._incarnation] is not None:
            return Taken([], None, False)
        next_at = self._disk.next_at
        pending = [job for job in self._disk.jobs.values() if job.state == "pending"]
        due = [job for job in pending if next_at[job.id] <= now]
        due.sort(key=lambda job: (-job.priority, next_at[job.id]))
        later = [next_at[job.id] for job in pending if next_at[job.id] > now]
        taken = []
        for job in due[:limit]:
            next_at[job.id] = until
            self._disk.holders[job.id] = self._incarnation
            if job.attempts < tries:
                taken.append(self._change(job, attempts=job.attempts + 1))
            else:
                self._change(job, state="dead", error=LEASE_RAN_OUT)
        taken.sort(key=lambda job: (-job.priority, job.due, job.id))
        return Taken(taken, min(later, default=None), len(due) >= limit)

    async def settle(self, results: Sequence[Tried]) -> None:
        await self._turn()
        for tried in results:
            job = self._disk.jobs.get(tried.job.id)
            if job is None or job.state != "pending" or job.attempts != tried.job.attempts:
                continue
            if self._disk.holders.get(job.id) != self._incarnation:
                continue
            del self._disk.holders[job.id]
            if tried.error is not None:
                state: JobState = "dead" if tried.again is None else "pending"
                attempts = job.attempts - (not tried.begun)
                self._change(job, state=state, error=tried.error, attempts=attempts)
                self._disk.next_at[job.id] = tried.again or self._disk.next_at[job.id]
            elif job.owner is None:
                del self._disk.jobs[job.id]
            else:
                self._disk.jobs[job.id] = over(job, "done")
                self._forget_message(job)

    def _forget_message(self, job: Job) -> None:
        log = self._disk.user_log.get(job.owner or "", [])
        for index, event in enumerate(log):
            if isinstance(event.data, MessageScheduled) and event.data.job == job.id:
                log[index] = replace(event, data=replace(event.data, message=None))

    async def owned(
        self,
        owner: str,
        kind: str,
        states: Collection[JobState],
        limit: int,
        after: tuple[int, str] | None = None,
    ) -> list[Job]:
        await self._turn()
        return self._listed(
            lambda job: (
                job.owner == owner
                and job.kind == kind
                and job.state in states
                and (after is None or (job.due, job.id) > after)
            )
        )[:limit]

    async def ahead(self, owner: str, kind: str, now: int, *, besides: str) -> int:
        await self._turn()
        mine = [job for job in self._disk.jobs.values() if job.owner == owner and job.kind == kind]
        ahead = [job for job in mine if job.state == "pending" and job.due > now]
        return sum(job.id != besides for job in ahead)

    async def dead(self, limit: int) -> list[Job]:
        await self._turn()
        return self._listed(lambda job: job.state == "dead")[:limit]

    async def retry(self, now: int, ids: Collection[str] | None = None) -> int:
        await self._turn()
        again = self._listed(lambda job: job.state == "dead" and (ids is None or job.id in ids))
        for job in again:
            self._change(job, state="pending", attempts=0)
            self._disk.next_at[job.id] = now
        return len(again)

    def _listed(self, wanted: Callable[[Job], bool]) -> list[Job]:
        found = [job for job in self._disk.jobs.values() if wanted(job)]
        found.sort(key=lambda job: (job.due, job.id))
        return [replace(job, data=copy_json(job.data)) for job in found]

    def _change(self, job: Job, **changes: Any) -> Job:
        self._disk.jobs[job.id] = changed = replace(job, **changes)
        return replace(changed, data=copy_json(changed.data))

    async def _turn(self) -> None:
        await trio.lowlevel.checkpoint()
        self._check()


def over(job: Job, state: JobState) -> Job:
    """What is left of `job`: nothing of what it was to send."""
    data = {name: value for name, value in job.data.items() if name != "message"}
    return replace(job, state=state, error=None, data=data)
