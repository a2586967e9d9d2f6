"""The users' own logs, from the in-memory store."""

from __future__ import annotations

from collections.abc import Callable, Collection

import trio

from ...protocol.errors import Rejected
from ...protocol.features.blocks import BlockChanged
from ...protocol.features.schedule import SEND, MessageScheduled, ScheduleCancelled
from ...protocol.features.stars import MessageStarred
from ...protocol.jobs import Job
from ...protocol.people import Bar, Standing
from ...protocol.personal import UserEventData
from ...protocol.records import Remembered, Starred, UserEvent
from ...protocol.state import Hidden, Member
from ..user_events import read
from .disk import Disk, copy_json
from .jobs import over


class MemoryUserLogs:
    """Implements `UserLogs`. `check` is called first by everything: it raises while away."""

    def __init__(self, disk: Disk, check: Callable[[], None]) -> None:
        self._disk = disk
        self._check = check

    async def remembered(self, user: str) -> Remembered:
        log = await self._log(user)
        return Remembered([event for event in log if event.data.remembered], _last(log))

    async def append(self, user: str, data: UserEventData, at: int) -> UserEvent:
        log = await self._log(user)
        n = _last(log) + 1
        data = read(data.name, copy_json(data.fields()), user, n)
        if isinstance(data, MessageScheduled | ScheduleCancelled):
            self._change_job(user, data)
        event = UserEvent(user, n, data, at)
        kept = [old for old in log if old.data.subject != data.subject]
        self._disk.user_log[user] = [*kept, event]
        return event

    def _change_job(self, user: str, data: MessageScheduled | ScheduleCancelled) -> None:
        """Only before anybody has begun with it."""
        job, jobs = self._disk.jobs.get(data.job), self._disk.jobs
        if isinstance(data, MessageScheduled):
            if job is not None and (job.state != "pending" or job.attempts):
                raise Rejected("VERSION_CONFLICT")
            jobs.pop(data.job, None)
            self._disk.add_job(Job(data.job, SEND, data.send_at, data.fields(), owner=user))
        elif job is None:
            raise Rejected("MESSAGE_NOT_FOUND")
        elif job.state not in ("pending", "cancelled") or job.attempts:
            raise Rejected("VERSION_CONFLICT")
        else:
            jobs[data.job] = over(job, "cancelled")

    async def after(self, user: str, n: int, limit: int) -> list[UserEvent]:
        return [event for event in await self._log(user) if event.n > n][:limit]

    async def reticent(self, users: Collection[str]) -> set[str]:
        await self._log("")
        return {user for user in users if not self._disk.settings(user).read_receipts}

    async def standings(self, user: str, others: Collection[str]) -> dict[str, Standing]:
        await self._log("")
        own = self._disk.blocks(user)
        return {other: self._standing(user, other, own.get(other)) for other in others}

    def _standing(self, user: str, other: str, own: BlockChanged | None) -> Standing:
        settings, theirs = self._disk.settings(other), self._disk.blocks(other).get(user)
        return Standing(
            bars=None if theirs is None else theirs.bar,
            seen=theirs.seen if theirs is not None and settings.presence == "everyone" else None,
            barred=None if own is None else own.bar,
            messages_from=settings.messages_from,
        )

    async def undisturbed(
        self, users: Collection[str], conversation: str, sender: str | None, now: int
    ) -> set[str]:
        await self._log("")

        def quiet(user: str) -> bool:
            preference = self._disk.preferences(user).get(conversation)
            muted = preference is not None and preference.muted(now)
            return muted or sender in self._disk.blocks(user)

        return set(filter(quiet, users))

    async def barring(self, conversation: str) -> dict[str, Bar]:
        await self._log("")
        return self._disk.barring(conversation)

    async def stars(self, user: str, limit: int, before: int | None) -> list[Starred]:
        found: list[Starred] = []
        for event in reversed(await self._log(user)):
            star = self._starred(event) if before is None or event.n < before else None
            if star is not None:
                found.append(star)
        return found[:limit]

    def _starred(self, event: UserEvent) -> Starred | None:
        if not isinstance(event.data, MessageStarred):
            return None
        star, user = event.data, event.user
        shelf = self._disk.shelves[star.conversation]
        member, sent = shelf.members[user], shelf.log[star.message_seq - 1]
        hidden = self._disk.hidden_by(user).get(star.conversation, Hidden())
        if (
            member.role is None
            or not Member(intervals=member.intervals).sees(sent.seq)
            or not (sent.audience is None or user in sent.audience)
            or not hidden.shows(sent.seq)
            or sent.id != star.message_id
            or not sent.data.is_message
        ):
            return None
        return Starred(event.n, event.at, star.conversation, shelf.message(sent), shelf.seq)

    async def _log(self, user: str) -> list[UserEvent]:
        await trio.lowlevel.checkpoint()
        self._check()
        return self._disk.user_log.get(user, [])


def _last(log: list[UserEvent]) -> int:
    return log[-1].n if log else 0
