"""Markers in the files of a case, and how they compare with what was found."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from asyncvet.model import Finding
from tests.spec.document import File

_MARKER = re.compile(r'#\s*(todo-)?error:[ \t]*(?:\[([a-z0-9-]+)\](?:[ \t]*"([^"\n]*)")?)?')


@dataclass(frozen=True)
class Marker:
    """`rule` must be reported at this line with `words` in its message or chain; one to do is a known missed alarm."""

    path: str
    line: int
    rule: str
    words: str
    is_todo: bool

    def __str__(self) -> str:
        todo = "known miss: " if self.is_todo else ""
        return f"{todo}[{self.rule}]" + (f' "{self.words}"' if self.words else "")

    def fits(self, finding: Finding) -> bool:
        """The finding is the one that the marker speaks of."""
        place = (finding.span.path, finding.span.line, finding.name)
        return place == (self.path, self.line, self.rule) and self.words in spoken(finding)


@dataclass(frozen=True)
class Mismatch:
    """At one line: what was expected and not found, or found and not expected; the other side is empty."""

    path: str
    line: int
    expected: str
    found: str


def spoken(finding: Finding) -> str:
    """All that a finding says: its message, then a line for each frame of its chain."""
    frames = (f"{frame.path}:{frame.line} {frame.function}: {frame.text}" for frame in finding.chain)
    return "\n".join([finding.message, *frames])


def markers(file: File) -> list[Marker]:
    """The markers of a file.

    Raises:
        ValueError: A marker names no rule in brackets.
    """
    found: list[Marker] = []
    if PurePosixPath(file.path).suffix != ".py":
        return found
    for number, text in enumerate(file.text.splitlines(), start=1):
        for todo, rule, words in _MARKER.findall(text):
            if not rule:
                raise ValueError(f"line {file.line + number - 1}: a marker names its rule in brackets: # error: [rule-name]")
            found.append(Marker(file.path, number, rule, words, bool(todo)))
    return found


def unmarked(text: str) -> str:
    """The text without its markers: what is reviewed, as a chain quotes source lines and a marker must not answer itself."""
    return re.sub(rf"[ \t]*{_MARKER.pattern}.*$", "", text, flags=re.MULTILINE)


def compare(expected: Iterable[Marker], findings: Iterable[Finding]) -> list[Mismatch]:
    """Pair markers and findings one to one; what is left over on either side is a mismatch."""
    left = sorted(findings, key=lambda finding: (finding.span, finding.name))
    mismatches = []
    # The most particular marker chooses first; a known miss takes only what no other marker asks for.
    for marker in sorted(expected, key=lambda marker: (marker.is_todo, -len(marker.words))):
        match = next((finding for finding in left if marker.fits(finding)), None)
        if match is not None:
            left.remove(match)
        if match is None and not marker.is_todo:
            mismatches.append(Mismatch(marker.path, marker.line, str(marker), ""))
        if match is not None and marker.is_todo:
            mismatches.append(Mismatch(marker.path, marker.line, f"{marker}, found now: make it an error", _shown(match)))
    mismatches += [Mismatch(finding.span.path, finding.span.line, "", _shown(finding)) for finding in left]
    return sorted(mismatches, key=lambda mismatch: (mismatch.path, mismatch.line, mismatch.expected, mismatch.found))


def _shown(finding: Finding) -> str:
    return f"[{finding.name}] " + spoken(finding).replace("\n", " > ")
