"""What the host tells an engine: that its words are not what they were, and what happens there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..actors.environment import Environment
from ..actors.membership import membership_changed
from ..actors.registry import Registry
from ..protocol.features.business_events import TellEvent
from .user import Sent, User


class Told:
    """The part of an engine that only its host has to do with."""

    _env: Environment
    _registry: Registry

    def as_host(self) -> User:
        """What the host itself can do, who is no member of anything."""
        raise NotImplementedError

    def user_changed(self, user: str | None = None) -> None:
        """What the host said of `user`, or of all users, is not so any more: it is asked again when
        that is needed next. Without this the change is noticed after `host.cache_ttl_s`."""
        if (users := self._env.host.users) is not None:
            users.invalidate(user)

    def relations_changed(self, user: str | None = None) -> None:
        """What the host said of whom `user` follows and who follows them, or of all users, is not
        so any more: the next first message asks again (REQ-01)."""
        if (relations := self._env.host.relations) is not None:
            relations.invalidate(user)

    def context_changed(
        self,
        context: Mapping[str, str] | None = None,
        users: Collection[str] | None = None,
    ) -> None:
        """What the host said of the things in `context` is not so any more, nor who is related to
        `users`, or without them to whom anybody is; given neither, nothing is. It is asked again
        when that is needed next. Without this the change is noticed after `host.cache_ttl_s`."""
        if (contexts := self._env.host.contexts) is not None:
            contexts.invalidate(context, users)

    async def happened(
        self,
        event: str,
        *,
        id: str,
        context: Mapping[str, str] | None = None,
        users: Collection[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> list[Sent]:
        """Tell an event of the product's as `policy.events` says: a system message in every
        conversation that is about all of `context` and has all of `users` in it, or in a new one
        (CONV-27, AUTO-01). Where they stand.

        `id` is the product's for it, at most 64 characters: under the same one it is told once in a
        conversation. Raises like the methods of `User`; repeated, it goes on where it was.
        """
        command = TellEvent(
            id=id,
            event=event,
            context=dict(context or {}),
            users=list(users),
            variables=dict(variables or {}),
        )
        told = (await self.as_host().do(command))["messages"]
        return [Sent(each["c"], each["seq"], each["id"], each["ts"]) for each in told]

    async def membership_changed(self, group: str, *users: str) -> None:
        """What the host said of these users, or if none are named of all members, of its `group` is
        not so any more (GRP-16). They are asked about at once; when it returns, whoever is no
        member any more has lost access, and the others are what the host says they are.

        `group` is the client id under which its conversation was created, or the id of that if
        there was none. Raises `Rejected`: CONVERSATION_NOT_FOUND; FEATURE_DISABLED if the settings
        do not say how to ask; UNAVAILABLE if the host does not answer, then call again: some may
        still be what they were.
        """
        await membership_changed(group, users, self._env, self._registry)

    def premium_changed(self, user: str | None = None) -> None:
        """The subscription of `user`, or those of all users, are not what the host said any more:
        it is asked again. Whoever is here and has lapsed is sent away at once, with 3506 (GRP-14).
        Without this it is noticed `host.cache_ttl_s` later, when they do something."""
        if self._env.gate is not None:
            self._env.gate.changed(user)
