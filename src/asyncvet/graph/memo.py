"""A memo for questions that ask each other, in circles too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable

from asyncvet.graph.values import NOTHING, Values

_DEPTH = 150
RECURSION = 20_000
"""Frames that a review may take. Python's own bound is the same for all of a process, so whoever needs more says this one."""
_NO_CIRCLE = 1 << 30


class Memo:
    """Remembers answers, and cuts circles: a question that comes back to itself gives nothing there.

    An answer that was computed while a question further out was still open may lack what that question will give. It serves until
    that question is answered and is then forgotten, so that what is remembered does not depend on which question came first.

    Attributes:
        known: What is answered for good, for who asks so often that a call is too much.
    """

    def __init__(self) -> None:
        self.known: dict[Hashable, Values] = {}
        self._open: dict[Hashable, int] = {}
        self._provisional: dict[Hashable, tuple[Values, int]] = {}
        self._order: list[Hashable] = []
        # A question within a question takes up to 20 Python frames; the interpreter's own bound is meant for runaway recursion.
        sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION))
        self._circle = _NO_CIRCLE  # depth of the outermost open question that the current answer leans on

    def answer(self, key: Hashable, compute: Callable[[], Values]) -> Values:
        """The answer to the question `key`, computed at most once when no circle is involved."""
        known = self.known.get(key)
        if known is not None:
            return known
        if key in self._open:
            self._circle = min(self._circle, self._open[key])
            return NOTHING
        if key in self._provisional:
            values, circle = self._provisional[key]
            self._circle = min(self._circle, circle)
            return values
        if len(self._open) >= _DEPTH:
            self._circle = 0
            return NOTHING
        return self._compute(key, compute)

    def _compute(self, key: Hashable, compute: Callable[[], Values]) -> Values:
        depth = len(self._open)
        outer, self._circle = self._circle, _NO_CIRCLE
        since = len(self._order)
        self._open[key] = depth
        try:
            result = compute()
        finally:
            del self._open[key]
        if self._circle >= depth:
            for stale in self._order[since:]:
                self._provisional.pop(stale, None)
            del self._order[since:]
            self.known[key] = result
            self._circle = outer
        else:
            self._provisional[key] = result, self._circle
            self._order.append(key)
            self._circle = min(outer, self._circle)
        return result
