"""Run a case of a specification: write its files, review them, compare markers and findings."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from asyncvet.model import Finding, ReadError
from asyncvet.rules import Rule
from tests.spec.document import Case, File
from tests.spec.markers import Marker, Mismatch, compare, markers, unmarked
from tests.spec.sync_twin import strip_async

# Reviews all files under a directory, with paths relative to it.
Review = Callable[[Path], tuple[Iterable[Finding], Iterable[ReadError]]]

# Fixes in place what rules find in the files under a directory, with unsafe fixes or without.
Fix = Callable[[Path, Collection[str], bool], None]


class SpecificationError(AssertionError):
    """A case does not hold; the text shows its files with what was expected and what was found."""


@dataclass(frozen=True)
class Harness:
    """Checks cases by `review`. Rules that a case is not about are left aside."""

    review: Review
    rules: tuple[Rule, ...]
    fix: Fix

    def check(self, case: Case, directory: Path) -> None:
        """Review the case in an empty directory.

        Raises:
            SpecificationError: Something was missed, wrongly reported, or unreadable.
        """
        expected = [marker for file in case.files for marker in markers(file)]
        subjects = self._subjects(case, expected)
        findings = self._reviewed(case, directory)
        mismatches = compare(expected, [finding for finding in findings if finding.name in subjects])
        if mismatches:
            raise SpecificationError(shown(case, mismatches))

    def check_sync_twin(self, case: Case, directory: Path) -> None:
        """Review the case stripped of async and await: rules that need a loop must be silent.

        A case where the loop is there without either word says `sync twin: reported, because ...`; that is checked as well.

        Raises:
            SpecificationError: Something was reported, or nothing where the case says otherwise.
        """
        expected = [marker for file in case.files for marker in markers(file)]
        needing_loop = {rule.name for rule in self.rules if rule.needs_loop} & self._subjects(case, expected)
        twin = replace(case, files=[replace(file, text=_stripped(file)) for file in case.files])
        findings = [finding for finding in self._reviewed(twin, directory) if finding.name in needing_loop]
        if "sync twin" not in case.directives:
            if mismatches := compare([], findings):
                raise SpecificationError(shown(twin, mismatches))
        elif not findings:
            raise SpecificationError(f"{_place(case)}\nthe sync twin is silent: take the line 'sync twin: ...' away")

    def check_fixed(self, case: Case, directory: Path) -> None:
        """Fix the case: the files must come out as its `fixed` blocks show them, and a second run must change nothing.

        Raises:
            SpecificationError: A file came out otherwise, or a second run changed it again.
        """
        subjects = self._subjects(case, [marker for file in case.files for marker in markers(file)])
        for expected, unsafe in ((case.fixed, False), (case.fixed_unsafe, True)):
            if not expected:
                continue
            write([replace(file, text=unmarked(file.text)) for file in case.files], directory)
            for run in ("the first run", "a second run"):
                self.fix(directory, subjects, unsafe)
                for file in expected:
                    found = (directory / file.path).read_text(encoding="utf-8")
                    if found != file.text:
                        lines = difflib.unified_diff(file.text.splitlines(), found.splitlines(), file.path, run, lineterm="")
                        raise SpecificationError("\n".join([_place(case), *lines]))

    def _subjects(self, case: Case, expected: Iterable[Marker]) -> set[str]:
        """Names of the rules that the case is about.

        Raises:
            SpecificationError: The case names a rule that does not exist.
        """
        known = {rule.name for rule in self.rules}
        named = {marker.rule for marker in expected}
        match case.directives.get("rules"):
            case None:
                named.add(case.document.stem)
            case "all":
                named |= {case.document.stem, *(rule.name for rule in self.rules if not rule.preview)}
            case names:
                named.update(names.split(", "))
        if unknown := named - known:
            raise SpecificationError(f"{_place(case)}\nno such rule: {', '.join(sorted(unknown))}")
        return named

    def _reviewed(self, case: Case, directory: Path) -> list[Finding]:
        write([replace(file, text=unmarked(file.text)) for file in case.files], directory)
        findings, errors = self.review(directory)
        if unread := [Mismatch(error.path, error.line or 1, "", f"unreadable: {error.message}") for error in errors]:
            raise SpecificationError(shown(case, unread))
        return list(findings)


def write(files: Iterable[File], directory: Path) -> None:
    """Write files under a directory, which need not exist."""
    for file in files:
        path = directory / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8", newline="\n")


def shown(case: Case, mismatches: Iterable[Mismatch]) -> str:
    """The files that have mismatches, each line beside what was expected and what was found there."""
    by_file: dict[str, list[Mismatch]] = {}
    for mismatch in mismatches:
        by_file.setdefault(mismatch.path, []).append(mismatch)
    texts = {file.path: file.text for file in case.files}
    tables = [_table(path, texts.get(path, ""), found) for path, found in by_file.items()]
    return "\n\n".join([_place(case), *tables])


def _table(path: str, text: str, mismatches: list[Mismatch]) -> str:
    lines = text.splitlines()
    rows = [("", path, "expected", "found")]
    for number, line in enumerate(lines, start=1):
        sides = _sides(mismatches, number)
        rows.append((f"{'>' if any(sides[0]) else ' '} {number}", line, *sides[0]))
        rows += [("", "", *side) for side in sides[1:]]
    for number in sorted({mismatch.line for mismatch in mismatches if mismatch.line > len(lines)}):
        rows += [(f"> {number}", "(no such line)", *side) for side in _sides(mismatches, number)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    padded = ([*map(str.ljust, row[:3], widths), row[3]] for row in rows)
    return "\n".join(" | ".join(row).rstrip(" |") for row in padded)


def _sides(mismatches: list[Mismatch], line: int) -> list[tuple[str, str]]:
    """What was expected and what was found at a line, in pairs; a pair of empty words if all is as it should be."""
    here = [mismatch for mismatch in mismatches if mismatch.line == line]
    expected = [mismatch.expected for mismatch in here if mismatch.expected]
    found = [mismatch.found for mismatch in here if mismatch.found]
    return list(zip_longest(expected, found, fillvalue="nothing")) or [("", "")]


def _place(case: Case) -> str:
    return f"{case.document.name}:{case.line}: {case.title}"


def _stripped(file: File) -> str:
    return strip_async(file.text) if file.path.endswith(".py") else file.text
