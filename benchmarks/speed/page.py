"""The page of the documentation: tables, the goals, and where others are faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.speed.editing import Latency
from benchmarks.speed.measuring import NOT_RUN, Sample
from benchmarks.speed.packages import Tree
from benchmarks.speed.plots import Figures
from benchmarks.speed.ways import CHANGED, COLD, FLAKE8, HYDROID, ONE_PROCESS, PYLINT, RUFF, WARM

_PAGE = """\
# Performance

What reviews of published packages take, beside other tools. `make bench` writes this page and its plots ({form}); each figure is the
median of {repeats} runs that alternate with those of the other tools, in one session on one machine: {machine}.

{versions}

`ruff --select ASYNC` and flake8-async look at one function at a time; hydroid-cli follows calls, as asyncvet does; pylint runs all of its
checks. *Cold* is without a cache, *warm* with that of a review of the same tree. Memory is that of a tool's largest process.

## Goals

{goals}

## Figures

Seconds of wall clock / seconds of processors in user mode / megabytes.

{figures}

![Seconds against lines](performance/seconds.svg)

![Memory against lines](performance/memory.svg)

![What the cache saves](performance/cache.svg)

## Where others are faster

{losses}

## Where the time goes

`asyncvet check --verbose` on {largest}, cold:

```text
{profile}```
"""


@dataclass(frozen=True, slots=True)
class Session:
    """What was measured, and how.

    Attributes:
        edits: How long the findings of an edit take in the editor server, by tree; None where there is no such server.
        profile: What `--verbose` said of the largest tree.
    """

    trees: list[Tree]
    figures: Figures
    edits: dict[str, Latency | None]
    repeats: int
    form: str
    machine: str
    versions: str
    profile: str


@dataclass(frozen=True, slots=True)
class _Goal:
    """A ratio of two figures of a tree, and its bound."""

    text: str
    ratio: Callable[[Callable[[str], Sample]], float]
    bound: float
    is_least: bool

    def holds(self, ratio: float) -> bool:
        return ratio >= self.bound if self.is_least else ratio <= self.bound


_GOALS = (
    _Goal("cold: times faster than hydroid-cli, at least", lambda of: of(HYDROID).wall / of(COLD).wall, 5, True),
    _Goal("cold: memory of hydroid-cli, at most", lambda of: of(COLD).peak / of(HYDROID).peak, 0.25, False),
    _Goal("warm: times ruff's cold time, at most", lambda of: of(WARM).wall / of(RUFF).wall, 1.5, False),
    _Goal("one file changed: times ruff's cold time, at most", lambda of: of(CHANGED).wall / of(RUFF).wall, 2, False),
    _Goal("two processes: times faster than one, at least", lambda of: of(ONE_PROCESS).wall / of(COLD).wall, 1.7, True),
    _Goal("cold: times faster than pylint, at least", lambda of: of(PYLINT).wall / of(COLD).wall, 20, True),
    _Goal("cold: times faster than flake8-async, at least", lambda of: of(FLAKE8).wall / of(COLD).wall, 20, True),
)


def write(session: Session) -> str:
    """The text of the page."""
    return _PAGE.format(
        form=session.form,
        repeats=session.repeats,
        machine=session.machine,
        versions=session.versions,
        goals="\n".join(_goal_table(session)),
        figures="\n".join(_figure_table(session)),
        losses="\n".join(_losses(session)) or "Nowhere among these.",
        largest=session.trees[-1].name,
        profile=session.profile,
    )


def _goal_table(session: Session) -> Iterator[str]:
    yield "| goal | bound | " + " | ".join(tree.name for tree in session.trees) + " |"
    yield "|---" * (len(session.trees) + 2) + "|"
    for goal in _GOALS:
        cells = [_verdict(goal, session, tree) for tree in session.trees]
        yield f"| {goal.text} | {goal.bound} | " + " | ".join(cells) + " |"
    cells = [_memory(session.figures[tree.name, COLD], tree) for tree in session.trees]
    yield "| cold: bytes of memory a line beyond 100 MB, at most | 100 | " + " | ".join(cells) + " |"
    edits = [session.edits[tree.name] for tree in session.trees]
    cells = [_bounded(edit and edit.median, 100) for edit in edits]
    yield "| an edit in the editor: milliseconds at the median, at most | 100 | " + " | ".join(cells) + " |"
    cells = [_bounded(edit and edit.last_percent, 300) for edit in edits]
    yield "| an edit in the editor: milliseconds in 99 of 100 cases, at most | 300 | " + " | ".join(cells) + " |"


def _bounded(value: float | None, bound: float) -> str:
    return "not measured" if value is None else f"{value:.0f}, {'met' if value <= bound else '**missed**'}"


def _verdict(goal: _Goal, session: Session, tree: Tree) -> str:
    used: list[str] = []

    def of(way: str) -> Sample:
        sample = session.figures[tree.name, way]
        if sample.fault is not None:
            used.append(way)
        return sample

    ratio = goal.ratio(of)
    if any(session.figures[tree.name, way].fault == NOT_RUN for way in used):
        return "not measured"
    if used == [way for way in used if way in {HYDROID, PYLINT, FLAKE8}] and used and goal.is_least:
        # The other tool was stopped, so that it would have been slower still.
        return f"over {ratio:.2f}" + (", met" if goal.holds(ratio) else "")
    return "not measured" if used else f"{ratio:.2f}, {'met' if goal.holds(ratio) else '**missed**'}"


def _memory(cold: Sample, tree: Tree) -> str:
    return _bounded(None if cold.fault else max(0.0, cold.peak - 100) * 1e6 / tree.lines, 100)


def _figure_table(session: Session) -> Iterator[str]:
    yield "| | " + " | ".join(tree.name for tree in session.trees) + " |"
    yield "|---" * (len(session.trees) + 1) + "|"
    yield "| lines | " + " | ".join(f"{tree.lines:,}" for tree in session.trees) + " |"
    for way in dict.fromkeys(way for _, way in session.figures):
        cells = [_cell(session.figures.get((tree.name, way))) for tree in session.trees]
        yield f"| {way} | " + " | ".join(cells) + " |"


def _cell(sample: Sample | None) -> str:
    if sample is None:
        return ""
    return sample.fault or f"{sample.wall:.2f} / {sample.user:.2f} / {sample.peak:.0f}"


def _losses(session: Session) -> Iterator[str]:
    for tree in session.trees:
        cold = session.figures[tree.name, COLD]
        for way in (RUFF, HYDROID, FLAKE8, PYLINT):
            other = session.figures[tree.name, way]
            if other.fault is None and other.wall < cold.wall:
                yield f"- {tree.name}, cold: {way} takes {other.wall:.2f} s, asyncvet {cold.wall:.2f} s."
            if other.fault is None and other.peak < cold.peak:
                yield f"- {tree.name}, cold: {way} takes {other.peak:.0f} MB, asyncvet {cold.peak:.0f} MB."
