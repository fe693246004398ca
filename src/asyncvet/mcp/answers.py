"""Answers that fit a context window: what matters most first, a page at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pydantic import BaseModel, Field

from asyncvet.config import UsageError
from asyncvet.model import Finding
from asyncvet.report import Report, harmless

LEAST, USUAL, MOST = 1_000, 8_000, 60_000
"""Characters of an answer: what may be asked for, and what it is unless something is asked for."""

_CONTEXTS = 3
_PLACES = 5
_ERRORS = 5
"""So many of each are named; the rest is counted."""


class Cause(BaseModel):
    """One root cause: the gravest of the findings that one edit would end together, and where the others are."""

    code: str
    rule: str
    severity: str
    path: str
    line: int
    column: int
    function: str = Field(description="qualified name of the function that holds the line")
    message: str = Field(description="what is wrong, and what to write instead")
    chain: list[str] = Field(description="the calls from that line to the one that blocks: `path:line function: text`")
    runs_in: list[str] = Field(description="what enters the code there")
    scope: str | None = Field(
        description="in a review of a change: `changed` is in changed lines, `impact` is reached by the change"
    )
    fix: str | None = Field(description="title of the automatic fix, which fix_preview shows")
    findings: int = Field(description="number of findings of this cause")
    also: list[str] = Field(description="places of its other findings: `path:line`")


class Page(BaseModel):
    """One page of the causes. Ask again with `next_cursor` for the next."""

    findings: int = Field(description="of all pages")
    root_causes: int = Field(description="of all pages")
    by_severity: dict[str, int]
    causes: list[Cause] = Field(description="of this page, the gravest first")
    next_cursor: str | None
    not_read: list[str] = Field(description="files that could not be read, and comments that silence nothing")
    verdicts: dict[str, int] = Field(
        default={}, description="in a review of a change: verdicts on the checklist's items, counted"
    )

    @property
    def text(self) -> str:
        """The page for reading."""
        counts = ", ".join(f"{count} {severity}" for severity, count in self.by_severity.items())
        lines = [
            f"{_count(self.findings, 'finding')} from {_count(self.root_causes, 'root cause')}{f': {counts}' if counts else ''}"
        ]
        if self.verdicts:
            lines.append(f"checklist: {', '.join(f'{count} {verdict}' for verdict, count in self.verdicts.items())}")
        lines += [f"not read: {problem}" for problem in self.not_read]
        lines += [line for cause in self.causes for line in ("", *text_of(cause))]
        if self.next_cursor is not None:
            lines += ["", f"more: ask again with cursor={self.next_cursor!r}"]
        return "\n".join(map(harmless, lines))


def page(report: Report, most: int, cursor: str | None, verdicts: dict[str, int] | None = None) -> Page:
    """A page of a report's root causes that has about so many characters at the most, and one cause at the least.

    Raises:
        UsageError: The cursor is none, or of other findings than these.
    """
    causes = [_cause(group) for group in report.causes]
    identity = _identity(report)
    start = _start(cursor, identity, len(causes))
    shown: list[Cause] = []
    room = most
    for cause in causes[start:]:
        room -= sum(len(line) + 1 for line in text_of(cause)) + 1
        if room < 0 and shown:
            break
        shown.append(cause)
    end = start + len(shown)
    problems = [f"{error.path}:{error.line or 1}: {error.message}" for error in report.errors[:_ERRORS]]
    rest = len(report.errors) - _ERRORS
    return Page(
        findings=len(report.findings),
        root_causes=len(causes),
        by_severity={severity.word: count for severity, count in report.by_severity.items()},
        causes=shown,
        next_cursor=f"{end}-{identity}" if end < len(causes) else None,
        not_read=[*problems, *([f"and {rest} more"] if rest > 0 else [])],
        verdicts=verdicts or {},
    )


def text_of(cause: Cause) -> list[str]:
    """A cause for reading."""
    scope = f" ({cause.scope})" if cause.scope else ""
    lines = [f"{cause.path}:{cause.line}:{cause.column}: {cause.code} {cause.rule} {cause.severity}{scope}", f"  {cause.message}"]
    lines += [f"  | {step}" for step in cause.chain]
    if cause.runs_in:
        lines.append(f"  runs in: {'; '.join(cause.runs_in)}")
    if cause.also:
        lines.append(f"  also: {', '.join(cause.also)}")
    if cause.fix is not None:
        lines.append(f"  fix: {cause.fix} (fix_preview shows it)")
    return lines


def cut(text: str, most: int) -> tuple[str, bool]:
    """A text with its end left out if it is longer, and whether it is."""
    if len(text) <= most:
        return text, False
    return f"{text[:most].rpartition(chr(10))[0]}\n[... cut at {most} characters; ask for more by max_characters]\n", True


def _cause(group: Sequence[Finding]) -> Cause:
    first, *others = group
    places = list(dict.fromkeys(f"{other.span.path}:{other.span.line}" for other in others))
    return Cause(
        code=first.code,
        rule=first.name,
        severity=first.severity.word,
        path=first.span.path,
        line=first.span.line,
        column=first.span.column,
        function=first.function,
        message=first.message,
        chain=[f"{frame.path}:{frame.line} {frame.function}: {frame.text}" for frame in first.chain],
        runs_in=_first(first.runs_in, _CONTEXTS),
        scope=first.scope,
        fix=first.fix.title if first.fix is not None else None,
        findings=len(group),
        also=_first(places, _PLACES),
    )


def _first(words: Sequence[str], most: int) -> list[str]:
    rest = len(words) - most
    return [*words[:most], *([f"and {rest} more"] if rest > 0 else [])]


def _identity(report: Report) -> str:
    """What tells the findings of a report from others: a page must go on where the last one ended."""
    digest = hashlib.blake2b(digest_size=4)
    for finding in report.findings:
        digest.update(f"{finding.fingerprint} {finding.span.line}\n".encode())
    return digest.hexdigest()


def _start(cursor: str | None, identity: str, count: int) -> int:
    if cursor is None:
        return 0
    number, _, of = cursor.partition("-")
    if not number.isdecimal() or not of:
        raise UsageError(f"`{cursor}` is no cursor; take next_cursor of the page before, or leave it out for the first page")
    if of != identity or int(number) >= count:
        raise UsageError("the findings are others than when this cursor was given; leave it out and begin again")
    return int(number)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
