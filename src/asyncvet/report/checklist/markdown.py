"""The review as Markdown, in a form that programs which gate a change read too: a table of counts, then one section a finding."""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.model import Finding
from asyncvet.report import Examined, Output, Report, harmless, in_words
from asyncvet.report.checklist import (
    Verdict,
    category_counts,
    lines,
    parts,
    places,
    priorities,
    scope,
    verdicts,
)
from asyncvet.report.markdown import code, fenced, prose


def render(report: Report, output: Output) -> str:  # noqa: ARG001
    """The review as Markdown. What comes from the reviewed code is shown as it is and marks nothing up."""
    found = verdicts(report)
    sections = [
        "# Review of async code",
        _introduction(report),
        "## Summary",
        "\n".join(_counts(found)),
        *_priorities(report),
        "## Checklist",
        "\n".join(_checklist(found)),
        *_findings(report, found),
        *_missed(report),
        *_errors(report),
    ]
    return "\n\n".join(sections) + "\n"


def _introduction(report: Report) -> str:
    counts = ", ".join(f"{count} {severity.word}" for severity, count in report.by_severity.items())
    what = "what the change brings about" if (report.examined or Examined()).is_of_change else "the whole project"
    told = f"{len(report.findings)} findings from {len(report.causes)} root causes: {counts}" if counts else "no findings"
    accepted = f"; {report.suppressed} accepted by comments in the code" if report.suppressed else ""
    return f"Reviewed: {what}, {report.files} files, {report.lines} lines; {told}{accepted}."


def _counts(found: tuple[Verdict, ...]) -> Iterator[str]:
    yield "| Category | Items Checked | Passed | Failed | Findings |"
    yield "|---|---|---|---|---|"
    counts = category_counts(found)
    for count in counts:
        yield f"| {count.name} | {count.checked} | {count.passed} | {count.failed} | {count.findings} |"
    totals = [sum(column) for column in zip(*((c.checked, c.passed, c.failed, c.findings) for c in counts), strict=True)]
    yield f"| **Total** | {' | '.join(f'**{total}**' for total in totals)} |"


def _priorities(report: Report) -> Iterator[str]:
    listed = []
    for rank, priority in enumerate(priorities(report), 1):
        finding = priority.finding
        reach = f", {len(priority.entries)} × reached" if len(priority.entries) > 1 else ""
        where = code(f"{priority.place.path}:{priority.place.line}")
        issue = finding.message.partition("; ")[0]
        listed.append(f"{rank}. **{finding.severity.word.capitalize()}** {where}{reach}: {prose(issue)}")
    if listed:
        yield "## Priorities"
        yield "\n".join(listed)


def _checklist(found: tuple[Verdict, ...]) -> Iterator[str]:
    yield "| # | Item | Status | Severity | Evidence |"
    yield "|---|---|---|---|---|"
    for verdict in found:
        item = verdict.item
        yield f"| {item.number} | {item.name} | {verdict.status} | {verdict.severity.word.capitalize()} | {_evidence(verdict)} |"


def _evidence(verdict: Verdict) -> str:
    if verdict.status not in ("PASS", "FAIL"):
        return ""
    item, evidence = verdict.item, verdict.evidence
    where = ", ".join(code(place) for place in places(evidence.good))
    good = f"{item.good}: {len(evidence.good)}" + (f" ({where})" if where else "")
    left_out = f"; lighter findings left out: {verdict.left_out}" if verdict.left_out else ""
    return f"{good}; {item.subject}: {len(evidence.subjects)}{left_out}"


def _findings(report: Report, found: tuple[Verdict, ...]) -> Iterator[str]:
    if report.findings:
        yield "## Findings"
    for verdict in found:
        for finding in verdict.findings:
            yield _finding(finding, verdict, report)


def _finding(finding: Finding, verdict: Verdict, report: Report) -> str:
    item, span = verdict.item, finding.span
    issue, recommendation = parts(finding, item)
    fields = [
        f"### [{item.category}] {item.name}",
        "**Status**: FAIL",
        f"**Severity**: {finding.severity.word.capitalize()}",
        f"**Scope**: {scope(finding)}",
        f"**File**: {code(span.path)}",
        f"**Line(s)**: {lines(span)}",
        f"**Rule**: {finding.code} {finding.name}",
        *([f"**Seen at run time**: {prose(in_words(finding.seen))}"] if finding.seen else []),
        _block(finding, report),
        f"**Issue**: {prose(issue)}",
        f"**Recommendation**: {prose(recommendation)}",
    ]
    return "\n\n".join(fields)


def _block(finding: Finding, report: Report) -> str:
    """The source text of a finding, or each step of its chain of calls under its place."""
    span = finding.span
    if finding.chain:
        text = "\n".join(
            f"# {harmless(frame.path)}:{frame.line} in {harmless(frame.function)}\n{harmless(frame.text)}"
            for frame in finding.chain
        )
    else:
        text = harmless(report.excerpts.get((span.path, span.line, span.column), ""))
    return fenced(text)


def _missed(report: Report) -> Iterator[str]:
    if report.missed_alarms:
        yield "## Missed alarms"
        yield "Seen at run time and not predicted."
        yield "\n".join(
            f"- {code(f'{alarm.path}:{alarm.line}')}: {code(alarm.call)}, {prose(in_words(alarm.seen))}. {prose(alarm.reason)}"
            for alarm in report.missed_alarms
        )


def _errors(report: Report) -> Iterator[str]:
    if report.errors:
        yield "## Not reviewed"
        yield "\n".join(
            f"- {code(f'{error.path}:{error.line}' if error.line else error.path)}: {prose(error.message)}"
            if error.path
            else f"- {prose(error.message)}"
            for error in report.errors
        )
