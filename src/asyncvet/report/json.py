"""The report for programs: JSON, schema version 1. Keys are only ever added within a version."""

from __future__ import annotations

import json

from asyncvet import __version__
from asyncvet.model import Finding, Fix, MissedAlarm, ReadError, Seen, Severity
from asyncvet.report import Output, Report

SCHEMA_VERSION = 1


def render(report: Report, output: Output) -> str:  # noqa: ARG001
    """The report as one JSON object in ASCII, keys in a fixed order."""
    content = {
        **heading(),
        "summary": summary(report),
        "findings": [as_object(finding) for finding in report.findings],
        "errors": [error_object(error) for error in report.errors],
        "notes": list(report.notes),
        "missed_alarms": [_missed(alarm) for alarm in report.missed_alarms],
    }
    return json.dumps(content, indent=2) + "\n"


def heading() -> dict[str, object]:
    """What every JSON begins with."""
    return {"schema_version": SCHEMA_VERSION, "tool": {"name": "asyncvet", "version": __version__}}


def error_object(error: ReadError) -> dict[str, object]:
    """What is missing from a review, as it stands in reports."""
    return {"path": error.path, "line": error.line, "message": error.message}


def summary(report: Report) -> dict[str, object]:
    """The counts of a report."""
    counts = report.by_severity
    return {
        "files": report.files,
        "lines": report.lines,
        "findings": len(report.findings),
        "root_causes": len(report.causes),
        "by_severity": {severity.word: counts.get(severity, 0) for severity in sorted(Severity, reverse=True)},
        "by_code": report.by_code,
        "suppressed": report.suppressed,
        "in_baseline": report.in_baseline,
        "seconds": round(report.seconds, 3),
        "cached_files": report.cached_files,
        "unresolved_calls": report.unresolved_calls,
    }


def as_object(finding: Finding) -> dict[str, object]:
    """A finding as it stands in reports."""
    span, sink = finding.span, finding.sink
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.word,
        "item": finding.item,
        "path": span.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "function": finding.function,
        "message": finding.message,
        "advice": finding.advice,
        "docs": f"asyncvet rule {finding.code}",
        "sink": sink and {"name": sink.name, "category": sink.category, "stall": sink.stall, "bound": sink.bound},
        "chain": [
            {"path": frame.path, "line": frame.line, "column": frame.column, "function": frame.function, "text": frame.text}
            for frame in finding.chain
        ],
        "runs_in": list(finding.runs_in),
        "runs_once": finding.runs_once,
        "root_cause": finding.root_cause,
        "fingerprint": finding.fingerprint,
        "scope": finding.scope,
        "fix": finding.fix and _fix(finding.fix),
        "seen": finding.seen and _seen(finding.seen),
    }


def _seen(seen: Seen) -> dict[str, object]:
    p95 = None if seen.p95 is None else round(seen.p95, 6)
    return {"times": seen.times, "seconds": round(seen.seconds, 6), "p95": p95, "requests": list(seen.requests)}


def _missed(alarm: MissedAlarm) -> dict[str, object]:
    return {
        "path": alarm.path,
        "line": alarm.line,
        "function": alarm.function,
        "call": alarm.call,
        "seen": _seen(alarm.seen),
        "reason": alarm.reason,
        "entry": alarm.entry,
    }


def _fix(fix: Fix) -> dict[str, object]:
    return {
        "safety": fix.safety,
        "title": fix.title,
        "edits": [
            {
                "path": edit.span.path,
                "line": edit.span.line,
                "column": edit.span.column,
                "end_line": edit.span.end_line,
                "end_column": edit.span.end_column,
                "text": edit.text,
            }
            for edit in fix.edits
        ],
    }
