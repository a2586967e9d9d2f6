"""The relations port: who follows whom (REQ-01, REQ-02).

`Relations` is what a host implements: an embedding application in Python, or over HTTP what
`HttpRelations` asks. `ClaimedRelations` goes by what tokens say of whom their users follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol

from ...protocol.people import Relation
from .asking import BadAnswer
from .callback import Callback
from .claims import Claims
from .facts import Facts
from .tools import Tools

CLAIM: Final = "follows"
"""Lists whom a user follows, where `host.claims` does not call it otherwise."""

Pair = tuple[str, str]


class Relations(Protocol):
    """The host's part. It may wait, for `host.timeout_s`, and be called `host.max_requests` times
    at once. What it raises is logged without its text, and counts as no answer."""

    async def find(self, pairs: Sequence[Pair]) -> Mapping[Pair, Relation]:
        """How the first of each of `pairs`, at most 100, is related to the second; whoever is left
        out is in none. The answer is remembered for a while: see `Engine.relations_changed`."""
        ...


class HttpRelations:
    """`Relations` of a host that is asked by HTTP (docs/embedding.md)."""

    def __init__(self, callback: Callback) -> None:
        self._callback = callback

    async def find(self, pairs: Sequence[Pair]) -> dict[Pair, Relation]:
        answer = await self._callback.ask("relations", {"pairs": pairs})
        match answer:
            case {"relations": list(said)} if len(said) == len(pairs):
                known = zip(pairs, said, strict=True)
                return {pair: _relation(each) for pair, each in known if each is not None}
        raise BadAnswer("no `relations` in it, or not one for each pair")


def _relation(said: Any) -> Relation:
    if not isinstance(said, dict):
        raise BadAnswer("a relation that is none")
    follows, followed = said.get("follows", False), said.get("followed", False)
    if not (isinstance(follows, bool) and isinstance(followed, bool)):
        raise BadAnswer("a relation of which is not clear who follows whom")
    return Relation(follows, followed)


class ClaimedRelations:
    """What the tokens of both say: who has not signed in follows nobody."""

    def __init__(self, claims: Claims, claim: str) -> None:
        self._claims = claims
        self._claim = claim
        claims.want([claim])

    async def find(self, user: str, other: str) -> Relation:
        return Relation(self._follows(user, other), self._follows(other, user))

    def invalidate(self, user: str | None) -> None:
        self._claims.forget(user, [self._claim])

    def _follows(self, user: str, other: str) -> bool:
        said = self._claims.of(user).get(self._claim)
        return isinstance(said, list) and other in said


class AskedRelations:
    """What the host says when it is asked. While it is away, who follows whom is not guessed:
    rather a message that is to be repeated than one that should not have arrived."""

    def __init__(self, facts: Facts[Pair, Relation]) -> None:
        self._facts = facts

    async def find(self, user: str, other: str) -> Relation:
        pair = user, other
        return (await self._facts.find([pair])).get(pair, Relation())

    def invalidate(self, user: str | None) -> None:
        self._facts.invalidate_if(lambda pair: user is None or user in pair)


def open_relations(
    tools: Tools, given: Relations | None
) -> ClaimedRelations | AskedRelations | None:
    """The port as the settings say, or by what the embedding application has `given`; None if
    nobody follows anybody."""
    settings = tools.settings
    kind = settings.relations if given is None else "given"
    if kind == "none":
        return None
    if kind == "claims":
        return ClaimedRelations(tools.claims, settings.claims.get(CLAIM, CLAIM))
    relations = HttpRelations(tools.callback) if given is None else given
    return AskedRelations(tools.facts("relations", partial(_find, relations)))


async def _find(relations: Relations, pairs: Sequence[Pair]) -> dict[Pair, Relation]:
    found = await relations.find(pairs)
    if not all(isinstance(relation, Relation) for relation in found.values()):
        raise BadAnswer("a relation that is none")
    return dict(found)
