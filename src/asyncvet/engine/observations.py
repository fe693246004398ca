"""What was seen at run time beside what was predicted: findings that were seen, alarms that were missed, calls that were left open."""

from __future__ import annotations

import itertools
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from asyncvet.engine.missed import Place, missed_alarm
from asyncvet.engine.observed import Observed
from asyncvet.graph import Project
from asyncvet.model import Finding, MissedAlarm, is_installed
from asyncvet.monitor.observation import Observation
from asyncvet.report.observations import seen_of

_OF_TASKS = frozenset({"AV107", "AV702", "AV703", "AV705", "AV706"})
"""Rules that speak of what observations call a misuse of a loop, or a wait for a result."""


class Places:
    """Finds files of a project by the paths that they had where the program ran."""

    def __init__(self, paths: Iterable[str], base: Path) -> None:
        """Know the files.

        Args:
            paths: Those of the project, relative to its base.
            base: Its base.
        """
        self._base = base
        self._by_name: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
        for path in sorted(paths):
            if not is_installed(path):
                parts = tuple(path.split("/"))
                self._by_name[parts[-1]].append(parts)
        self._known: dict[str, str | None] = {}

    def file(self, path: str) -> str | None:
        """The project's file of that path: the one that has most of its end in common with it; None if there are none or several."""
        if path not in self._known:
            self._known[path] = self._find(os.path.relpath(path, self._base) if Path(path).is_absolute() else path)
        return self._known[path]

    def _find(self, path: str) -> str | None:
        wanted = tuple(path.replace(os.sep, "/").split("/"))
        common = {parts: _common_end(parts, wanted) for parts in self._by_name[wanted[-1]]}
        most = max(common.values(), default=0)
        best = [parts for parts, length in common.items() if length == most]
        return "/".join(best[0]) if len(best) == 1 else None

    def stack(self, observation: Observation) -> tuple[Place, ...]:
        """The frames of an observation that are the project's, the outermost first."""
        return tuple(
            Place(path, frame.line, frame.function.replace("<locals>.", ""))
            for frame in observation.stack
            if (path := self.file(frame.path)) is not None
        )


def _common_end(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((count for count, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def edges(observed: Observed, places: Places) -> dict[tuple[str, int], set[tuple[str, str]]]:
    """The calls that were seen between functions of the project: file and line of the call, to file and name of what ran."""
    found: defaultdict[tuple[str, int], set[tuple[str, str]]] = defaultdict(set)
    for observation in observed.observations:
        stack = places.stack(observation)
        for caller, callee in itertools.pairwise(stack):
            found[caller.path, caller.line].add((callee.path, callee.function))
    return dict(found)


class Compared(NamedTuple):
    """Predictions beside observations.

    Attributes:
        findings: With what was seen of each; among those of one severity what took longest first.
        missed: What was seen and not predicted.
        note: How many observations came to what, in a sentence.
    """

    findings: list[Finding]
    missed: tuple[MissedAlarm, ...]
    note: str


def compare(
    observed: Observed, findings: Sequence[Finding], unreported: Sequence[Finding], project: Project, places: Places
) -> Compared:
    """Lay observations beside findings.

    Args:
        observed: The observations.
        findings: What is reported.
        unreported: What was found as well, and is suppressed or left out.
        project: The project.
        places: Its files.
    """
    known = _Heads([*findings, *unreported])
    seen: defaultdict[int, list[Observation]] = defaultdict(list)
    missed: defaultdict[tuple[Place, str], list[Observation]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for observation in observed.observations:
        stack = places.stack(observation)
        if found := known.of(observation, stack):
            counts["of findings"] += 1
            for number in found:
                seen[number].append(observation)
        elif stack and observation.kind not in ("loop-misuse", "result-wait"):
            counts["missed alarms"] += 1
            missed[stack[-1], observation.call or observation.primitive].append(observation)
        else:
            counts["of tasks and their loops" if stack else "without a place in what was read"] += 1
    marked = [replace(finding, seen=seen_of(seen[number]) if number in seen else None) for number, finding in enumerate(findings)]
    alarms = [missed_alarm(project, group[0], places.stack(group[0]), seen_of(group)) for group in missed.values()]
    told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    return Compared(
        sorted(marked, key=_order),
        tuple(sorted(alarms, key=lambda alarm: (-alarm.seen.seconds, alarm.path, alarm.line, alarm.call))),
        f"{len(observed.observations)} observations" + (f": {told}" if told else ""),
    )


def _order(finding: Finding) -> tuple[int, bool, float]:
    return -finding.severity, finding.seen is None, -finding.seen.seconds if finding.seen else 0.0


class _Heads:
    """Findings by the lines at which the event loop's function stands still."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._findings = findings
        self._heads: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        self._ends: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        for number, finding in enumerate(findings):
            for line in range(finding.span.line, finding.span.end_line + 1):
                self._heads[finding.span.path, line].append(number)
            self._ends[self._end(finding)].append(number)

    def of(self, observation: Observation, stack: Sequence[Place]) -> list[int]:
        """The findings that an observation is one of: those on its stack from head to end, else from the head, else at the end."""
        lines = [(place.path, place.line) for place in stack]
        heads = self._fitting(observation, (number for line in lines for number in self._heads.get(line, ())))
        return (
            [number for number in heads if self._end(self._findings[number]) in lines]
            or heads
            or self._fitting(observation, self._ends.get(lines[-1], ()) if lines else ())
        )

    def _fitting(self, observation: Observation, numbers: Iterable[int]) -> list[int]:
        is_of_tasks = observation.kind in ("loop-misuse", "result-wait")
        return [
            number
            for number in dict.fromkeys(numbers)
            if (self._findings[number].code in _OF_TASKS if is_of_tasks else self._findings[number].sink is not None)
        ]

    def _end(self, finding: Finding) -> tuple[str, int]:
        """The last step of a chain in a file of the project."""
        own = [(frame.path, frame.line) for frame in finding.chain if not is_installed(frame.path)]
        return own[-1] if own else (finding.span.path, finding.span.line)
