"""The report for people: one entry for each root cause, with the chain of calls that leads to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from asyncvet.model import Finding, Frame, ReadError, Severity
from asyncvet.report import Output, Report, harmless

Paint = Callable[[str, str], str]
"""Gives a text in a style, named as `rich` names styles."""

STYLES = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan"}

SHOWN = 3
"""So many of a list are named, the others counted, unless the report is verbose."""

FRAMES = 8
"""A longer chain is shown by its two ends, unless the report is verbose."""


def render(report: Report, output: Output) -> str:
    """The report as lines of text. What comes from the reviewed code holds no control characters any more."""
    paint = _painter(output)
    entries = ["\n".join(_entry(cause, report, output, paint)) for cause in report.causes]
    if report.errors:
        entries.append("\n".join(_errors(report.errors, paint)))
    entries.append("\n".join(_summary(report, paint)))
    return "\n\n".join(entries) + "\n"


def _painter(output: Output) -> Paint:
    if not output.colour:
        return lambda text, style: text  # noqa: ARG005
    from rich.color import ColorSystem  # noqa: PLC0415  # slow to import, and most runs are not at a terminal
    from rich.style import Style  # noqa: PLC0415

    return lambda text, style: Style.parse(style).render(text, color_system=ColorSystem.STANDARD)


def _entry(cause: list[Finding], report: Report, output: Output, paint: Paint) -> Iterator[str]:
    finding, *others = cause
    place = f"{harmless(finding.span.path)}:{finding.span.line}:{finding.span.column}"
    rule = paint(f"{finding.code} {finding.name} {finding.severity.word}", STYLES[finding.severity])
    yield f"{paint(place, 'bold')}: {rule}: {harmless(finding.message)}"
    if finding.chain:
        yield from _chain(finding, output, paint)
    elif excerpt := report.excerpts.get((finding.span.path, finding.span.line)):
        yield f"  {paint('│', 'dim')} {_cropped(excerpt, output.width, 4)}"
    if finding.runs_in:
        once = " (once)" if finding.runs_once else ""
        yield f"  {paint('runs in:', 'bold')} {_listed(_contexts(finding), output)}{once}"
    if others:
        yield from _others(finding, others, output)
    if finding.advice:
        first, *rest = finding.advice.splitlines()
        yield f"  {paint('note:', 'bold green')} {harmless(first)}"
        yield from (f"        {harmless(line)}" for line in rest)
    if finding.fix:
        yield f"  {paint('fix:', 'bold green')} {harmless(finding.fix.title)} ({finding.fix.safety})"


def _chain(finding: Finding, output: Output, paint: Paint) -> Iterator[str]:
    chain = finding.chain
    head = tail = len(chain)
    if len(chain) > FRAMES and not output.verbose:
        head, tail = FRAMES // 2, len(chain) - FRAMES // 2 + 1
    shown = [*chain[:head], *chain[tail:]]
    places = [harmless(f"{frame.path}:{frame.line}") for frame in shown]
    functions = [harmless(_short(frame)) for frame in shown]
    place_width, function_width = max(map(len, places)), max(map(len, functions))
    for index, (frame, place, function) in enumerate(zip(shown, places, functions, strict=True)):
        if index == head:
            yield f"  {paint('┆', 'dim')} {tail - head} more calls (--verbose shows them)"
        last = index == len(shown) - 1
        note = f"  ← blocks: {finding.sink.category}, {finding.sink.stall}" if last and finding.sink else ""
        text = _cropped(frame.text, output.width, place_width + function_width + len(note) + 8)
        style = STYLES[finding.severity]
        code = paint(text, style) + paint(harmless(note), style) if last else text
        edge = paint("╰" if last else "│", "dim")
        yield f"  {edge} {place:{place_width}}  {paint(f'{function:{function_width}}', 'dim')}  {code}".rstrip()


def _contexts(finding: Finding) -> list[str]:
    """The contexts, each kind (what stands before the colon) named only where it is not that of the one before."""
    named, last = [], ""
    for context in finding.runs_in:
        kind, colon, entry = context.partition(": ")
        named.append(harmless(entry if colon and kind == last else context))
        last = kind
    return named


def _short(frame: Frame) -> str:
    """The function's name without that of its module, as far as the frame's path says it already."""
    names = frame.function.split(".")
    module = frame.path.removesuffix(".py").removesuffix("/__init__").split("/")
    for count in range(len(names) - 1, 0, -1):
        if names[:count] == module[-count:]:
            return ".".join(names[count:])
    return frame.function


def _cropped(text: str, width: int | None, used: int) -> str:
    text = harmless(text)
    room = max((width or 0) - used, 24)
    return text if width is None or len(text) <= room else text[: room - 1] + "…"


def _others(finding: Finding, others: list[Finding], output: Output) -> Iterator[str]:
    """The other findings that would go with the first one."""
    lead = f"  and {_counted(len(others), 'more place')} {'reaches' if len(others) == 1 else 'reach'} this:"
    places = [
        harmless(f"{other.span.path}:{other.span.line}") + ("" if other.code == finding.code else f" ({other.code} {other.name})")
        for other in others
    ]
    if output.verbose:
        yield lead
        yield from (f"    {place}" for place in places)
    else:
        yield f"{lead} {_listed(places, output)}"


def _listed(items: list[str], output: Output) -> str:
    shown = items if output.verbose else items[:SHOWN]
    more = f" (+{len(items) - len(shown)})" if len(shown) < len(items) else ""
    return ", ".join(shown) + more


def _errors(errors: tuple[ReadError, ...], paint: Paint) -> Iterator[str]:
    yield paint("Could not be read; findings may be missing:", "bold red")
    for error in errors:
        line = "" if error.line is None else f":{error.line}"
        place = f"{harmless(error.path)}{line}: " if error.path else ""
        yield f"  {place}{harmless(error.message)}"


def _summary(report: Report, paint: Paint) -> Iterator[str]:
    if report.findings:
        counts = ", ".join(paint(f"{count} {severity.word}", STYLES[severity]) for severity, count in report.by_severity.items())
        causes = _counted(len(report.causes), "root cause")
        yield f"{paint(_counted(len(report.findings), 'finding'), 'bold')} from {causes}: {counts}"
    else:
        yield paint("No findings", "bold green")
    parts = [f"{_counted(report.files, 'file')}, {_counted(report.lines, 'line')}, {report.seconds:.1f} s"]
    if report.unresolved_calls:
        calls = _counted(report.statistics.get("calls", report.unresolved_calls), "call")
        parts.append(f"{report.unresolved_calls:,} of {calls} on the event loop unresolved")
    if report.suppressed:
        parts.append(f"{_counted(report.suppressed, 'finding')} suppressed")
    if report.test_files_skipped:
        parts.append(f"{_counted(report.test_files_skipped, 'test file')} not reported (--include-tests)")
    yield paint("; ".join(parts), "dim")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
