"""`asyncvet why` for people: where the code on a line runs, then each call with what it runs and why it is reported or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asyncvet.graph.explanation import Call, Callee, Explanation, Library, Part, Told, Way
from asyncvet.graph.whereabouts import Run, Runs
from asyncvet.model import Frame
from asyncvet.report import harmless

WHERE = {
    "event-loop": "on the event loop",
    "main-thread": "in the main thread",
    "worker-process": "in a worker process",
    "worker-thread": "in a worker thread",
    "import-time": "at import time",
}
"""Where code runs, in words that go after "runs"."""

_HOW = {
    "inline": "runs",
    "coroutine": "makes the coroutine",
    "thread": "runs in a thread",
    "loop": "has the event loop run",
    "later": "has run when no loop does",
}
_KEEPS = {
    "blocks": "blocks its thread",
    "metadata": "asks the file system",
    "cpu": "computes for long",
    "runs-loop": "runs an event loop of its own",
    "celery-result": "waits for a Celery task",
    "celery-publish": "publishes to Celery's broker",
}
_STATUS = {
    "reported": "",
    "suppressed": " (silenced by a comment)",
    "not-selected": " (not selected)",
    "below-severity": " (lighter than what is reported)",
    "test-file": " (test files are not reported)",
    "in-baseline": " (in the baseline)",
}


def render(answer: Explanation) -> str:
    """The answer as lines of text. What comes from the explained code holds no control characters any more."""
    lines = [f"{answer.path}:{answer.line}", f"    {answer.source}" if answer.source else "    (an empty line)"]
    for part in answer.parts:
        lines += ["", *_part(part)]
    if not any(part.calls for part in answer.parts):
        lines += ["", "no call on this line"]
    lines += ["", *_findings(answer.findings)]
    return "\n".join(map(harmless, lines)) + "\n"


def _part(part: Part) -> Iterator[str]:
    name = part.function if part.kind in ("module", "lambda") else f"{part.kind} {part.function}"
    yield f"{'module ' if part.kind == 'module' else ''}{name}  ({part.path}:{part.line})"
    yield from _runs(part.runs)
    for call in part.calls:
        yield from ("", *_call(call))


def _runs(runs: Runs) -> Iterator[str]:
    if not runs.shown:
        yield "  runs nowhere that is known: nothing that was read calls it or hands it over"
    for run in runs.shown:
        yield from _run(run)
    if runs.more:
        yield f"  and in {runs.more} more ways"


def _run(run: Run) -> Iterator[str]:
    yield f"  runs {WHERE[run.where]}: {run.label}{' (once)' if run.once else ''}"
    yield from _chain(run.chain, "      ")


def _chain(chain: Sequence[Frame], indent: str) -> Iterator[str]:
    places = [f"{frame.path}:{frame.line}" for frame in chain]
    width = max(map(len, places), default=0)
    for index, (place, frame) in enumerate(zip(places, chain, strict=True)):
        yield f"{indent}{'╰' if index == len(chain) - 1 else '│'} {place:{width}}  {frame.text}"


def _call(call: Call) -> Iterator[str]:
    yield f"  {'await ' if call.awaited else ''}{call.text}  (column {call.column})"
    for callee in call.runs:
        yield from _callee(callee)
    for library in call.uses:
        yield from _library(library)
    for way in call.reaches:
        yield from _way(way)
    yield from (f"    → {reason.kind}: {reason.text}" for reason in call.reasons)


def _callee(callee: Callee) -> Iterator[str]:
    yield f"    {_HOW[callee.how]} {callee.name}  ({callee.path}:{callee.line})"
    yield from _chain(callee.via, "      ")


def _library(library: Library) -> Iterator[str]:
    stall = library.stall if library.effect in ("blocks", "cpu-bound") else ""
    facts = [library.effect, library.category, stall, "async" if library.is_async else ""]
    told = "; ".join(filter(None, [", ".join(filter(None, facts)), library.why]))
    yield f"    calls {library.name}{f': {told}' if told else ''}"


def _way(way: Way) -> Iterator[str]:
    if len(way.chain) == 1:
        yield f"    {_KEEPS[way.kind]}"
        return
    facts = ", ".join(filter(None, (way.sink.category, way.sink.stall)))
    yield f"    reaches {way.sink.name}, which {_KEEPS[way.kind]} ({facts})"
    yield from _chain(way.chain, "      ")


def _findings(findings: Sequence[Told]) -> Iterator[str]:
    if not findings:
        yield "no finding on this line"
        return
    yield "findings on this line:"
    for told in findings:
        yield f"  {told.line}:{told.column}: {told.code} {told.name} {told.severity}{_STATUS[told.status]}: {told.message}"
