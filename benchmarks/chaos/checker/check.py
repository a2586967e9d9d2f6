"""All rules, and what `relaxed` may lose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from . import counts, order, promises
from .facts import Answer, Facts, Violation
from .truth import Truth


@dataclass(frozen=True, slots=True)
class Expectations:
    """What was promised. `relaxed_bound_s`: how old something answered and lost in a crash may have
    been under `relaxed`, not counting the time in which Postgres was away."""

    durability: str = "write_behind"
    relaxed_bound_s: float = 1.0


@dataclass(slots=True)
class Loss:
    """What `relaxed` has lost of what it had answered."""

    messages: int = 0
    seconds: float = 0.0
    """the age of the oldest of it at the crash"""


@dataclass(slots=True)
class Result:
    violations: list[Violation] = field(default_factory=list)
    loss: Loss = field(default_factory=Loss)


_MOST = 100
"""Violations of one rule that are told; one mistake often makes thousands."""


def check(facts: Facts, truth: Truth, expected: Expectations) -> Result:
    """Every violation, the first few of each rule; the order is that of importance."""
    relaxed = expected.durability == "relaxed"
    may_lose = expected.durability != "commit"
    result = Result()
    rules: list[Iterable[Violation]] = [
        _missing(facts, truth, expected, result.loss),
        promises.twice(facts, truth),
        order.log_is_contiguous(truth),
        order.resumed_whole(facts),
        order.nothing_is_altered(facts, truth, may_lose=may_lose),
        order.views_are_the_log(facts, truth),
        order.kept_is_right(facts, truth),
        order.changes_arrive(facts, truth),
        order.overlays_are_the_log(truth),
        order.reasons_are_known(facts),
        counts.marks_rise(facts, truth, may_lose=relaxed),
        counts.unread_is_a_recount(facts, truth),
        promises.settled(facts),
    ]
    if not relaxed:  # what was answered may be lost, and then be refused or answered anew
        rules += [promises.one_answer(facts), promises.refused(facts, truth)]
    if not may_lose:
        rules.append(order.never_diverges(facts))
    result.violations = list(chain.from_iterable(_first(rule) for rule in rules))
    return result


def _first(rule: Iterable[Violation]) -> Iterator[Violation]:
    for _, violation in zip(range(_MOST), rule, strict=False):
        yield violation


def _missing(facts: Facts, truth: Truth, expected: Expectations, loss: Loss) -> Iterator[Violation]:
    for answer, violation in promises.missing(facts, truth):
        if expected.durability != "relaxed":
            yield violation
            continue
        age = _age_at_crash(answer, facts)
        if age is None:
            yield violation
            continue
        loss.messages += 1
        loss.seconds = max(loss.seconds, age)
    if loss.seconds > expected.relaxed_bound_s:
        problem = (
            f"{loss.messages} answered commands were lost, the oldest {loss.seconds:.2f} s before "
            f"the crash; the bound is {expected.relaxed_bound_s:g} s"
        )
        yield Violation("loss", problem)


def _age_at_crash(answer: Answer, facts: Facts) -> float | None:
    """Seconds from the answer to the crash of the engine that gave it, while Postgres was there;
    None if that engine was never killed. An answer may arrive after the crash."""
    crash = facts.crashes.get(answer.run)
    if crash is None:
        return None
    age = max(0.0, crash - answer.time)
    for start, end in facts.outages:
        age -= max(0.0, min(end, crash) - max(start, answer.time))
    return age
