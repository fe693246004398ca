"""What was seen at run time: the value that every mode of the monitor records, and its form as a line of JSON.

Needs nothing but the standard library: production code imports it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args

VERSION = 1
"""The version of the lines' form. A reader knows this one only."""

Kind = Literal[
    "blocking-call",  # a blocking call ran on a thread whose loop was running, however short
    "long-callback",  # one callback of the loop kept its thread for long, computing or in a C extension
    "stall",  # in production: the loop did not turn for longer than the bound
    "hang",  # in production: such a stall that goes on
    "loop-misuse",  # a loop was started, nested or left where it should not be
    "result-wait",  # a task waited for another one's result
]


class ObservationError(ValueError):
    """A line that holds no observation that this version can read. The text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class StackFrame:
    """One frame of a stack: a file, a line in it, counted from 1, and the function's qualified name."""

    path: str
    line: int
    function: str


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """A stack that was seen `count` times while a stall lasted; outermost frame first."""

    stack: tuple[StackFrame, ...]
    count: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One thing that kept an event loop waiting.

    Attributes:
        kind: See `Kind`.
        primitive: The call that waited, by the name that the catalogue has for it: ``time.sleep``. Of what was not a known call:
            the innermost function that was seen.
        category: As in the catalogue: ``sleep``, ``network``, ``file``, ...; ``cpu`` for what computed.
        stack: The user's frames, outermost first; where there are none, those of the library nearest to the loop's.
        call: What the innermost frame of `stack` called: ``requests.api.get``. The same as `primitive` where nothing is between.
        seconds: How long it lasted by the clock, all `calls` together; None where only its beginning could be seen.
        cpu_seconds: Processor time of the thread meanwhile; None if it was not measured.
        calls: How many calls of the same kind, from the same place and in the same callback, this stands for.
        time: When it began, in seconds since 1970.
        process: Id of the process.
        thread: Name of the thread.
        loop: Kind of loop: ``asyncio``, ``uvloop``, or the dotted name of the loop's class.
        task: Name of the task that ran; empty outside tasks.
        callback: Qualified name of what the loop had called: the task's coroutine, or a plain function.
        request: What was served meanwhile: ``GET /items``, a test's id, a Celery task's name; empty if unknown.
        victims: What had to wait, in the same words.
        samples: Stacks that were seen while it lasted, the most frequent first; whole ones, for a flame graph.
    """

    kind: Kind
    primitive: str
    category: str
    stack: tuple[StackFrame, ...]
    call: str = ""
    seconds: float | None = None
    cpu_seconds: float | None = None
    calls: int = 1
    time: float = 0.0
    process: int = 0
    thread: str = ""
    loop: str = ""
    task: str = ""
    callback: str = ""
    request: str = ""
    victims: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()


def encode(observation: Observation) -> str:
    """The observation as one line of JSON, without its end of line. Whatever text it holds, the line is plain ASCII."""
    written = {"version": VERSION, **dataclasses.asdict(observation)}
    for key in ("seconds", "cpu_seconds", "time"):
        if written[key] is not None:
            written[key] = round(written[key], 6)
    return json.dumps(written, separators=(",", ":"))


def decode(line: str) -> Observation:
    """The observation of a line.

    Raises:
        ObservationError: The line is no JSON object, was cut short, has another version, or lacks something.
    """
    try:
        written = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ObservationError(f"not a whole line of JSON: {error}") from error
    if not isinstance(written, dict):
        raise ObservationError("not an object of JSON")
    if written.get("version") != VERSION:
        raise ObservationError(f"version {written.get('version')!r}, and only {VERSION} can be read")
    del written["version"]
    try:
        return _observation(written)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise ObservationError(f"not an observation: {error}") from error


def read_observations(path: Path) -> tuple[list[Observation], list[str]]:
    """All observations of a file that can be read, and a message for each line that cannot: ``line 3: ...``.

    Raises:
        OSError: The file cannot be read.
    """
    found: list[Observation] = []
    faults: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if line.strip():
            try:
                found.append(decode(line))
            except ObservationError as error:
                faults.append(f"line {number}: {error}")
    return found, faults


_TEXTS = ("primitive", "category", "call", "thread", "loop", "task", "callback", "request")
_NUMBERS = ("time", "seconds", "cpu_seconds")
_UNKNOWABLE = ("seconds", "cpu_seconds")


def _observation(written: dict[str, Any]) -> Observation:
    unknown = set(written) - {field.name for field in dataclasses.fields(Observation)}
    if unknown:
        raise ValueError(f"unknown keys {', '.join(sorted(unknown))}")
    if written.get("kind") not in get_args(Kind):
        raise ValueError(f"unknown kind {written.get('kind')!r}")
    for key in _TEXTS:
        if not isinstance(written.get(key, ""), str):
            raise ValueError(f"{key} is no text")
    for key in _NUMBERS:
        value = written.get(key, 0)
        if not (isinstance(value, int | float) and not isinstance(value, bool)) and not (value is None and key in _UNKNOWABLE):
            raise ValueError(f"{key} is no number")
    for key in ("calls", "process"):
        if not isinstance(written.get(key, 0), int):
            raise ValueError(f"{key} is no whole number")
    written["stack"] = _stack(written["stack"])
    written["victims"] = tuple(str(victim) for victim in written.get("victims", ()))
    written["samples"] = tuple(Sample(_stack(sample["stack"]), int(sample["count"])) for sample in written.get("samples", ()))
    return Observation(**written)


def _stack(frames: Iterable[dict[str, Any]]) -> tuple[StackFrame, ...]:
    return tuple(StackFrame(str(frame["path"]), int(frame["line"]), str(frame["function"])) for frame in frames)
