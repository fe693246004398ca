"""The report for people: one entry for each root cause, with the chain of calls that leads to it."""

from __future__ import annotations

import os
import re
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from asyncvet.model import Finding, Fix, Frame, MissedAlarm, ReadError, Severity, Sink
from asyncvet.report import Output, Report, harmless, in_words, split_message

Paint = Callable[[str, str], str]
"""Gives a text in a style, named as `rich` names styles."""

STYLES = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan"}

SHOWN = 3
"""So many of a list are named, the others counted, unless the report is verbose."""

FRAMES = 8
"""A longer chain is shown by its two ends, unless the report is verbose."""

NARROWEST = 30
"""Text is never squeezed into fewer columns than these."""

SEEN = 20
"""So many columns of what is meant are seen in source text that is cropped, if it has as many."""

MISSED = 20
"""So many missed alarms are shown, unless the report is verbose."""

MARKS = "│╰┆…"
PLAIN_MARKS = str.maketrans({"│": "|", "╰": "`", "┆": ":", "…": "~"})

QUOTED = re.compile(r"`[^`]*`")
GLUE = "\0"
"""Stands for a space at which no line is broken; nothing that is `harmless` holds it."""

HEADINGS = {
    "file": "Could not be read; findings may be missing:",
    "suppression": "Suppressions to look at:",
    "baseline": "In the baseline, and gone (`asyncvet baseline` drops it):",
    "rule": "Rules that broke down; their findings are missing:",
}


def render(report: Report, output: Output) -> str:
    """The report as lines of text. What comes from the reviewed code holds no control characters any more."""
    return written(output, lambda fitted, paint: [*_entries(report, fitted, paint), *endings(report, fitted, paint)])


def written(output: Output, parts: Callable[[Output, Paint], Iterable[str]]) -> str:
    """The parts of a text with blank lines between them, made for where it goes.

    Args:
        output: Where the text goes.
        parts: Gives the parts.
    """
    text = "\n\n".join(parts(output, _painter(output))) + "\n"
    return text if _can_encode(MARKS, output.encoding) else text.translate(PLAIN_MARKS)


def endings(report: Report, output: Output, paint: Paint) -> Iterator[str]:
    """What stands below the findings: what was seen and not predicted, what went wrong, and the counts."""
    if report.missed_alarms:
        yield "\n".join(_missed(report.missed_alarms, output, paint))
    for about, heading in HEADINGS.items():
        if errors := [error for error in report.errors if error.about == about]:
            yield "\n".join(_errors(heading, errors, output, paint))
    yield "\n".join(_summary(report, output, paint))


def _entries(report: Report, output: Output, paint: Paint) -> Iterator[str]:
    return ("\n".join(entry(cause, report, output, paint)) for cause in report.causes)


