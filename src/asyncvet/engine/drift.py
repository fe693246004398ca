"""How a text differs from the one that was read: where its lines are now."""

from __future__ import annotations

from difflib import SequenceMatcher

import msgspec


class Stretch(msgspec.Struct, frozen=True):
    """Lines `then` up to `then_end` of the text that was read are the lines `now` up to `now_end`. From 1, the ends exclusive."""

    then: int
    then_end: int
    now: int
    now_end: int


class Drift(msgspec.Struct, frozen=True):
    """The stretches that differ, from top to bottom."""

    stretches: tuple[Stretch, ...] = ()

    def now(self, line: int) -> int:
        """Where a line that was read is now; one that is another now is somewhere among those in its place."""
        shift = 0
        for stretch in self.stretches:
            if line < stretch.then:
                break
            if line < stretch.then_end:
                return max(min(stretch.now + line - stretch.then, stretch.now_end - 1), 1)
            shift = stretch.now_end - stretch.then_end
        return line + shift

    def then(self, line: int) -> int:
        """Where a line of now was in the text that was read."""
        return Drift(tuple(Stretch(each.now, each.now_end, each.then, each.then_end) for each in self.stretches)).now(line)


def drift(then: list[str], now: list[str]) -> Drift:
    """How the lines of a text differ from those that were read."""
    start = 0
    end = min(len(then), len(now))
    while start < end and then[start] == now[start]:
        start += 1
    rest = 0
    while rest < end - start and then[-1 - rest] == now[-1 - rest]:
        rest += 1
    # Comparing takes the square of the number of lines, and the middle that is left of an edited text is short.
    matcher = SequenceMatcher(None, then[start : len(then) - rest], now[start : len(now) - rest])
    steps = [step for step in matcher.get_opcodes() if step[0] != "equal"]
    return Drift(tuple(Stretch(*(start + 1 + index for index in step[1:])) for step in steps))
