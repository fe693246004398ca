"""What `asyncvet why` answers: the code on one line, where it runs, what it calls, and why that is reported or not."""

from __future__ import annotations

from typing import Literal

import msgspec

from asyncvet.graph.reach import Kind
from asyncvet.graph.whereabouts import Runs
from asyncvet.model import Finding, Frame, Severity, Sink

Status = Literal["reported", "suppressed", "not-selected", "below-severity", "test-file", "in-baseline"]

ReasonKind = Literal[
    Status,
    "lowered",  # reported one step lighter than its rule usually is
    "told-elsewhere",  # another finding stands for it
    "not-on-the-loop",  # it stalls a thread or process of its own
    "unreached",  # nothing that was read calls it
    "ruled-out",  # the loop gets here, but not with these arguments, this object or this check
    "runs-once",
    "command",
    "unresolved",
    "handed-off",
    "coroutine",
    "awaited",
    "condition",
    "later",
    "from-callers",
    "not-in-catalogue",
    "harmless",
]
"""Why something is reported or not."""


class Judged(msgspec.Struct, frozen=True):
    """A finding with what becomes of it, and how grave those of its rule usually are."""

    finding: Finding
    status: Status
    usual: Severity


class Callee(msgspec.Struct, frozen=True):
    """A function that a call runs, of the project or of an installed package.

    Attributes:
        how: inline, thread, loop, coroutine or later.
        via: The places between, in functions that hand their parameter on.
    """

    name: str
    path: str
    line: int
    how: str
    via: tuple[Frame, ...] = ()


class Library(msgspec.Struct, frozen=True):
    """A callable of a library with what the catalogue says of it; no `effect` if it says nothing."""

    name: str
    effect: str = ""
    category: str = ""
    stall: str = ""
    is_async: bool = False
    why: str = ""
    replacement: str = ""


class Way(msgspec.Struct, frozen=True):
    """The shortest way from a call to one that keeps its thread, both included."""

    kind: Kind
    sink: Sink
    chain: tuple[Frame, ...]


class Reason(msgspec.Struct, frozen=True):
    """Why a call is reported, or why it is not."""

    kind: ReasonKind
    text: str


class Call(msgspec.Struct, frozen=True):
    """A call, or a statement or property that runs code of others.

    Attributes:
        text: The call as messages show it.
        awaited: What it gives is awaited at once.
        runs: Functions whose source was read.
        uses: Callables of libraries.
    """

    text: str
    line: int
    column: int
    awaited: bool
    runs: tuple[Callee, ...]
    uses: tuple[Library, ...]
    reaches: tuple[Way, ...]
    reasons: tuple[Reason, ...]


class Part(msgspec.Struct, frozen=True):
    """A function (or the top level of a module) that has code on the line: where it runs, and its calls there.

    Attributes:
        kind: ``async def``, ``def``, ``lambda`` or ``module``.
        line: Where the function begins.
    """

    function: str
    kind: str
    path: str
    line: int
    runs: Runs
    calls: tuple[Call, ...]


class Told(msgspec.Struct, frozen=True):
    """A finding on the line."""

    code: str
    name: str
    severity: str
    line: int
    column: int
    message: str
    status: Status


class Explanation(msgspec.Struct, frozen=True):
    """The answer about one line.

    Attributes:
        source: Text of the line, stripped.
        parts: The function that the line stands in, then others that have calls on it.
    """

    path: str
    line: int
    parts: tuple[Part, ...]
    findings: tuple[Told, ...]
    source: str = ""