def _can_encode(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _painter(output: Output) -> Paint:
    if not output.colour:
        return lambda text, style: text  # noqa: ARG005
    from rich.color import ColorSystem  # noqa: PLC0415  # slow to import, and most runs are not at a terminal
    from rich.style import Style  # noqa: PLC0415

    return lambda text, style: Style.parse(style).render(text, color_system=ColorSystem.STANDARD)


def entry(cause: list[Finding], report: Report, output: Output, paint: Paint) -> Iterator[str]:
    """The findings of one root cause as lines."""
    finding, *others = cause
    span = finding.span
    place = _linked(paint(f"{harmless(span.path)}:{span.line}:{span.column}", "bold"), span.path, output)
    yield f"{place}: {paint(f'{finding.code} {finding.name} {finding.severity.word}', STYLES[finding.severity])}"
    yield from _message(finding.message, output, paint)
    excerpt = report.excerpts.get((span.path, span.line, span.column))
    alone = (Frame(span.path, span.line, span.column, finding.function, excerpt),) if excerpt else ()
    if chain := finding.chain or alone:
        yield from _chain(finding, chain, report, output, paint)
    if finding.runs_in:
        once = " (once)" if finding.runs_once else ""
        yield from _labelled("runs in:", "bold", _listed(_contexts(finding), output) + once, output, paint)
    if finding.seen:
        yield from _labelled("seen at run time:", "bold", harmless(in_words(finding.seen)), output, paint)
    if others:
        yield from _others(finding, others, output)
    for index, line in enumerate(filter(None, finding.advice.split("\n"))):
        yield from _labelled("     " if index else "note:", "bold green", harmless(line), output, paint)
    if finding.fix:
        yield from _labelled("fix:", "bold green", harmless(shown_fix(finding.fix)), output, paint)


def shown_fix(fix: Fix) -> str:
    """What a fix does, and the command that does it."""
    return f"{fix.title} ({'safe: `asyncvet fix`' if fix.safety == 'safe' else 'look at it first: `asyncvet fix --unsafe`'})"


def _message(message: str, output: Output, paint: Paint) -> Iterator[str]:
    """What is wrong, and below it what to do about it."""
    what, remedies = split_message(harmless(message))
    for line in wrapped(what, output.width, "  ", "    "):
        yield QUOTED.sub(lambda quoted: paint(quoted[0], "bold"), line) if output.colour else line
    for remedy in remedies:
        yield from (paint(line, "green") for line in wrapped(remedy, output.width, "  ", "    "))


def _labelled(label: str, style: str, text: str, output: Output, paint: Paint) -> Iterator[str]:
    lead = f"  {label} "
    first, *rest = wrapped(text, output.width, lead, " " * len(lead))
    yield f"  {paint(label, style)} {first[len(lead) :]}"
    yield from rest


def wrapped(text: str, width: int | None, lead: str, indent: str) -> list[str]:
    """A text as lines that are broken between words, not within backquotes."""
    if width is None:
        return [lead + text.replace(GLUE, " ")]
    room = max(width - len(indent), NARROWEST)
    if len(lead) + len(text) <= room + len(indent):
        return [lead + text.replace(GLUE, " ")]
    glued = QUOTED.sub(lambda quoted: quoted[0].replace(" ", GLUE) if len(quoted[0]) <= room else quoted[0], text)
    wrapper = textwrap.TextWrapper(
        room + len(indent), initial_indent=lead, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(GLUE, " ") for line in wrapper.wrap(glued)] or [lead]


def _chain(finding: Finding, chain: Sequence[Frame], report: Report, output: Output, paint: Paint) -> Iterator[str]:
    frames = _distinct(chain)
    head = tail = len(frames)
    if len(frames) > FRAMES and not output.verbose:
        head, tail = FRAMES // 2, len(frames) - FRAMES // 2 + 1
    shown = [*frames[:head], *frames[tail:]]
    rows = _Rows(shown, report, output, paint)
    for index, frame in enumerate(shown):
        if index == head:
            yield f"  {paint('┆', 'dim')} {tail - head} more calls (--verbose shows them)"
        is_last = index == len(shown) - 1
        note = effect(finding.sink) if is_last and finding.sink else ""
        yield from rows.of(frame, note, STYLES[finding.severity] if is_last else "blue", is_last)


def _distinct(chain: Sequence[Frame]) -> list[Frame]:
    """The frames without those that would be shown as the next one is."""
    following = [*chain[1:], None]
    return [
        frame
        for frame, after in zip(chain, following, strict=True)
        if after is None or (frame.path, frame.line, frame.text) != (after.path, after.line, after.text)
    ]


def effect(sink: Sink) -> str:
    """What the end of a chain does to the loop."""
    if not sink.category:
        return ""
    if sink.stall == "cpu":
        return harmless(f"computes: {sink.category}")
    return harmless(f"blocks: {sink.category}, {f'at most {sink.bound:g} s' if sink.bound else sink.stall}")


class _Rows:
    """Frames as lines: place, function and source text side by side where all of it fits, or the text below.

    A frame that stands alone is its source text: the head of its entry says the rest.
    """

    def __init__(self, frames: Sequence[Frame], report: Report, output: Output, paint: Paint) -> None:
        self._report, self._output, self._paint = report, output, paint
        self._is_alone = len(frames) == 1
        self._place_width = max(len(_place(frame)) for frame in frames)
        self._function_width = max(len(short_name(frame)) for frame in frames)
        beside = 4 + self._place_width + 2 + self._function_width + 2
        longest = max(len(harmless(frame.text)) for frame in frames)
        self._is_stacked = output.width is not None and output.width - beside < longest
        self._column = 4 if self._is_alone else 8 if self._is_stacked else beside
        self._room = None if output.width is None else max(output.width - self._column, NARROWEST)

    def of(self, frame: Frame, note: str, style: str, is_last: bool) -> Iterator[str]:
        """The lines of a frame: its source text, and carets below what is meant in it, with a note behind them."""
        ends = is_last and not self._is_alone
        code = self._code(frame, note, style)
        head, *more = [""] if self._is_alone else self._head(frame)
        if self._is_alone or not self._is_stacked:
            head += code.pop(0)
        yield f"  {self._paint('╰' if ends else '│', 'dim')} {head}".rstrip()
        edge = " " if ends else self._paint("│", "dim")
        yield from (f"  {edge} {line}" for line in more)
        yield from (f"  {edge}{' ' * (self._column - 3)}{line}" for line in code if line)

    def _head(self, frame: Frame) -> list[str]:
        """Place and function, on two lines if they are too long for one."""
        place, function = _linked(_place(frame), frame.path, self._output), short_name(frame)
        if not self._is_stacked:
            gap = " " * (self._place_width - len(_place(frame)))
            return [f"{place}{gap}  {self._paint(f'{function:{self._function_width}}', 'dim')}  "]
        fits = self._output.width is None or 4 + len(_place(frame)) + 2 + len(function) <= self._output.width
        return [f"{place}  {self._paint(function, 'dim')}"] if fits else [place, self._paint(function, "dim")]

    def _code(self, frame: Frame, note: str, style: str) -> list[str]:
        start, end = self._report.marks.get((frame.path, frame.line, frame.column), (0, len(frame.text)))
        before, meant, after = (harmless(part) for part in (frame.text[:start], frame.text[start:end], frame.text[end:]))
        if self._room is not None:
            before, meant, after = _cropped(before, meant, after, self._room)
        lead = " " * _cells(before)
        carets = "^" * _cells(meant) if note or before or after else ""
        marks = [f"{lead}{self._paint(line, style)}" for line in self._noted(carets, note, len(lead))]
        return [before + meant + after, *marks] if frame.text else marks or [""]

    def _noted(self, carets: str, note: str, indent: int) -> list[str]:
        """Carets with a note behind them, or below if it does not fit there."""
        if carets and note and (self._room is None or indent + len(carets) + 1 + len(note) <= self._room):
            return [f"{carets} {note}"]
        return [line for line in (carets, note) if line]


def _cropped(before: str, meant: str, after: str, room: int) -> tuple[str, str, str]:
    """The three parts of a text, so much of them that they fit and the middle one is seen."""
    if len(before) + len(meant) + len(after) <= room:
        return before, meant, after
    if len(before) + min(len(meant), SEEN) >= room:
        before = f"…{before[len(before) - room // 3 :]}"
    if len(before) + len(meant) >= room:
        return before, f"{meant[: room - len(before) - 1]}…", ""
    if len(before) + len(meant) + len(after) > room:
        after = f"{after[: room - len(before) - len(meant) - 1]}…"
    return before, meant, after


def _cells(text: str) -> int:
    """Columns that a text takes at a terminal: two for a wide character, none for a mark on the one before."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def _linked(shown: str, path: str, output: Output) -> str:
    """A place as a link to its file, if the terminal shows such (OSC 8)."""
    if output.links is None or not path.isprintable():
        return shown
    uri = Path(os.path.normpath(output.links / path)).as_uri()
    return f"\x1b]8;;{uri}\x1b\\{shown}\x1b]8;;\x1b\\"


def _place(frame: Frame) -> str:
    return harmless(f"{frame.path}:{frame.line}")


def _contexts(finding: Finding) -> list[str]:
    """The contexts, each kind (what stands before the colon) named only where it is not that of the one before."""
    named, last = [], ""
    for context in finding.runs_in:
        kind, colon, entry = context.partition(": ")
        named.append(harmless(entry if colon and kind == last else context))
        last = kind
    return named


def short_name(frame: Frame) -> str:
    """The function's name without that of its module, as far as the frame's path says it already."""
    names = frame.function.split(".")
    module = frame.path.removesuffix(".py").removesuffix("/__init__").split("/")
    for count in range(len(names) - 1, 0, -1):
        if names[:count] == module[-count:]:
            return harmless(".".join(names[count:]))
    return harmless(frame.function)


def _others(finding: Finding, others: list[Finding], output: Output) -> Iterator[str]:
    """The other findings that would go with the first one."""
    places = [
        harmless(f"{other.span.path}:{other.span.line}") + ("" if other.code == finding.code else f" ({other.code} {other.name})")
        for other in others
    ]
    places = [place for place in dict.fromkeys(places) if place != harmless(f"{finding.span.path}:{finding.span.line}")]
    if not places:
        return
    lead = f"and {counted(len(places), 'more place')} {'reaches' if len(places) == 1 else 'reach'} this:"
    if output.verbose:
        yield f"  {lead}"
        yield from (f"    {place}" for place in places)
    else:
        yield from wrapped(f"{lead} {_listed(places, output)}", output.width, "  ", "    ")


def _listed(items: list[str], output: Output) -> str:
    shown = items if output.verbose else items[:SHOWN]
    more = f"{GLUE}(+{len(items) - len(shown)})" if len(shown) < len(items) else ""
    return ", ".join(item.replace(" ", GLUE).replace(f":{GLUE}", ": ") for item in shown) + more


def _missed(alarms: Sequence[MissedAlarm], output: Output, paint: Paint) -> Iterator[str]:
    """What was seen at run time and not predicted, with what would have told it."""
    yield paint("Missed alarms, seen at run time and not predicted:", "bold red")
    for alarm in alarms if output.verbose else alarms[:MISSED]:
        place = paint(f"{harmless(alarm.path)}:{alarm.line}", "bold")
        yield from wrapped(f"{place}: `{harmless(alarm.call)}` in {harmless(alarm.function)}", output.width, "  ", "    ")
        yield from _labelled("  seen at run time:", "bold", harmless(in_words(alarm.seen)), output, paint)
        yield from wrapped(harmless(alarm.reason), output.width, "    ", "    ")
        yield from (f"      {harmless(line)}" for line in alarm.entry.splitlines())
    if len(alarms) > MISSED and not output.verbose:
        yield f"  and {len(alarms) - MISSED} more (--verbose shows them)"


def _errors(heading: str, errors: list[ReadError], output: Output, paint: Paint) -> Iterator[str]:
    yield paint(heading, "bold red")
    for error in errors:
        line = "" if error.line is None else f":{error.line}"
        place = f"{harmless(error.path)}{line}: " if error.path else ""
        yield from wrapped(f"{place}{harmless(error.message)}", output.width, "  ", "    ")


def _summary(report: Report, output: Output, paint: Paint) -> Iterator[str]:
    yield tally(report, paint)
    if fixes := fixes_told(report):
        yield fixes
    parts = [f"{counted(report.files, 'file')}, {counted(report.lines, 'line')}, {report.seconds:.1f} s"]
    if report.unresolved_calls:
        calls = counted(report.statistics.get("calls", report.unresolved_calls), "call")
        parts.append(f"{report.unresolved_calls:,} of {calls} on the event loop unresolved")
    if report.unrelated:
        parts.append(f"{counted(report.unrelated, 'finding')} not brought about by the change")
    if report.suppressed:
        parts.append(f"{counted(report.suppressed, 'finding')} suppressed")
    if report.in_baseline:
        parts.append(f"{counted(report.in_baseline, 'finding')} in the baseline")
    if report.test_files_skipped:
        parts.append(f"{counted(report.test_files_skipped, 'test file')} not reported (--include-tests)")
    if report.generated_files_skipped:
        parts.append(f"{counted(report.generated_files_skipped, 'generated file')} not reported")
    for text in ("; ".join(parts), *map(harmless, report.notes)):
        yield from (paint(line, "dim") for line in wrapped(text, output.width, "", "  "))


def tally(report: Report, paint: Paint = lambda text, style: text) -> str:  # noqa: ARG005
    """How much was found, in a line."""
    if not report.findings:
        return paint("No findings", "bold green")
    counts = ", ".join(paint(f"{count:,} {severity.word}", STYLES[severity]) for severity, count in report.by_severity.items())
    causes = counted(len(report.causes), "root cause")
    return f"{paint(counted(len(report.findings), 'finding'), 'bold')} from {causes}: {counts}"


def fixes_told(report: Report) -> str:
    """How many findings can be fixed by a command; empty if none can."""
    counts: Counter[str] = Counter(finding.fix.safety for finding in report.findings if finding.fix)
    commands = {"safe": "`asyncvet fix`", "unsafe": "`asyncvet fix --unsafe`, to be looked at"}
    told = [f"{counts[safety]:,} by {command}" for safety, command in commands.items() if counts[safety]]
    return f"can be fixed: {'; '.join(told)}" if told else ""


def counted(count: int, noun: str) -> str:
    """A number of things."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
