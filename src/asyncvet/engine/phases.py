"""Where the time of a review goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Phases:
    """The phases of a review.

    Attributes:
        seconds: How long each took, in order.
        rules: How long each rule took, by name; their sum is the phase ``rules``.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.rules: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """A phase lasts as long as what is done inside."""
        with _added(self.seconds, name):
            yield

    @contextmanager
    def rule(self, name: str) -> Iterator[None]:
        """The same for a rule."""
        with _added(self.rules, name):
            yield

    def table(self) -> str:
        """A line for each phase, and below the one of the rules a line for each of them, the longest first."""
        lines = []
        for name, seconds in self.seconds.items():
            lines.append(f"{seconds:9.3f}  {name}")
            if name == "rules":
                slowest = sorted(self.rules.items(), key=lambda rule: -rule[1])
                lines += [f"{seconds:9.3f}    {rule}" for rule, seconds in slowest]
        return "\n".join(["  seconds  phase", *lines, f"{sum(self.seconds.values()):9.3f}  in all\n"])


@contextmanager
def _added(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - started
