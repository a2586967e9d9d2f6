"""What the host said lately, by id."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

import trio

from ...protocol.errors import Rejected
from ..settings import Host
from .asking import Asking, away

BATCH = 100
"""Ids in one question."""

V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)


class Words(Protocol[V_co]):
    """The host's words on ids, wherever they come from. It may have none on an id."""

    def are_known(self, ids: Iterable[str]) -> bool:
        """Whether `find` would not have to ask."""
        ...

    def get(self, id: str) -> V_co | None:
        """The last word on `id` that is at hand, however old."""
        ...

    async def find(self, ids: Iterable[str]) -> Mapping[str, V_co]:
        """Those of `ids` on which the host has a word, with it. Raises UNAVAILABLE."""
        ...

    def invalidate(self, id: str | None) -> None:
        """The word on `id`, or on all, is not what it was: ask anew."""
        ...


class Facts(Generic[V]):
    """`Words` that are asked for, and remembered: `cache_ttl_s` seconds, and for `absent_ttl_s`
    that there is none; of the `cache_size` ids that were needed last.

    Who asks for the same id at the same time shares one question; a question has up to `BATCH` ids.
    A question that is under way when its id is invalidated answers those who wait for it already,
    and nobody else. No caller's cancellation takes the answer from another.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[str]], Awaitable[Mapping[str, V]]],
        asking: Asking,
        nursery: trio.Nursery,
        settings: Host,
    ) -> None:
        self._ask = ask
        self._asking = asking
        self._nursery = nursery
        self._size = settings.cache_size
        self._ttl_s = settings.cache_ttl_s
        self._absent_ttl_s = settings.absent_ttl_s
        self._facts: OrderedDict[str, tuple[V | None, float]] = (
            OrderedDict()
        )  # used last at the end
        self._questions: dict[str, _Question[V]] = {}

    def are_known(self, ids: Iterable[str]) -> bool:
        return all(map(self._is_known, ids))

    def get(self, id: str) -> V | None:
        fact = self._facts.get(id)
        if fact is None:
            return None
        self._facts.move_to_end(id)
        return fact[0]

    async def find(self, ids: Iterable[str]) -> dict[str, V]:
        ids = list(dict.fromkeys(ids))
        found = {id: self.get(id) for id in ids if self._is_known(id)}
        asked = self._asked([id for id in ids if id not in found])
        for question in dict.fromkeys(asked.values()):
            await question.over.wait()
        for id, question in asked.items():
            if question.answer is None:
                raise away(question.retry_after)
            found[id] = question.answer.get(id)
        return {id: word for id, word in found.items() if word is not None}

    def invalidate(self, id: str | None) -> None:
        if id is None:
            self._facts.clear()
            self._questions.clear()
        else:
            self._facts.pop(id, None)
            self._questions.pop(id, None)

    def _is_known(self, id: str) -> bool:
        fact = self._facts.get(id)
        return fact is not None and trio.current_time() < fact[1]

    def _asked(self, ids: Sequence[str]) -> dict[str, _Question[V]]:
        """The question that is under way for each of `ids`, as a rule several in one."""
        new = [id for id in ids if id not in self._questions]
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            question = _Question[V]()
            self._questions.update(dict.fromkeys(batch, question))
            self._nursery.start_soon(self._put, question, batch)
        return {id: self._questions[id] for id in ids}

    async def _put(self, question: _Question[V], ids: Sequence[str]) -> None:
        try:
            question.answer = await self._asking.ask(partial(self._ask, ids))
        except Rejected as no:
            question.retry_after = no.retry_after
        finally:
            for id in ids:
                if self._questions.get(id) is question:  # not invalidated meanwhile
                    del self._questions[id]
                    if question.answer is not None:
                        self._remember(id, question.answer.get(id))
            question.over.set()

    def _remember(self, id: str, word: V | None) -> None:
        ttl_s = self._absent_ttl_s if word is None else self._ttl_s
        self._facts[id] = word, trio.current_time() + ttl_s
        self._facts.move_to_end(id)
        if len(self._facts) > self._size:
            self._facts.popitem(last=False)


class _Question(Generic[V]):
    __slots__ = ("answer", "over", "retry_after")

    def __init__(self) -> None:
        self.answer: Mapping[str, V] | None = None
        self.retry_after: float | None = None
        self.over = trio.Event()
