"""The report as workflow commands, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.model import Finding, ReadError, Severity
from asyncvet.report import Output, Report, harmless, split_message
from asyncvet.report.text import effect, short_name, tally

_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "notice"}


def render(report: Report, output: Output) -> str:  # noqa: ARG001
    """A command for each finding, and a last line that counts them.

    GitHub shows ten errors, ten warnings and ten notices of a step: the gravest finding of each root cause goes first.
    """
    first = [cause[0] for cause in report.causes]
    rest = [finding for cause in report.causes for finding in cause[1:]]
    lines = [*(_finding(finding) for finding in (*first, *rest)), *(_error(error) for error in report.errors)]
    return "\n".join([*lines, tally(report)]) + "\n"


def _finding(finding: Finding) -> str:
    span = finding.span
    place = {"file": span.path, "line": span.line, "endLine": span.end_line}
    if span.line == span.end_line:  # columns of a span over several lines are ignored
        place |= {"col": span.column, "endColumn": span.end_column}
    title = f"{finding.code} {finding.name} ({finding.severity.word})"
    return _command(_LEVELS[finding.severity], {**place, "title": title}, "\n".join(_text(finding)))


def _text(finding: Finding) -> Iterator[str]:
    issue, remedies = split_message(harmless(finding.message))
    yield issue
    yield from remedies
    if len(finding.chain) > 1:
        yield from (harmless(f"{frame.path}:{frame.line} {short_name(frame)}: {frame.text}") for frame in finding.chain)
    if finding.sink and finding.sink.category:
        yield effect(finding.sink)


def _error(error: ReadError) -> str:
    place: dict[str, object] = {"file": error.path} if error.path else {}
    if error.line:
        place["line"] = error.line
    return _command("warning", {**place, "title": "asyncvet: not reviewed"}, harmless(error.message))


def _command(level: str, properties: dict[str, object], text: str) -> str:
    told = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{level} {told}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(harmless(text)).replace(":", "%3A").replace(",", "%2C")
