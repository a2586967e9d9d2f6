"""Latencies counted in buckets whose width grows with the value, as HDR histograms do.

Forty lines of our own, instead of one more dependency with a C extension: nothing here is so slow
that it needs one, and the buckets go into JSON as they are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Self


class Histogram:
    """Of times in whole µs: exact below 256 µs, above to 0.8 % of the value."""

    __slots__ = ("_buckets", "count", "max_us")

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.count = 0
        self.max_us = 0

    def record(self, seconds: float, times: int = 1) -> None:
        """Below zero counts as zero."""
        us = max(int(seconds * 1e6), 0)
        shift = max(us.bit_length() - 8, 0)
        self._buckets[(shift << 7) + (us >> shift)] += times
        self.count += times
        self.max_us = max(self.max_us, us)

    def percentile(self, percent: float) -> float:
        """In ms: what `percent` of the values do not exceed (nearest rank, upper edge of its
        bucket, the maximum exactly); NaN of nothing."""
        rank, seen = max(math.ceil(self.count * percent / 100), 1), 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(_upper(bucket), self.max_us) / 1000
        return math.nan

    @classmethod
    def merged(cls, histograms: Iterable[Histogram]) -> Self:
        whole = cls()
        for each in histograms:
            whole._buckets.update(each._buckets)
            whole.count += each.count
            whole.max_us = max(whole.max_us, each.max_us)
        return whole

    def to_json(self) -> dict[str, int]:
        """Bucket to count, and the maximum in µs under "max"."""
        return {str(bucket): self._buckets[bucket] for bucket in sorted(self._buckets)} | {
            "max": self.max_us
        }

    @classmethod
    def from_json(cls, data: Mapping[str, int]) -> Self:
        found = cls()
        found.max_us = data["max"]
        found._buckets.update({int(name): n for name, n in data.items() if name != "max"})
        found.count = found._buckets.total()
        return found


def _upper(bucket: int) -> int:
    shift = max((bucket >> 7) - 1, 0)
    return ((bucket - (shift << 7) + 1) << shift) - 1
