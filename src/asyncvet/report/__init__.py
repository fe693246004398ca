"""What a review found, and the formats it can be written in: each module of this package is one, named after it.

A format's module has one function, `render(report, output)`, that gives the whole text. It decides nothing: what a report holds,
the engine put there. Packages below this one are no formats of it: what several share, and reports of another kind.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import msgspec

from asyncvet.model import Evidence, Finding, MissedAlarm, ReadError, Seen, Severity

REQUESTS = 3
"""So many of the requests that were served while a place was seen are named."""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What the verdicts on the checklist's items need beside the findings.

    Attributes:
        evidence: Of each item, by number.
        rules: The rules that ran to their end, by code, with the number of each one's item.
        broken: Items of which a rule broke down.
        left_out: Number of findings lighter than the report was asked for, by item.
        is_of_change: Only what a change brings about was looked at.
    """

    evidence: tuple[Evidence, ...] = ()
    rules: dict[str, int] = {}
    broken: tuple[int, ...] = ()
    left_out: dict[int, int] = {}
    is_of_change: bool = False


class RuleText(msgspec.Struct, frozen=True):
    """What a rule says about itself.

    Attributes:
        page: Its whole page, Markdown; the first paragraph is what it checks for.
    """

    code: str
    name: str
    severity: Severity
    page: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a review. All but `seconds`, `cached_files` and a note on the cache depends on the files and the settings alone.

    Attributes:
        findings: The gravest first, among these what took longest at run time, then by place.
        errors: What could not be read, by place; then what is wrong with comments that accept findings; then entries of the
            baseline that are gone; then, without a path, which rules broke down.
        files: Number of files read.
        lines: Number of lines read.
        seconds: How long the review took.
        cached_files: How many files, those of installed packages included, were known from an earlier review.
        notes: What a reader should know of how the review went, in sentences: what was skipped, what is wrong with the cache.
        unresolved_calls: Calls of which nothing is known about what they run.
        test_files_skipped: Test files that were read and whose findings are not reported.
        generated_files_skipped: The same of files that say they are generated.
        suppressed: Findings that comments in the code silence.
        accepted: Those findings, in the same order.
        in_baseline: Number of findings that the baseline accepts.
        unrelated: Findings that the change under review does not bring about.
        failed_rules: Codes of the rules that broke down.
        statistics: Further counts of the graph, by name.
        excerpts: The source text at the place of each finding, on one line: path, line and column to text.
        marks: Where in that text the code at the place starts and ends, in characters.
        rules: The rules that found any of `findings` and `accepted`, by code.
        examined: What the checklist's verdicts are made of, if the review was asked for it.
        missed_alarms: What was seen at run time and not predicted, what took longest first.
    """

    findings: tuple[Finding, ...] = ()
    errors: tuple[ReadError, ...] = ()
    files: int = 0
    lines: int = 0
    seconds: float = 0.0
    cached_files: int = 0
    notes: tuple[str, ...] = ()
    unresolved_calls: int = 0
    test_files_skipped: int = 0
    generated_files_skipped: int = 0
    suppressed: int = 0
    accepted: tuple[Finding, ...] = ()
    in_baseline: int = 0
    unrelated: int = 0
    failed_rules: tuple[str, ...] = ()
    statistics: dict[str, int] = {}
    excerpts: dict[tuple[str, int, int], str] = {}
    marks: dict[tuple[str, int, int], tuple[int, int]] = {}
    rules: tuple[RuleText, ...] = ()
    examined: Examined | None = None
    missed_alarms: tuple[MissedAlarm, ...] = ()

    @property
    def by_severity(self) -> dict[Severity, int]:
        """Number of findings of each severity that has any, the gravest first."""
        counts = Counter(finding.severity for finding in self.findings)
        return dict(sorted(counts.items(), reverse=True))

    @property
    def by_code(self) -> dict[str, int]:
        """Number of findings of each rule that has any, by code."""
        return dict(sorted(Counter(finding.code for finding in self.findings).items()))

    @property
    def causes(self) -> list[list[Finding]]:
        """The findings by root cause: the gravest first, then what took longest at run time, then those with most findings, then by place.

        In each the gravest is first, then what took longest, then what most entry points reach.
        """
        groups: defaultdict[str, list[Finding]] = defaultdict(list)
        for finding in self.findings:
            groups[finding.root_cause].append(finding)
        causes = [sorted(group, key=_weight) for group in groups.values()]
        return sorted(causes, key=lambda cause: (*_gravity(cause[0]), -len(cause), cause[0].span, cause[0].code))


def _gravity(finding: Finding) -> tuple[int, int, float]:
    """The gravest first; among these what was seen at run time, what took longest first."""
    return -finding.severity, finding.seen is None, -finding.seen.seconds if finding.seen else 0.0


def _weight(finding: Finding) -> tuple[int, int, float, int, int]:
    return *_gravity(finding), -len(finding.runs_in), len(finding.chain)


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """Where a report goes.

    Attributes:
        colour: It is read by a person at a terminal that shows colours.
        links: Folder that the report's paths are relative to, if the terminal shows links to files; else None.
        width: Columns of the terminal; None if it has no width.
        encoding: What its characters are encoded in.
        verbose: Leave nothing out.
    """

    colour: bool = False
    links: Path | None = None
    width: int | None = None
    encoding: str = "utf-8"
    verbose: bool = False


_SEMICOLON = re.compile(r"; (?=[^`]*(?:`[^`]*`[^`]*)*$)")
"""A semicolon outside backquotes."""

Render = Callable[[Report, Output], str]


def formats() -> tuple[str, ...]:
    """Names of the formats, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg))


@functools.cache
def load(name: str) -> Render:
    """The `render` function of a format that `formats` names."""
    render: Render = importlib.import_module(f"{__name__}.{name}").render
    return render


def split_message(message: str) -> tuple[str, list[str]]:
    """What a message says is wrong, and what it says to do about it."""
    what, *remedies = _SEMICOLON.split(message)
    return what, [remedy.strip() for remedy in remedies if remedy.strip()]


def in_words(seen: Seen) -> str:
    """What observations say of a place, in words: ``37 times, p95 120 ms, GET /items``."""
    words = [f"{seen.times:,} time{'' if seen.times == 1 else 's'}"]
    if seen.p95 is not None:
        words.append(f"p95 {seen.p95 * 1000:.3g} ms" if seen.p95 < 1 else f"p95 {seen.p95:.3g} s")
    words += seen.requests[:REQUESTS]
    return ", ".join(words) + (f" (+{len(seen.requests) - REQUESTS})" if len(seen.requests) > REQUESTS else "")


def harmless(text: str) -> str:
    """The text with every character that a terminal would obey, or not show, written as an escape."""
    text = text.replace("\t", "    ")
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text)
