"""The report as GitLab's code quality: a list of issues, which GitLab shows in the diff of a merge request."""

from __future__ import annotations

import hashlib
import json

from asyncvet.model import Finding, ReadError, Severity
from asyncvet.report import Output, Report, harmless, split_message

_LEVELS = {Severity.CRITICAL: "critical", Severity.HIGH: "major", Severity.MEDIUM: "minor", Severity.LOW: "info"}


def render(report: Report, output: Output) -> str:  # noqa: ARG001
    """The report as a JSON list in ASCII: an issue for each finding, then for each error."""
    issues = [*map(_finding, report.findings), *map(_error, report.errors)]
    return json.dumps(issues, indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, object]:
    span = finding.span
    issue, remedies = split_message(finding.message)
    end = f" ({finding.chain[-1].path}:{finding.chain[-1].line})" if len(finding.chain) > 1 else ""
    return _issue(
        f"{finding.code} {finding.name}",
        "; ".join([issue + end, *remedies]),
        _LEVELS[finding.severity],
        finding.fingerprint,
        (span.path, span.line, span.end_line),
    )


def _error(error: ReadError) -> dict[str, object]:
    digest = hashlib.blake2b(repr((error.path, error.line, error.message)).encode(), digest_size=8).hexdigest()
    line = error.line or 1
    return _issue("not reviewed", error.message, "minor", digest, (error.path or ".", line, line))


def _issue(name: str, description: str, severity: str, fingerprint: str, place: tuple[str, int, int]) -> dict[str, object]:
    path, line, end_line = place
    return {
        "check_name": name,
        "description": harmless(description),
        "severity": severity,
        "fingerprint": fingerprint,
        "location": {"path": harmless(path), "lines": {"begin": line, "end": end_line}},
    }
