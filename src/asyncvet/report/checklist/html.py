"""The review as one HTML file that needs no other: no scripts, no fonts, nothing from outside. Filters are check boxes and CSS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape

from asyncvet import __version__
from asyncvet.model import Finding, Severity
from asyncvet.report import Examined, Output, Report
from asyncvet.report.checklist import (
    Status,
    Verdict,
    category_counts,
    lines,
    parts,
    places,
    priorities,
    scope,
    verdicts,
)
from asyncvet.report.checklist.items import CATEGORIES
from asyncvet.report.pages import anchor, badge, effects, errors, missed, page, prose, source, text
from asyncvet.report.pages.style import STYLE
from asyncvet.report.text import counted

_CLASSES: dict[Status, str] = {"PASS": "pass", "FAIL": "fail", "NOT APPLICABLE": "none", "NOT CHECKED": "none"}


def render(report: Report, output: Output) -> str:  # noqa: ARG001
    """The review as a page. What comes from the reviewed code is text in it, never markup."""
    found = verdicts(report)
    body = "\n".join(
        [
            *_header(report, found),
            *_filters(report),
            "<main>",
            *_priorities(report),
            *_counts(found),
            *(line for category in CATEGORIES for line in _category(category, found, report)),
            *missed(report),
            *errors(report),
            "</main>",
            f"<footer>{counted(report.files, 'file')}, {counted(report.lines, 'line')}; asyncvet {escape(__version__)}</footer>",
        ]
    )
    return page("Review of async code", _style(), body)


def _style() -> str:
    hiding = [f"#{name}:not(:checked) ~ main .{name} {{ display: none; }}" for name in (*_severities(), *_categories())]
    return "\n".join([STYLE.strip(), *hiding])


def _severities() -> dict[str, Severity]:
    """The severities by the id of their filter, the gravest first."""
    return {f"s-{severity.word}": severity for severity in sorted(Severity, reverse=True)}


def _categories() -> dict[str, str]:
    """The categories by the id of their filter."""
    return {f"c-{number}": category for number, category in enumerate(CATEGORIES, 1)}


# --- the whole ------------------------------------------------------------------------------------


def _header(report: Report, found: tuple[Verdict, ...]) -> Iterator[str]:
    statuses = Counter(verdict.status for verdict in found)
    is_of_change = (report.examined or Examined()).is_of_change
    yield "<header>"
    yield "<h1>Review of async code</h1>"
    yield f"<p>{'What the change brings about' if is_of_change else 'The whole project'}: {_findings_told(report)}</p>"
    yield '<ul class="tiles">'
    for status, kind in _CLASSES.items():
        if statuses[status] or status in ("PASS", "FAIL"):
            yield f'<li class="{kind}"><b>{statuses[status]}</b> {status.lower()}</li>'
    for severity, count in report.by_severity.items():
        yield f'<li class="{severity.word}"><b>{count}</b> {severity.word}</li>'
    yield "</ul>"
    yield "</header>"


def _findings_told(report: Report) -> str:
    told = f"{counted(len(report.findings), 'finding')} from {counted(len(report.causes), 'root cause')}"
    return told + (f", {report.suppressed} more accepted by comments in the code" if report.suppressed else "")


def _filters(report: Report) -> Iterator[str]:
    """Check boxes that hide findings. They stand beside what they hide, as only siblings can be selected."""
    severities = {name: severity.word for name, severity in _severities().items() if severity in report.by_severity}
    shown = {finding.item for finding in report.findings}
    categories = {
        name: category
        for name, category in _categories().items()
        if any(verdict.item.category == category and verdict.item.number in shown for verdict in verdicts(report))
    }
    for label, boxes in (("Severity", severities), ("Category", categories)):
        if boxes:
            yield f'<span class="filter">{label}</span>'
        for name, word in boxes.items():
            yield f'<input type="checkbox" id="{name}" checked><label for="{name}">{word}</label>'
        if boxes:
            yield "<br>"


def _priorities(report: Report) -> Iterator[str]:
    first = priorities(report)
    if not first:
        return
    yield "<section><h2>To edit first</h2><ol>"
    for priority in first:
        finding = priority.finding
        yield (
            f'<li class="s-{finding.severity.word}">{badge(finding.severity)} '
            f'<a href="#{anchor(finding)}">{prose(finding.message.partition("; ")[0])}</a>'
            f"<small>{text(f'{priority.place.path}:{priority.place.line}')}"
            f" · {counted(len(priority.findings), 'finding')} · {counted(len(priority.entries), 'way')} in</small></li>"
        )
    yield "</ol></section>"


def _counts(found: tuple[Verdict, ...]) -> Iterator[str]:
    yield "<section><h2>Categories</h2><table>"
    yield "<tr><th>Category</th><th>Checked</th><th>Passed</th><th>Failed</th><th>Findings</th></tr>"
    for count in category_counts(found):
        cells = "".join(f"<td>{number}</td>" for number in (count.checked, count.passed, count.failed, count.findings))
        yield f"<tr><td>{count.name}</td>{cells}</tr>"
    yield "</table></section>"


# --- items and findings ---------------------------------------------------------------------------


def _category(category: str, found: tuple[Verdict, ...], report: Report) -> Iterator[str]:
    name = next(name for name, text in _categories().items() if text == category)
    yield f'<section class="{name}"><h2>{category}</h2>'
    for verdict in found:
        if verdict.item.category == category:
            yield from _verdict(verdict, report)
    yield "</section>"


def _verdict(verdict: Verdict, report: Report) -> Iterator[str]:
    item, evidence = verdict.item, verdict.evidence
    is_open = " open" if verdict.findings else ""
    yield f'<details{is_open}><summary><span class="status {_CLASSES[verdict.status]}">{verdict.status}</span>'
    count = f" <small>{counted(len(verdict.findings), 'finding')}</small>" if verdict.findings else ""
    yield f"{item.number}. {prose(item.name)} {badge(verdict.severity)}{count}</summary>"
    where = "".join(f"<li><code>{text(place)}</code></li>" for place in places(evidence.good))
    yield '<dl class="item">'
    yield f"<dt>Checked</dt><dd>{prose(item.checks)}</dd>"
    yield f"<dt>Passes</dt><dd>{prose(item.passes)}</dd>"
    yield f"<dt>Evidence</dt><dd>{prose(item.good)}: {len(evidence.good)}; {prose(item.subject)}: {len(evidence.subjects)}"
    yield f"<ul>{where}</ul></dd>" if where else "</dd>"
    if verdict.left_out:
        yield f"<dt>Left out</dt><dd>{counted(verdict.left_out, 'lighter finding')}</dd>"
    yield "</dl>"
    for finding in verdict.findings:
        yield from _finding(finding, verdict, report)
    yield "</details>"


def _finding(finding: Finding, verdict: Verdict, report: Report) -> Iterator[str]:
    issue, recommendation = parts(finding, verdict.item)
    span = finding.span
    yield f'<article class="s-{finding.severity.word}" id="{anchor(finding)}">'
    yield f"<h3>{badge(finding.severity)} {prose(issue)}</h3>"
    yield (
        f'<p class="place"><code>{text(span.path)}:{lines(span)}</code> in <code>{text(finding.function)}</code>'
        f" · {finding.code} {text(finding.name)}" + (f" · {scope(finding)}" if finding.scope else "") + "</p>"
    )
    yield from source(finding, report)
    yield from effects(finding)
    yield f'<p class="remedy"><b>Recommendation:</b> {prose(recommendation)}</p>'
    if finding.advice:
        yield f"<p>{prose(finding.advice)}</p>"
    yield "</article>"
