"""How late an event loop was, as counts: memory that does not grow, however long the process runs."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets, in seconds; what is longer than the last falls into one more."""


class Histogram:
    """Counts of durations by bucket. One thread adds, any thread reads."""

    __slots__ = ("counts", "longest", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0
        self.longest = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)

    def merge(self, other: Histogram) -> None:
        """Count what another one has counted as well."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.total += other.total
        self.longest = max(self.longest, other.longest)

    @property
    def count(self) -> int:
        """Number of durations."""
        return sum(self.counts)

    def cumulative(self) -> list[tuple[float, int]]:
        """Of each bound, how many durations do not exceed it; the last bound is infinite."""
        return list(zip((*BOUNDS, float("inf")), accumulate(self.counts), strict=True))

    def quantile(self, share: float) -> float:
        """The bound that this share of the durations does not exceed, in seconds; the longest where no bound tells; 0 of none."""
        wanted = share * self.count
        for bound, count in self.cumulative():
            if count and count >= wanted:
                return min(bound, self.longest)
        return 0.0
