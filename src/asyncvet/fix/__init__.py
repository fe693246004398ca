"""Fixes: what to edit for a finding, one module for each rule that has some, found by its place in `asyncvet.fix.rules`.

A fix is a pure function of a finding and the code that it is in. It reads no file and writes none: the engine hands it the text, and
decides what becomes of the edits.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence

import msgspec

from asyncvet.facts import extract
from asyncvet.fix import rules
from asyncvet.fix.code import Code, Draft
from asyncvet.fix.imports import import_changes
from asyncvet.fix.text import Change, Text
from asyncvet.graph import Project
from asyncvet.model import Edit, Finding, Fix

__all__ = ["Code", "Draft", "Edited", "Fixes", "Text", "changed", "compatible"]

Drafting = Callable[[Finding, Code], Draft | str]
"""Drafts the fix of a finding, or says why there is none."""


@functools.cache
def drafting(rule: str) -> Drafting | None:
    """The function that drafts the fixes of a rule, by the rule's name; None if it has none."""
    name = rule.replace("-", "_")
    if name not in {module.name for module in pkgutil.iter_modules(rules.__path__)}:
        return None
    fix: Drafting = importlib.import_module(f"{rules.__name__}.{name}").fix
    return fix


class Fixes:
    """The fixes of a project's findings.

    Args:
        project: The project.
        read: Gives the bytes of one of its files; None if it cannot be read.
    """

    def __init__(self, project: Project, read: Callable[[str], bytes | None]) -> None:
        self._project = project
        self._read = read
        self._codes: dict[str, Code | None] = {}
        self._answers: dict[Callable[[Project], object], object] = {}

    def code(self, path: str) -> Code | None:
        """The code of a file; None if it cannot be edited: unreadable, broken, or of an encoding that does not come back the same."""
        if path not in self._codes:
            module = self._project.modules.get(path)
            data = self._read(path) if module is not None and not module.facts.broken else None
            text = Text.read(data) if data is not None else None
            known = module is not None and text is not None
            self._codes[path] = Code(self._project, module, text, self._answers) if known and module and text else None
        return self._codes[path]

    def draft(self, finding: Finding) -> Draft | str:
        """What to change for a finding, or why no edit is known."""
        make = drafting(finding.name)
        if make is None:
            return "the rule has none"
        code = self.code(finding.span.path)
        return (
            make(finding, code)
            if code is not None
            else "the file cannot be edited: it is broken, or not in the encoding it names"
        )

    def fix(self, finding: Finding) -> Fix | None:
        """A finding's fix with all of its edits, as reports show it."""
        draft = self.draft(finding)
        code = self.code(finding.span.path)
        if isinstance(draft, str) or code is None:
            return None
        path = finding.span.path
        edits = (Edit(code.facts.span(path, change.start, change.end), change.text) for change in _complete(code, [draft]))
        return Fix(draft.safety, draft.title, tuple(edits))


def _complete(code: Code, drafts: Sequence[Draft]) -> list[Change]:
    """The changes of drafts that are compatible, and those that they bring about in the imports, in order."""
    changes = list(dict.fromkeys(change for draft in drafts for change in draft.changes))
    imports = import_changes(code, changes, (need for draft in drafts for need in draft.needs))
    return sorted([*imports, *changes], key=lambda change: (change.start, change.end))


def compatible(drafts: Iterable[Draft]) -> list[Draft]:
    """Drafts of one file, without those that touch what an earlier one touches; two that are the same stay."""
    kept: list[Draft] = []
    for draft in drafts:
        if all(draft.changes == other.changes or not _overlap(draft, other) for other in kept):
            kept.append(draft)
    return kept


def _overlap(one: Draft, other: Draft) -> bool:
    return (
        _is_touched(one.moved, other)
        or _is_touched(other.moved, one)
        or any(
            a.start == b.start
            or (a.start < b.end and b.start < a.end)
            or (a.start < b.start < a.end)
            or (b.start < a.start < b.end)
            for a in one.changes
            for b in other.changes
        )
    )


def _is_touched(stretch: tuple[int, int] | None, draft: Draft) -> bool:
    return stretch is not None and any(change.start < stretch[1] and stretch[0] < change.end for change in draft.changes)


class Edited(msgspec.Struct, frozen=True):
    """A file with drafts applied: its bytes, and what was changed to get them."""

    data: bytes
    changes: list[Change]

    def places(self, offset: int) -> range:
        """Where what stood at an offset may stand now: there, or in and behind what was put in front of it.

        Behind what took its place stands something else.
        """
        here = next((change for change in self.changes if change.start == offset), Change(offset, offset, ""))
        start = offset + sum(_growth(change) for change in self.changes if change.end <= offset and change is not here)
        return range(start, start + len(here.text.encode()) + (here.start == here.end))


def _growth(change: Change) -> int:
    return len(change.text.encode()) - (change.end - change.start)


def changed(code: Code, drafts: Sequence[Draft]) -> Edited | None:
    """A file with compatible drafts applied; None if it would not parse or cannot be encoded."""
    changes = _complete(code, drafts)
    try:
        data = code.text.changed(changes)
    except UnicodeError:
        return None
    written = [change._replace(text=change.text.replace("\n", code.text.newline)) for change in changes]
    return None if extract(data).broken else Edited(data, written)
