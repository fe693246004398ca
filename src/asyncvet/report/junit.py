"""The report as JUnit's XML, which most servers of continuous integration show: a suite for each file, a failed case a finding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from html import escape

from asyncvet.model import Finding, ReadError
from asyncvet.report import Output, Report, harmless, split_message
from asyncvet.report.text import effect, short_name


def render(report: Report, output: Output) -> str:  # noqa: ARG001
    """The report as XML. A report of nothing is one case that passes."""
    suites: defaultdict[str, list[Finding | ReadError]] = defaultdict(list)
    for finding in report.findings:
        suites[finding.span.path].append(finding)
    for error in report.errors:
        suites[error.path or "asyncvet"].append(error)
    lines = [line for path, cases in sorted(suites.items()) for line in _suite(path, cases)]
    if not suites:
        lines = [
            '  <testsuite name="asyncvet" tests="1" failures="0" errors="0">',
            '    <testcase classname="asyncvet" name="no findings"/>',
            "  </testsuite>",
        ]
    counts = f'tests="{max(len(report.findings) + len(report.errors), 1)}" failures="{len(report.findings)}"'
    head = f'<testsuites name="asyncvet" {counts} errors="{len(report.errors)}">'
    return "\n".join(['<?xml version="1.0" encoding="utf-8"?>', head, *lines, "</testsuites>"]) + "\n"


def _suite(path: str, cases: list[Finding | ReadError]) -> Iterator[str]:
    failed = sum(isinstance(case, Finding) for case in cases)
    yield f'  <testsuite name="{_text(path)}" tests="{len(cases)}" failures="{failed}" errors="{len(cases) - failed}">'
    for case in cases:
        yield from _failure(case) if isinstance(case, Finding) else _error(case)
    yield "  </testsuite>"


def _failure(finding: Finding) -> Iterator[str]:
    span = finding.span
    issue, remedies = split_message(harmless(finding.message))
    steps = [f"{frame.path}:{frame.line} {short_name(frame)}: {frame.text}" for frame in finding.chain]
    ends = [effect(finding.sink)] if finding.sink and finding.sink.category else []
    yield from _case(span.path, f"{finding.code} {finding.name} at {span.line}:{span.column}", span.line)
    body = "\n".join(_text(line) for line in (*remedies, *steps, *ends, *filter(None, finding.advice.split("\n"))))
    yield f'      <failure type="{finding.severity.word}" message="{_text(issue)}">{body}</failure>'
    yield "    </testcase>"


def _error(error: ReadError) -> Iterator[str]:
    yield from _case(error.path, f"not reviewed{f' at {error.line}' if error.line else ''}", error.line)
    yield f'      <error type="{error.about}" message="{_text(error.message)}"/>'
    yield "    </testcase>"


def _case(path: str, name: str, line: int | None) -> Iterator[str]:
    module = path.removesuffix(".py").replace("/", ".") or "asyncvet"
    place = f' file="{_text(path)}"' + (f' line="{line}"' if line else "") if path else ""
    yield f'    <testcase classname="{_text(module)}" name="{_text(name)}"{place}>'


def _text(text: str) -> str:
    """A text as XML; what XML cannot hold is no printable character, and so an escape already."""
    return escape(harmless(text))
