"""The source text at the places of findings, each on one line, and which part of it is meant."""

from __future__ import annotations

import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import islice
from typing import NamedTuple

from asyncvet.model import Finding, Frame, Span

LONGEST_EXCERPT = 200
"""Characters of an excerpt that a report keeps."""

MOST_LINES = 60
"""So many lines of a call are looked at for its end."""

Place = tuple[str, int, int]
"""Path, line and column."""


class Excerpts(NamedTuple):
    """What the source says at some places.

    Attributes:
        texts: On one line, without comments.
        marks: Where in its text the code at the place starts and ends, in characters.
    """

    texts: dict[Place, str]
    marks: dict[Place, tuple[int, int]]


_PIECE = re.compile(
    r"""(?P<string>'{3}(?:\\.|[^\\])*?'{3}|"{3}(?:\\.|[^\\])*?"{3}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")"""
    r"|(?P<comment>\#[^\n]*)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<space>(?:\\\n|\s)+)|(?P<rest>\w+|.)",
    re.DOTALL,
)
_MEMBER = re.compile(r"\s*\.\w")
_FOLDED = re.compile(r"(?<=[(\[{])\n|,?\n(?=[)\]}])|\n(?=\.\w)")
"""Line breaks that leave nothing behind, with the comma before a closing bracket."""


def excerpts(findings: Iterable[Finding], content: Callable[[str], bytes | None]) -> Excerpts:
    """The source text of findings and their chains: the line without a comment, or the call itself if it goes on over more lines.

    `content` gives what the file at a path holds. A file that is gone has none.
    """
    wanted: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for finding in findings:
        places: tuple[Span | Frame, ...] = (finding.span, *finding.chain)
        for place in places:
            wanted[place.path].add((place.line, place.column))
    found = Excerpts({}, {})
    for path in sorted(wanted):
        held = content(path)
        lines = lines_of(held) if held is not None else []
        for line, column in sorted(wanted[path]):
            if line <= len(lines):
                text, start, end = _excerpt(lines, line - 1, column - 1)
                found.texts[path, line, column] = text = text[:LONGEST_EXCERPT]
                found.marks[path, line, column] = (min(start, len(text)), min(end, len(text)))
    return found


def _excerpt(lines: list[str], index: int, column: int) -> tuple[str, int, int]:
    """A text, and where in it the code at the place starts and ends."""
    text = "\n".join(line[: 10 * LONGEST_EXCERPT] for line in islice(lines, index, index + MOST_LINES))
    call = _call(text[column:])
    if "\n" not in call:
        line = lines[index][: 10 * LONGEST_EXCERPT]
        start = max(column - (len(line) - len(line.lstrip())), 0)
        return _without_comments(line).strip() or line.strip(), start, start + len(call)
    folded = _FOLDED.sub("", re.sub(r"\s*\n\s*", "\n", call)).replace("\n", " ")
    return folded, 0, len(folded)


def _without_comments(line: str) -> str:
    return "".join(piece[0] for piece in _PIECE.finditer(line) if piece.lastgroup != "comment")


def _call(text: str) -> str:
    """What a text begins with, up to the end of its first call and of the calls on what that gives; without comments."""
    depth = 0
    is_called = False
    kept: list[str] = []
    for piece in _PIECE.finditer(text):
        kind, token = piece.lastgroup, piece[0]
        if kind == "comment":
            continue
        if depth == 0 and not _MEMBER.match(text, piece.start()):
            ends_line = "\n" in token and "\\" not in token
            if (kind == "space" and ends_line) or (is_called and kind != "open" and not token.isidentifier()):
                break
        depth += (kind == "open") - (kind == "close")
        if depth < 0:
            break
        is_called |= kind == "close"
        kept.append(token)
    return "".join(kept).strip().replace("\\\n", "\n")


def lines_of(content: bytes) -> list[str]:
    """The lines of a file as Python counts them, decoded as it says, or else as far as possible."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError:
        encoding = "utf-8"
    return io.TextIOWrapper(io.BytesIO(content), encoding, errors="replace").read().split("\n")
