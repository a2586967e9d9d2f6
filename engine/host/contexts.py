"""The contexts port: what conversations may be about, and who has to do with whom (CONV-24, C-46).

`Contexts` is what a host implements: an embedding application in Python, or over HTTP what
`HttpContexts` asks. Without a host to ask, `ClaimedContexts` goes by what tokens say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from ...actors.host import Contexts as AskedContexts
from ...protocol.errors import Rejected
from ...protocol.references import Reference
from .asking import BadAnswer
from .callback import Callback
from .claims import Claims
from .facts import Facts
from .tools import Tools

Pair = tuple[str, str]
"""Two users, in either order."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What the host says of something that conversations may be about. All who talk about it must
    be among its `parties`, if it has any (of a booking: tutor and student), and its `owner`, if it
    has one, must be among them (of a property: anybody may ask that one about it)."""

    parties: frozenset[str] | None = None
    owner: str | None = None

    def admits(self, users: Collection[str]) -> bool:
        """Whether `users` may talk with one another about it."""
        if self.owner is not None and self.owner not in users:
            return False
        return self.parties is None or self.parties.issuperset(users)


class Contexts(Protocol):
    """The host's part. Both may wait, for `host.timeout_s` in all, and be called
    `host.max_requests` times at once. What they raise is logged without its text, and counts as no
    answer. The answers are remembered for a while: see `Engine.context_changed`."""

    async def find(self, references: Sequence[Reference]) -> Mapping[Reference, Thing]:
        """Those of `references` (type and id), at most 100, that exist."""
        ...

    async def related(self, pairs: Sequence[Pair]) -> Collection[Pair]:
        """Those of `pairs`, at most 100, who have an active relationship, such as a booking. It is
        asked only for masking (`Engine(masks=…)`)."""
        ...


class HttpContexts:
    """`Contexts` of a host that is asked by HTTP (docs/embedding.md)."""

    def __init__(self, callback: Callback) -> None:
        self._callback = callback

    async def find(self, references: Sequence[Reference]) -> dict[Reference, Thing]:
        asked = [{"type": type, "id": id} for type, id in references]
        answer = await self._callback.ask("contexts", {"contexts": asked})
        return _things(answer.get("contexts"))

    async def related(self, pairs: Sequence[Pair]) -> list[Pair]:
        answer = await self._callback.ask("contexts/related", {"pairs": list(map(list, pairs))})
        match answer:
            case {"related": list(found)} if all(map(_is_pair, found)):
                return [(one, other) for one, other in found]
        raise BadAnswer("no `related` in it")


def _things(said: Any) -> dict[Reference, Thing]:
    """What is said in a list of things, each with `type` and `id`. Raises `BadAnswer`."""
    if not isinstance(said, list):
        raise BadAnswer("no `contexts` in it")
    return dict(map(_thing, said))


def _thing(said: Any) -> tuple[Reference, Thing]:
    match said:
        case {"type": str(type), "id": str(id)}:
            parties, owner = said.get("parties"), said.get("owner")
            if not (owner is None or isinstance(owner, str)):
                raise BadAnswer("an owner who is none")
            if parties is None:
                return (type, id), Thing(None, owner)
            if _are_texts(parties):
                return (type, id), Thing(frozenset(parties), owner)
            raise BadAnswer("parties that are none")
    raise BadAnswer("a context that is none")


def _are_texts(said: Any) -> bool:
    return isinstance(said, list) and all(isinstance(each, str) for each in said)


def _is_pair(said: Any) -> bool:
    return _are_texts(said) and len(said) == 2


class ClaimedContexts:
    """By what tokens say: the claim `contexts` lists things, with their parties, as an answer over
    HTTP does, and `related` whom the user has an active relationship with. The token of one of
    those whom it concerns is enough. What no token of theirs says is not so."""

    def __init__(self, claims: Claims, names: Mapping[str, str]) -> None:
        self._claims = claims
        self._contexts = names.get("contexts", "contexts")
        self._related = names.get("related", "related")
        self._both = (self._contexts, self._related)
        claims.want(self._both)

    def are_parties(self, users: Collection[str], about: Mapping[str, str]) -> bool:
        return all(self._admits(users, reference) for reference in about.items())

    async def require(self, users: Collection[str], about: Mapping[str, str]) -> None:
        for reference in about.items():
            if not self._admits(users, reference):
                raise _forbidden(reference)

    def _admits(self, users: Collection[str], reference: Reference) -> bool:
        said = (self._things_of(user).get(reference) for user in users)
        return any(thing is not None and thing.admits(users) for thing in said)

    def _things_of(self, user: str) -> dict[Reference, Thing]:
        try:
            return _things(self._claims.of(user).get(self._contexts, []))
        except BadAnswer:
            return {}

    def are_related(self, user: str, others: Collection[str]) -> bool:
        return all(self._says(user, other) or self._says(other, user) for other in others)

    def _says(self, user: str, other: str) -> bool:
        said = self._claims.of(user).get(self._related)
        return isinstance(said, list) and other in said

    async def relate(self, user: str, others: Collection[str]) -> None:
        pass  # all is at hand

    def invalidate(
        self, about: Mapping[str, str] | None, users: Collection[str] | None = None
    ) -> None:
        """What tokens said of `users` is forgotten; of a thing alone the next tokens tell."""
        if users is not None:
            for user in users:
                self._claims.forget(user, self._both)
        elif about is None:
            self._claims.forget(None, self._both)


class KnownContexts:
    """What the actors see of a host that can be asked (`actors/host.py`). Who is related is not
    known of whoever the host has no answer for, whatever the settings say: rather masked once too
    often."""

    def __init__(
        self, things: Facts[Reference, Thing], related: Facts[Pair, bool], *, fail_open: bool
    ) -> None:
        self._things = things
        self._related = related
        self._fail_open = fail_open

    def are_parties(self, users: Collection[str], about: Mapping[str, str]) -> bool:
        if not self._things.are_known(about.items()):
            return False
        things = map(self._things.get, about.items())
        return all(thing is not None and thing.admits(users) for thing in things)

    async def require(self, users: Collection[str], about: Mapping[str, str]) -> None:
        try:
            found = await self._things.find(about.items())
        except Rejected:
            if self._fail_open:
                return
            raise
        for reference in about.items():
            thing = found.get(reference)
            if thing is None or not thing.admits(users):
                raise _forbidden(reference)

    def are_related(self, user: str, others: Collection[str]) -> bool | None:
        pairs = [_pair(user, other) for other in others]
        return all(map(self._related.get, pairs)) if self._related.are_known(pairs) else None

    async def relate(self, user: str, others: Collection[str]) -> None:
        try:
            await self._related.find([_pair(user, other) for other in others])
        except Rejected:
            pass

    def invalidate(
        self, about: Mapping[str, str] | None, users: Collection[str] | None = None
    ) -> None:
        if about is not None:
            for reference in about.items():
                self._things.invalidate(reference)
        elif users is None:
            self._things.invalidate(None)
        if users is None:
            self._related.invalidate(None)
        else:
            concerned = frozenset(users)
            self._related.invalidate_if(lambda pair: not concerned.isdisjoint(pair))


def open_contexts(tools: Tools, given: Contexts | None) -> AskedContexts | None:
    """The port as the settings say, or by what the embedding application has `given`; None if
    anybody may talk about anything, and nobody is related."""
    settings = tools.settings
    kind = settings.contexts if given is None else "given"
    if kind == "none":
        return None
    if kind == "claims":
        return ClaimedContexts(tools.claims, settings.claims)
    contexts = HttpContexts(tools.callback) if given is None else given
    return KnownContexts(
        tools.facts("contexts", contexts.find),
        tools.facts("contexts/related", partial(_related, contexts)),
        fail_open=settings.when_away == "allow",
    )


async def _related(contexts: Contexts, pairs: Sequence[Pair]) -> dict[Pair, bool]:
    found = {_pair(*each) for each in await contexts.related(pairs)}
    return dict.fromkeys(found, True)


def _pair(one: str, other: str) -> Pair:
    """The same for both orders."""
    return (one, other) if one < other else (other, one)


def _forbidden(reference: Reference) -> Rejected:
    return Rejected("CONTEXT_FORBIDDEN", details={"context": dict([reference])})
