"""Value types that every layer shares. Imports nothing of asyncvet."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, Protocol

import msgspec

PREFIX = "site-packages"
"""Folder under which reports show the files of an environment, wherever it is."""


def is_installed(path: str) -> bool:
    """Whether a path is one of an environment's."""
    return path.startswith(f"{PREFIX}/")


class Severity(IntEnum):
    """How grave a finding is, in the checklist's words; larger is graver."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The lower-case word that reports and options use."""
        return self.name.lower()

    def lowered(self) -> Severity:
        """One step lighter, never below low."""
        return Severity(max(self - 1, Severity.LOW))


class RuleHead(Protocol):
    """What a finding takes over from its rule."""

    @property
    def code(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def item(self) -> int: ...  # noqa: D102
    @property
    def severity(self) -> Severity: ...  # noqa: D102


class Span(msgspec.Struct, frozen=True, order=True):
    """A stretch of one file. Lines and columns count from 1, columns in characters; the end is exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


class Frame(msgspec.Struct, frozen=True):
    """One step of a call chain: the call in `text` at this place, written in `function`."""

    path: str
    line: int
    column: int
    function: str
    text: str = ""


class Sink(msgspec.Struct, frozen=True):
    """What a call chain ends in: a catalogue entry as it stands in the code.

    Attributes:
        stall: How long it keeps its thread: ``unbounded``, ``device``, ``short``, or ``cpu`` for as long as it computes.
        bound: Seconds that it waits at most, where the code says so.
    """

    name: str
    category: str
    stall: str
    bound: float | None = None


class Evidence(msgspec.Struct, frozen=True):
    """What a project has to do with one item of the checklist.

    Attributes:
        item: Number of the item, from 1.
        subjects: The code that it speaks of, in order; whether it is written well is for the rules to say.
        good: Where the pattern stands that it asks for, in order.
    """

    item: int
    subjects: tuple[Span, ...] = ()
    good: tuple[Span, ...] = ()


class Edit(msgspec.Struct, frozen=True):
    """Replace the text of `span` by `text`."""

    span: Span
    text: str


class Fix(msgspec.Struct, frozen=True):
    """Edits that end a finding. `safe` ones keep the meaning of the program."""

    safety: Literal["safe", "unsafe"]
    title: str
    edits: tuple[Edit, ...]


class Seen(msgspec.Struct, frozen=True):
    """What observations at run time say of one place.

    Attributes:
        times: How often it was seen.
        seconds: How long that took, all together.
        p95: Seconds that 95 of 100 of them did not exceed; None where no duration was measured.
        requests: What was served meanwhile, the most frequent first.
    """

    times: int
    seconds: float = 0.0
    p95: float | None = None
    requests: tuple[str, ...] = ()


class MissedAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """What kept an event loop waiting at run time and no rule has predicted.

    Attributes:
        path: The file of the innermost of the project's own frames; with `line` and `function`.
        call: What was called there: ``requests.get``.
        reason: What the review did not know, in a sentence.
        entry: A file for the catalogue whose entry would tell it, as TOML; empty where no entry helps.
    """

    path: str
    line: int
    function: str
    call: str
    seen: Seen
    reason: str
    entry: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One fault at one place.

    Attributes:
        code: Code of the rule, such as ``AV101``.
        name: Name of the rule, such as ``blocking-call``.
        item: Number of the checklist's item, 1 to 19.
        span: Where it is reported: for a call chain, the call in the function that the event loop runs.
        function: Qualified name of the function that holds `span`.
        message: One line that names the actual call and what to write instead.
        advice: What to do, in more words; may be empty.
        chain: Frames from `span` to the sink, both included; empty where the fault has no chain.
        runs_in: The execution contexts that reach it, worst first.
        runs_once: It provably runs once in the life of the process.
        root_cause: Findings that one edit would end share this id.
        fingerprint: Identity that survives moved lines; filled in by the engine.
        scope: What a review of a change has to do with it, filled in by the engine: its own line or that of the sink is ``changed``,
            or it stands in unchanged code and the ``impact`` of the change reaches it. None in a review of everything.
        seen: What was seen of it at run time, filled in by the engine; None if it was not seen, or no observations were given.
    """

    code: str
    name: str
    item: int
    severity: Severity
    span: Span
    function: str
    message: str
    advice: str = ""
    sink: Sink | None = None
    chain: tuple[Frame, ...] = ()
    runs_in: tuple[str, ...] = ()
    runs_once: bool = False
    root_cause: str = ""
    fingerprint: str = ""
    scope: Literal["changed", "impact"] | None = None
    fix: Fix | None = None
    seen: Seen | None = None


class ReadError(msgspec.Struct, frozen=True, order=True):
    """What is missing from a review, or void in what was reviewed.

    Attributes:
        about: A `file`, or a part of one, that could not be read or parsed; a `rule` that broke down, without a path; a
            `suppression` that silences nothing or gives no reason; an entry of the `baseline` whose finding is gone.
    """

    path: str
    line: int | None
    message: str
    about: Literal["file", "rule", "suppression", "baseline"] = "file"
