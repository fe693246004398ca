"""The review for people: what to edit first, a verdict on each item, then the findings of the items that fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec.structs import replace

from asyncvet.report import Output, Report, harmless
from asyncvet.report.checklist import Priority, Status, Verdict, places, priorities, verdicts
from asyncvet.report.checklist.items import CATEGORIES
from asyncvet.report.text import STYLES, Paint, counted, endings, entry, wrapped, written

STATUS_STYLES: dict[Status, str] = {"PASS": "green", "FAIL": "bold red", "NOT APPLICABLE": "dim", "NOT CHECKED": "dim"}
_SHORT: dict[Status, str] = {"PASS": "PASS", "FAIL": "FAIL", "NOT APPLICABLE": "n/a ", "NOT CHECKED": "?   "}
_INDENT = " " * 10


def render(report: Report, output: Output) -> str:
    """The review as lines of text. What comes from the reviewed code holds no control characters any more."""
    return written(output, lambda fitted, paint: _parts(report, fitted, paint))


def _parts(report: Report, output: Output, paint: Paint) -> Iterator[str]:
    found = verdicts(report)
    yield paint(_title(report, found), "bold")
    if first := priorities(report):
        yield "\n".join(_priorities(first, output, paint))
    for category in CATEGORIES:
        own = [verdict for verdict in found if verdict.item.category == category]
        yield "\n".join([paint(category, "bold"), *(line for verdict in own for line in _verdict(verdict, output, paint))])
    for verdict in found:
        if verdict.findings:
            yield "\n".join(_heading(verdict, output, paint))
            own_report = replace(report, findings=verdict.findings)
            yield from ("\n".join(entry(cause, own_report, output, paint)) for cause in own_report.causes)
    yield from endings(report, output, paint)


def _title(report: Report, found: tuple[Verdict, ...]) -> str:
    counts = Counter(verdict.status for verdict in found)
    words: dict[Status, str] = {
        "FAIL": "fail" if counts["FAIL"] != 1 else "fails",
        "PASS": "pass" if counts["PASS"] != 1 else "passes",
        "NOT APPLICABLE": "not applicable",
        "NOT CHECKED": "not checked",
    }
    told = ", ".join(f"{counts[status]} {word}" for status, word in words.items() if counts[status] or status in ("FAIL", "PASS"))
    of_change = "what the change brings about, " if report.examined and report.examined.is_of_change else ""
    return f"Review of async code: {of_change}{len(found)} items: {told}"


def _priorities(first: tuple[Priority, ...], output: Output, paint: Paint) -> Iterator[str]:
    yield paint("To edit first", "bold")
    for rank, priority in enumerate(first, 1):
        finding = priority.finding
        lead = f"  {rank}. {finding.severity.word:8}  "
        issue = finding.message.partition("; ")[0]
        head, *rest = wrapped(harmless(issue), output.width, lead, " " * len(lead))
        yield head.replace(finding.severity.word, paint(finding.severity.word, STYLES[finding.severity]), 1)
        yield from rest
        yield from wrapped(_reach(priority), output.width, " " * len(lead), " " * len(lead))


def _reach(priority: Priority) -> str:
    """Where a root cause is and how far it goes."""
    reached = [counted(len(priority.entries), "way in")] if priority.entries else []
    if len(priority.findings) > 1:
        reached.append(f"shows in {counted(len(priority.findings), 'place')}")
    return harmless("; ".join([f"{priority.place.path}:{priority.place.line}", *reached])).replace("way ins", "ways in")


def _verdict(verdict: Verdict, output: Output, paint: Paint) -> Iterator[str]:
    status = paint(_SHORT[verdict.status], STATUS_STYLES[verdict.status])
    number = f"{verdict.item.number:2}"
    told = f"  {_failure(verdict)}" if verdict.status == "FAIL" else ""
    yield f"  {status}  {number}  {verdict.item.name}{told}"
    if verdict.status in ("PASS", "FAIL"):
        yield from (paint(line, "dim") for line in wrapped(_evidence(verdict), output.width, _INDENT, _INDENT))


def _failure(verdict: Verdict) -> str:
    told = [counted(len(verdict.findings), "finding")] if verdict.findings else []
    if verdict.left_out:
        told.append(f"{verdict.left_out} lighter left out")
    return f"({verdict.severity.word}: {', '.join(told)})" if verdict.findings else f"({', '.join(told)})"


def _evidence(verdict: Verdict) -> str:
    """How often the item's pattern stands in the code, and where."""
    item, evidence = verdict.item, verdict.evidence
    shown = places(evidence.good)
    where = f" ({', '.join(shown)}{', ...' if len(evidence.good) > len(shown) else ''})" if shown else ""
    return harmless(f"{item.good}: {len(evidence.good)}{where}; {item.subject}: {len(evidence.subjects)}")


def _heading(verdict: Verdict, output: Output, paint: Paint) -> Iterator[str]:
    item = verdict.item
    yield paint(f"{item.number}. {item.name} [{item.category}]", "bold")
    for label, text in (("checked:", item.checks), ("passes:", item.passes), ("advice:", item.recommendation)):
        lead = f"  {label:8} "
        yield from wrapped(text, output.width, lead, " " * len(lead))
