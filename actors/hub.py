"""Who is online in this process, and who is watching what.

Conversations address users; the hub knows their outboxes. `version` changes whenever that
answer may, so that a conversation can keep its list of recipients between changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ..protocol.people import Barred
from .outbox import Outbox

if TYPE_CHECKING:
    from .session import Session


class Hub:
    def __init__(self) -> None:
        self.version = 0
        self.sessions: dict[str, Session] = {}
        self.waiting: dict[str, set[str]] = {}
        """by user the conversations in which a draft or a mark as unread waits for them"""
        self.barring: dict[str, Mapping[str, Barred]] = {}
        """by user whom they keep out, once that is known"""
        self.session_of: Callable[[str], Session]
        """the session of a user, made if there is none"""
        self._watchers: dict[str, set[str]] = {}
        self._watched_by: dict[str, list[str]] = {}

    def changed(self) -> None:
        self.version += 1

    def outboxes(self, users: Iterable[str]) -> list[Outbox]:
        """Every device of `users`, and whoever listens like one."""
        sessions = self.sessions
        found: list[Outbox] = []
        for user in users:
            session = sessions.get(user)
            if session is not None:
                found.extend(session.outboxes)
                found.extend(session.listeners)
        return found

    def counting(self, users: Iterable[str]) -> list[Session]:
        """The sessions of `users` that follow their unread counts."""
        sessions = self.sessions
        found = []
        for user in users:
            session = sessions.get(user)
            if session is not None and session.counting:
                found.append(session)
        return found

    def is_online(self, user: str) -> bool:
        """Whether `user` is online, as others may know."""
        session = self.sessions.get(user)
        return session is not None and session.online and not session.concealed

    def forget(self, user: str) -> None:
        """The session of `user` is over."""
        self.sessions.pop(user, None)
        self.waiting.pop(user, None)
        self.barring.pop(user, None)

    def apart(self, user: str, others: Iterable[str]) -> frozenset[str]:
        """Those of `others` who are not told of `user`'s presence: the user keeps them out, or they
        have blocked the user (REQ-08)."""
        if not self.barring:
            return frozenset()
        barred = self.barring.get(user, {})
        return frozenset(other for other in others if other in barred or self.blocks(other, user))

    def blocks(self, user: str, other: str) -> bool:
        """Whether `user`, who is online, has blocked `other`."""
        barred = self.barring.get(user, {}).get(other)
        return barred is not None and barred.bar == "blocked"

    def watch(self, conversation: str, users: Iterable[str]) -> None:
        """Tell `conversation`, from now on, when the presence of one of `users` changes, and of
        nobody else."""
        for user in self._watched_by.pop(conversation, ()):
            watchers = self._watchers[user]
            watchers.discard(conversation)
            if not watchers:
                del self._watchers[user]
        users = list(users)
        if users:
            self._watched_by[conversation] = users
        for user in users:
            self._watchers.setdefault(user, set()).add(conversation)

    def watchers(self, user: str) -> list[str]:
        """The conversations that want to know of `user`'s presence."""
        return list(self._watchers.get(user, ()))
