"""Whether a difference between blocked and idle shows, and chance does not."""

import random

from palaver.benchmarks.blocks import compared


def times(factor: float, seed: int) -> list[float]:
    """Of a machine on which everything takes ten times as long now and then."""
    busy, chance = random.Random(0), random.Random(seed)
    return [factor * chance.uniform(0.9, 1.1) * busy.choice([1, 10]) for _ in range(400)]


def test_REQ_09_what_takes_longer_shows_whatever_else_the_machine_does():
    ratio, low, high = compared(times(1.05, 1), times(1, 2))
    assert 1.03 < low < ratio < high < 1.07


def test_what_differs_by_chance_alone_does_not_show():
    _, low, high = compared(times(1, 1), times(1, 2))
    assert low < 1 < high
