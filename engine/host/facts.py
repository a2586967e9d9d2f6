"""What the host said lately: of a user, or of two, or of whatever else a key stands for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

import trio

from ...protocol.errors import Rejected
from ..settings import Host
from .asking import Asking, away

BATCH = 100
"""Keys in one question."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)


class Words(Protocol[K, V_co]):
    """The host's words by key, an id or several. It may have none on a key."""

    def are_known(self, keys: Iterable[K]) -> bool:
        """Whether `find` would not have to ask."""
        ...

    def get(self, key: K) -> V_co | None:
        """The last word on `key` that is at hand, however old."""
        ...

    async def find(self, keys: Iterable[K]) -> Mapping[K, V_co]:
        """Those of `keys` on which the host has a word, with it. Raises UNAVAILABLE."""
        ...

    def invalidate(self, key: K | None) -> None:
        """The word on `key`, or on all, is not what it was: ask anew."""
        ...


class Facts(Generic[K, V]):
    """`Words` that are asked for, and remembered: `cache_ttl_s` seconds, and for `absent_ttl_s`
    that there is none; of the `cache_size` keys that were needed last.

    Who asks for the same key at the same time shares one question; a question has up to `BATCH`
    keys. One that is under way when its key is invalidated answers those who wait for it already,
    and nobody else. No caller's cancellation takes the answer from another.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
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
        self._facts: OrderedDict[K, tuple[V | None, float]] = OrderedDict()  # used last at the end
        self._questions: dict[K, _Question[K, V]] = {}

    def are_known(self, keys: Iterable[K]) -> bool:
        return all(map(self._is_known, keys))

    def get(self, key: K) -> V | None:
        fact = self._facts.get(key)
        if fact is None:
            return None
        self._facts.move_to_end(key)
        return fact[0]

    async def find(self, keys: Iterable[K]) -> dict[K, V]:
        keys = list(dict.fromkeys(keys))
        found = {key: self.get(key) for key in keys if self._is_known(key)}
        asked = self._asked([key for key in keys if key not in found])
        for question in dict.fromkeys(asked.values()):
            await question.over.wait()
        for key, question in asked.items():
            if question.answer is None:
                raise away(question.retry_after)
            found[key] = question.answer.get(key)
        return {key: word for key, word in found.items() if word is not None}

    def invalidate(self, key: K | None) -> None:
        if key is None:
            self._facts.clear()
            self._questions.clear()
        else:
            self._facts.pop(key, None)
            self._questions.pop(key, None)

    def invalidate_if(self, concerns: Callable[[K], bool]) -> None:
        """The same as `invalidate` of every key that this `concerns`."""
        for key in [*self._facts, *self._questions]:
            if concerns(key):
                self.invalidate(key)

    def _is_known(self, key: K) -> bool:
        fact = self._facts.get(key)
        return fact is not None and trio.current_time() < fact[1]

    def _asked(self, keys: Sequence[K]) -> dict[K, _Question[K, V]]:
        """The question that is under way for each of `keys`, as a rule several in one."""
        new = [key for key in keys if key not in self._questions]
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            question = _Question[K, V]()
            self._questions.update(dict.fromkeys(batch, question))
            self._nursery.start_soon(self._put, question, batch)
        return {key: self._questions[key] for key in keys}

    async def _put(self, question: _Question[K, V], keys: Sequence[K]) -> None:
        try:
            question.answer = await self._asking.ask(partial(self._ask, keys))
        except Rejected as no:
            question.retry_after = no.retry_after
        finally:
            for key in keys:
                if self._questions.get(key) is question:  # not invalidated meanwhile
                    del self._questions[key]
                    if question.answer is not None:
                        self._remember(key, question.answer.get(key))
            question.over.set()

    def _remember(self, key: K, word: V | None) -> None:
        ttl_s = self._absent_ttl_s if word is None else self._ttl_s
        self._facts[key] = word, trio.current_time() + ttl_s
        self._facts.move_to_end(key)
        if len(self._facts) > self._size:
            self._facts.popitem(last=False)


class _Question(Generic[K, V]):
    __slots__ = ("answer", "over", "retry_after")

    def __init__(self) -> None:
        self.answer: Mapping[K, V] | None = None
        self.retry_after: float | None = None
        self.over = trio.Event()
