"""The review for programs: JSON, schema version 1, which docs/reference/review.md describes.

Keys are only ever added within a version.
"""

from __future__ import annotations

import json
from collections import Counter

from asyncvet import __version__
from asyncvet.model import Finding, Severity, Span
from asyncvet.report import Examined, Output, Report
from asyncvet.report.checklist import (
    Priority,
    Verdict,
    category_counts,
    parts,
    priorities,
    verdicts,
)
from asyncvet.report.checklist.items import Item
from asyncvet.report.json import as_object

SCHEMA_VERSION = 1
_MOST_PLACES = 20
"""So many places of each kind of evidence are listed; the counts are whole."""


def render(report: Report, output: Output) -> str:  # noqa: ARG001
    """The review as one JSON object in ASCII, keys in a fixed order."""
    found = verdicts(report)
    whole = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "asyncvet", "version": __version__},
        "scope": "change" if (report.examined or Examined()).is_of_change else "project",
        "summary": _summary(report, found),
        "priorities": [_priority(priority) for priority in priorities(report)],
        "items": [_verdict(verdict, report) for verdict in found],
        "errors": [{"path": error.path, "line": error.line, "message": error.message} for error in report.errors],
    }
    return json.dumps(whole, indent=2) + "\n"


def _summary(report: Report, found: tuple[Verdict, ...]) -> dict[str, object]:
    statuses = Counter(verdict.status for verdict in found)
    severities = report.by_severity
    return {
        "passed": statuses["PASS"],
        "failed": statuses["FAIL"],
        "not_applicable": statuses["NOT APPLICABLE"],
        "not_checked": statuses["NOT CHECKED"],
        "findings": len(report.findings),
        "root_causes": len(report.causes),
        "by_severity": {severity.word: severities.get(severity, 0) for severity in sorted(Severity, reverse=True)},
        "by_category": [
            {
                "category": count.name,
                "checked": count.checked,
                "passed": count.passed,
                "failed": count.failed,
                "findings": count.findings,
            }
            for count in category_counts(found)
        ],
        "files": report.files,
        "lines": report.lines,
        "suppressed": report.suppressed,
        "unrelated": report.unrelated,
        "seconds": round(report.seconds, 3),
    }


def _priority(priority: Priority) -> dict[str, object]:
    first = priority.finding
    return {
        "severity": first.severity.word,
        "code": first.code,
        "item": first.item,
        "message": first.message,
        "path": priority.place.path,
        "line": priority.place.line,
        "entry_points": list(priority.entries),
        "root_cause": first.root_cause,
        "findings": [finding.fingerprint for finding in priority.findings],
    }


def _verdict(verdict: Verdict, report: Report) -> dict[str, object]:
    item, evidence = verdict.item, verdict.evidence
    return {
        "number": item.number,
        "category": item.category,
        "name": item.name,
        "status": verdict.status,
        "severity": verdict.severity.word,
        "checks": item.checks,
        "passes": item.passes,
        "recommendation": item.recommendation,
        "rules": list(verdict.rules),
        "evidence": {
            "good": _evidence(item.good, evidence.good),
            "subjects": _evidence(item.subject, evidence.subjects),
        },
        "left_out": verdict.left_out,
        "findings": [_finding(finding, item, report) for finding in verdict.findings],
    }


def _evidence(what: str, spans: tuple[Span, ...]) -> dict[str, object]:
    return {
        "what": what,
        "count": len(spans),
        "places": [{"path": span.path, "line": span.line} for span in spans[:_MOST_PLACES]],
    }


def _finding(finding: Finding, item: Item, report: Report) -> dict[str, object]:
    issue, recommendation = parts(finding, item)
    span = finding.span
    return {
        **as_object(finding),
        "excerpt": report.excerpts.get((span.path, span.line, span.column), ""),
        "issue": issue,
        "recommendation": recommendation,
    }
