"""The findings of a report counted by rule: `check --statistics`."""

from __future__ import annotations

import json
from collections import defaultdict

import msgspec

from asyncvet.model import Finding, Severity
from asyncvet.report import Output, Render, Report
from asyncvet.report.text import STYLES, Paint, tally, written


class RuleCount(msgspec.Struct, frozen=True):
    """The findings of one rule in numbers.

    Attributes:
        severity: Of the gravest.
        findings: How many there are.
        root_causes: How many edits would end them.
        fixable: How many have a fix.
    """

    code: str
    name: str
    severity: Severity
    findings: int
    root_causes: int
    fixable: int


def counts(report: Report) -> tuple[RuleCount, ...]:
    """Of each rule that found anything: the one with most findings first."""
    groups: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        groups[finding.code].append(finding)
    counted = [
        RuleCount(
            code,
            group[0].name,
            max(finding.severity for finding in group),
            len(group),
            len({finding.root_cause for finding in group}),
            sum(finding.fix is not None for finding in group),
        )
        for code, group in groups.items()
    ]
    return tuple(sorted(counted, key=lambda count: (-count.findings, count.code)))


def _as_text(report: Report, output: Output) -> str:
    """The counts as a table, and their sum."""
    found = counts(report)
    width = max((len(count.name) for count in found), default=0)
    head = f"findings  causes  fixable  code   {'rule':{width}}  severity"

    def table(_: Output, paint: Paint) -> list[str]:
        rows = [
            f"{count.findings:8,}  {count.root_causes:6,}  {count.fixable:7,}  {count.code:5}  {count.name:{width}}  "
            f"{paint(count.severity.word, STYLES[count.severity])}"
            for count in found
        ]
        return [*(["\n".join([head, *rows])] if rows else []), tally(report, paint)]

    return written(output, table)


def _as_json(report: Report, output: Output) -> str:  # noqa: ARG001
    """The counts as a JSON list."""
    return (
        json.dumps([{**msgspec.structs.asdict(count), "severity": count.severity.word} for count in counts(report)], indent=2)
        + "\n"
    )


FORMATS: dict[str, Render] = {"json": _as_json, "text": _as_text}
"""What writes the counts, by format."""
