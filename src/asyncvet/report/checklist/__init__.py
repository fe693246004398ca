"""The verdicts on the checklist's items, and the formats they can be written in: each module in `FORMATS` is one.

What decides is in the report: findings, evidence, and which rules ran. Here it is put in the checklist's order.
"""

from __future__ import annotations

import functools
import importlib
from typing import Literal

import msgspec

from asyncvet.model import Evidence, Finding, Severity, Span
from asyncvet.report import Examined, Render, Report, split_message
from asyncvet.report.checklist.items import CATEGORIES, ITEMS, Item

FORMATS = ("html", "json", "markdown", "text")
SHOWN_PLACES = 3
"""So many places of each kind of evidence are named."""
PRIORITIES = 5
"""So many root causes are in the summary."""

Status = Literal["PASS", "FAIL", "NOT APPLICABLE", "NOT CHECKED"]


class Verdict(msgspec.Struct, frozen=True):
    """What a review says of one item.

    Attributes:
        status: FAIL if any of its rules fires; else NOT CHECKED if none of them ran or one broke down; else PASS if the code has
            anything that the item speaks of; else NOT APPLICABLE.
        findings: Those of its rules, the gravest first.
        rules: Codes of its rules that ran.
        left_out: Number of findings lighter than the report was asked for.
    """

    item: Item
    status: Status
    evidence: Evidence
    findings: tuple[Finding, ...]
    rules: tuple[str, ...]
    left_out: int

    @property
    def severity(self) -> Severity:
        """Of the gravest finding, or the item's own where there is none."""
        return max((finding.severity for finding in self.findings), default=self.item.severity)


class CategoryCount(msgspec.Struct, frozen=True):
    """The verdicts on one category in numbers; `checked` are the items that passed or failed."""

    name: str
    checked: int
    passed: int
    failed: int
    findings: int


class Priority(msgspec.Struct, frozen=True):
    """A root cause that is worth an edit before others.

    Attributes:
        findings: What the edit would end, the gravest first.
        place: Where the cause is: the end of the chain, or the finding's own place.
        entries: What enters the code and reaches it.
    """

    findings: tuple[Finding, ...]
    place: Span
    entries: tuple[str, ...]

    @property
    def finding(self) -> Finding:
        """The gravest."""
        return self.findings[0]


def verdicts(report: Report) -> tuple[Verdict, ...]:
    """The verdicts on all items, in their order."""
    examined = report.examined or Examined()
    evidence = {each.item: each for each in examined.evidence}
    return tuple(_verdict(item, report, examined, evidence.get(item.number, Evidence(item.number))) for item in ITEMS)


def _verdict(item: Item, report: Report, examined: Examined, evidence: Evidence) -> Verdict:
    findings = tuple(finding for finding in report.findings if finding.item == item.number)
    ran = tuple(code for code, number in examined.rules.items() if number == item.number)
    left_out = examined.left_out.get(item.number, 0)
    status: Status
    if findings or left_out:
        status = "FAIL"
    elif not ran or item.number in examined.broken:
        status = "NOT CHECKED"
    else:
        status = "PASS" if evidence.subjects or evidence.good else "NOT APPLICABLE"
    return Verdict(item, status, evidence, findings, ran, left_out)


def category_counts(found: tuple[Verdict, ...]) -> tuple[CategoryCount, ...]:
    """The verdicts in numbers, category by category."""
    counts = []
    for name in CATEGORIES:
        own = [verdict for verdict in found if verdict.item.category == name]
        passed, failed = (sum(verdict.status == status for verdict in own) for status in ("PASS", "FAIL"))
        counts.append(CategoryCount(name, passed + failed, passed, failed, sum(len(verdict.findings) for verdict in own)))
    return tuple(counts)


def priorities(report: Report) -> tuple[Priority, ...]:
    """The root causes by severity, then by how many entry points reach them, then by how many places they show in."""
    causes = [_priority(cause) for cause in report.causes]
    causes.sort(key=lambda cause: (-cause.finding.severity, -len(cause.entries), -len(cause.findings), cause.place))
    return tuple(causes[:PRIORITIES])


def _priority(cause: list[Finding]) -> Priority:
    first = cause[0]
    place = first.span
    if first.chain:
        end = first.chain[-1]
        place = Span(end.path, end.line, end.column, end.line, end.column)
    return Priority(tuple(cause), place, tuple(dict.fromkeys(entry for finding in cause for entry in finding.runs_in)))


def parts(finding: Finding, item: Item) -> tuple[str, str]:
    """What is wrong, and what to do about it: what the message says, or else what the item recommends."""
    issue, remedies = split_message(finding.message)
    return issue, "; ".join(remedies) or item.recommendation


def places(spans: tuple[Span, ...]) -> tuple[str, ...]:
    """The first few places, one a line of a file."""
    return tuple(dict.fromkeys(f"{span.path}:{span.line}" for span in spans))[:SHOWN_PLACES]


def lines(span: Span) -> str:
    """The lines of a span: `3`, or `3-5`."""
    return f"{span.line}" if span.line == span.end_line else f"{span.line}-{span.end_line}"


def scope(finding: Finding) -> str:
    """What the change under review has to do with a finding."""
    return {"changed": "Changed code", "impact": "Impact analysis", None: "Whole project"}[finding.scope]


@functools.cache
def load(name: str) -> Render:
    """The `render` function of one of the `FORMATS`."""
    render: Render = importlib.import_module(f"{__name__}.{name}").render
    return render
