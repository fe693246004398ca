"""The report as a comment on a pull request: Markdown as GitHub and GitLab show it, no longer than a comment may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from asyncvet.model import Finding, MissedAlarm, ReadError
from asyncvet.report import Output, Report, harmless, in_words, split_message
from asyncvet.report.text import counted, effect, fixes_told, short_name, shown_fix, tally

MARKER = "<!-- asyncvet report -->"
"""The first line, by which a program finds the comment to write anew."""

LONGEST = 65_000
"""Bytes of the whole text; GitHub takes 65,536 characters."""

OPEN = 3
"""So many root causes are unfolded."""

PLACES = 10
"""So many places of a root cause are listed, unless the report is verbose."""

_SPECIAL = re.compile(r"[\\`*_\[\]<>|#~&@]")
_CODE = re.compile(r"((?<!`)`[^`]+`(?!`))")
"""What backquotes make code: runs of one, as a run of another length would not close it."""

_QUOTED = re.compile(r"`([^`]*)`")


def render(report: Report, output: Output) -> str:
    """The report as Markdown. What comes from the reviewed code is shown as it is and marks nothing up.

    Root causes that would make it too long are counted, unless the report is verbose.
    """
    head = [MARKER, "## asyncvet", f"**{tally(report)}**" + (f", {fixes}" if (fixes := fixes_told(report)) else "")]
    foot = [*_missed(report.missed_alarms[:PLACES]), *_errors(report.errors), _counts(report)]
    entries = [_entry(cause, report, output, index < OPEN) for index, cause in enumerate(report.causes)]
    if not output.verbose:
        entries = _fitting(entries, LONGEST - sum(_size(part) for part in (*head, *foot)))
    return "\n\n".join([*head, *entries, *foot]) + "\n"


def _size(part: str) -> int:
    """The bytes of a part and the blank line behind it."""
    return len(part.encode()) + 2


def _fitting(entries: list[str], room: int) -> list[str]:
    """The first of the entries, as many as have room, and how many are left out."""
    if sum(map(_size, entries)) <= room:
        return entries
    fitting = []
    room -= 100  # the sentence below
    for entry in entries:
        room -= _size(entry)
        if room < 0:
            break
        fitting.append(entry)
    return [*fitting, f"{counted(len(entries) - len(fitting), 'more root cause')} would make this comment too long."]


def _entry(cause: list[Finding], report: Report, output: Output, is_open: bool) -> str:
    finding, *others = cause
    issue, remedies = split_message(finding.message)
    more = f", and {counted(len(others), 'more place')}" if others else ""
    place = escape(harmless(f"{finding.span.path}:{finding.span.line}"))
    parts = [
        f"<details{' open' if is_open else ''}><summary><b>{finding.severity.word}</b> <code>{place}</code>{more}: "
        f"{_QUOTED.sub(_summary_code, escape(harmless(issue)))} ({finding.code} {escape(harmless(finding.name))})</summary>",
        *_source(finding, report),
        *(f"**{prose(remedy[:1].upper() + remedy[1:])}**" for remedy in remedies),
        *_lines(finding),
        *_others(others, output),
        "</details>",
    ]
    return "\n\n".join(parts)


def _summary_code(quoted: re.Match[str]) -> str:
    return f"<code>{quoted[1]}</code>"


def _source(finding: Finding, report: Report) -> Iterator[str]:
    """The source text, or each step of the chain of calls under its place."""
    span = finding.span
    if len(finding.chain) > 1:
        steps = (
            f"# {harmless(f'{each.path}:{each.line} in {short_name(each)}')}\n{harmless(each.text)}" for each in finding.chain
        )
        yield fenced("\n".join([*steps, *_effect(finding)]))
    elif excerpt := report.excerpts.get((span.path, span.line, span.column), ""):
        yield fenced("\n".join([harmless(excerpt), *_effect(finding)]))


def _effect(finding: Finding) -> Iterator[str]:
    if finding.sink and finding.sink.category:
        yield f"# {effect(finding.sink)}"


def _lines(finding: Finding) -> Iterator[str]:
    if finding.runs_in:
        first, *rest = finding.runs_in
        yield f"Runs in {code(first)}" + (f" and {counted(len(rest), 'more context')}" if rest else "") + "."
    if finding.seen:
        yield f"Seen at run time: {prose(in_words(finding.seen))}."
    if finding.advice:
        yield prose(" ".join(finding.advice.split()))
    if finding.fix:
        yield f"Fix: {prose(shown_fix(finding.fix))}"


def _others(others: list[Finding], output: Output) -> Iterator[str]:
    places = list(dict.fromkeys(f"{other.span.path}:{other.span.line}" for other in others))
    shown = places if output.verbose else places[:PLACES]
    if shown:
        more = f" and {len(places) - len(shown)} more" if len(shown) < len(places) else ""
        yield f"The same cause shows at {', '.join(map(code, shown))}{more}."


def _missed(alarms: tuple[MissedAlarm, ...]) -> Iterator[str]:
    if alarms:
        yield "**Missed alarms**, seen at run time and not predicted:"
        yield "\n".join(
            f"- {code(f'{alarm.path}:{alarm.line}')}: {code(alarm.call)}, {prose(in_words(alarm.seen))}. {prose(alarm.reason)}"
            for alarm in alarms
        )


def _errors(errors: tuple[ReadError, ...]) -> Iterator[str]:
    if errors:
        places = (f"{error.path}:{error.line}" if error.line else error.path for error in errors)
        yield "Not reviewed:\n\n" + "\n".join(
            f"- {code(place)}: {prose(error.message)}" if place else f"- {prose(error.message)}"
            for error, place in zip(errors, places, strict=True)
        )


def _counts(report: Report) -> str:
    accepted = f"; {counted(report.suppressed, 'finding')} accepted by comments" if report.suppressed else ""
    return f"{counted(report.files, 'file')}, {counted(report.lines, 'line')}{accepted}"


def code(text: str) -> str:
    """A text as inline code, also within a table."""
    text = harmless(text).replace("|", "\\|")
    runs = re.findall("`+", text)
    if not runs:
        return f"`{text}`"
    ticks = "`" * (max(map(len, runs)) + 1)
    return f"{ticks} {text} {ticks}"


def prose(text: str) -> str:
    """A message as text in which only its backquoted words are marked up."""
    pieces = _CODE.split(harmless(text))
    return "".join(piece if _CODE.fullmatch(piece) else _SPECIAL.sub(r"\\\g<0>", piece) for piece in pieces)


def fenced(text: str) -> str:
    """A text as a block of Python."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}python\n{text}\n{fence}"
