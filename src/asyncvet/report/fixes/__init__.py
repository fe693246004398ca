"""What fixing has come to: what was applied and what was not, as text, and the edits as a diff."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from asyncvet.model import Finding
from asyncvet.report import harmless

Kind = Literal["refused", "deferred", "unsafe", "no-edit"]

_KINDS: dict[Kind, str] = {
    "refused": "not applied",
    "deferred": "deferred, as other edits were in the way; run again",
    "unsafe": "with an unsafe fix; --unsafe applies it",
    "no-edit": "without a fix",
}

_SHORTENED = frozenset[Kind]({"unsafe", "no-edit"})
"""What is counted by rule unless everything is wanted."""


class Applied(msgspec.Struct, frozen=True):
    """A finding that edits have ended, and what they do. Its place is that before the edits."""

    finding: Finding
    safety: Literal["safe", "unsafe"]
    title: str


class Left(msgspec.Struct, frozen=True):
    """A finding that stands, and why.

    Attributes:
        kind: Its fix was ``refused``, or ``deferred`` when the passes were used up; it is ``unsafe`` and was not asked for; or there is
            ``no-edit``.
    """

    finding: Finding
    kind: Kind
    reason: str


class Rewritten(msgspec.Struct, frozen=True):
    """A file before and after. `path` is as reports name it."""

    path: str
    before: bytes
    after: bytes


class Fixing(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of fixing.

    Attributes:
        files: What changes, by path.
        unwritten: Files that could not be written, with the reason.
        passes: How often the code was reviewed.
        failed_rules: Codes of the rules that broke down.
    """

    applied: tuple[Applied, ...] = ()
    left: tuple[Left, ...] = ()
    files: tuple[Rewritten, ...] = ()
    unwritten: dict[str, str] = {}
    passes: int = 0
    failed_rules: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Every fix that was asked for and is known has been applied."""
        return not self.unwritten and all(left.kind in _SHORTENED for left in self.left)

    def without(self, unwritten: dict[str, str]) -> Fixing:
        """The outcome if some files could not be written."""
        return msgspec.structs.replace(
            self,
            applied=tuple(each for each in self.applied if each.finding.span.path not in unwritten),
            files=tuple(file for file in self.files if file.path not in unwritten),
            unwritten=unwritten,
        )


def diff(fixing: Fixing) -> bytes:
    """The edits as a unified diff, in the bytes of the files."""
    return b"".join(line for file in fixing.files for line in _diff(file))


def _diff(file: Rewritten) -> Iterator[bytes]:
    before, after = (data.splitlines(keepends=True) for data in (file.before, file.after))
    name = file.path.encode(errors="surrogateescape")
    for line in difflib.diff_bytes(difflib.unified_diff, before, after, name, name):
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"


def summary(fixing: Fixing, *, verbose: bool, would: bool) -> str:
    """What was applied and what was not, and why, as text.

    Args:
        fixing: The outcome.
        verbose: Name every finding that stands; else those without a fix to apply are counted by rule.
        would: Nothing was written.
    """
    lines = [f"{_place(each.finding)}: {each.finding.code} fixed: {harmless(each.title)}" for each in fixing.applied]
    lines += [f"{harmless(path)}: could not be written: {reason}" for path, reason in fixing.unwritten.items()]
    for kind, words in _KINDS.items():
        found = [left for left in fixing.left if left.kind == kind]
        if kind in _SHORTENED and not verbose:
            lines += _counted(kind, found)
        else:
            lines += [f"{_place(left.finding)}: {left.finding.code} {words}: {harmless(left.reason)}" for left in found]
    return "\n".join([*lines, _totals(fixing, would)]) + "\n"


def _place(finding: Finding) -> str:
    return f"{harmless(finding.span.path)}:{finding.span.line}:{finding.span.column}"


def _counted(kind: Kind, found: Iterable[Left]) -> Iterator[str]:
    counts = Counter((left.finding.code, left.finding.name, left.reason if kind == "no-edit" else "") for left in found)
    for (code, name, reason), number in sorted(counts.items()):
        yield f"{number} {code} {name} {_KINDS[kind]}" + (f": {harmless(reason)}" if reason else "")


def _totals(fixing: Fixing, would: bool) -> str:
    counts = Counter(left.kind for left in fixing.left)
    found = _number(len(fixing.applied), "finding")
    words = [f"{'would fix' if would else 'fixed'} {found} in {_number(len(fixing.files), 'file')}"]
    names: dict[Kind, str] = {"refused": "not applied", "deferred": "deferred", "unsafe": "unsafe", "no-edit": "without a fix"}
    words += [f"{counts[kind]} {name}" for kind, name in names.items() if counts[kind]]
    return "; ".join(words)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
