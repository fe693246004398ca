"""Which lines of which files a change touches, as a unified diff tells."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from asyncvet.config import UsageError

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_LETTERS = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r", b'"': b'"', b"\\": b"\\"}
_NOTHING = "/dev/null"

Ranges = tuple[tuple[int, int], ...]
"""First and last lines, from 1."""
WHOLE: Ranges = ((1, 1 << 62),)


class Changes(msgspec.Struct, frozen=True):
    """The lines that a change added or altered, by the real path of their file.

    A deleted line counts as a change of the lines on both sides of it.
    """

    lines: dict[str, Ranges]

    def touch(self, path: str, first: int, last: int) -> bool:
        """Whether any of the lines of a file, given by its real path, is changed."""
        return any(start <= last and first <= end for start, end in self.lines.get(path, ()))


class Patch(msgspec.Struct, frozen=True):
    """What a diff says of one file, which is there under this path once the change is made.

    Attributes:
        path: As the diff has it, with its prefix.
        changed: The changed lines.
        present: Lines that the diff shows, by number: what the file has there.
    """

    path: str
    changed: Ranges
    present: dict[int, bytes]


def from_diff(diff: bytes, name: str, folders: Sequence[Path]) -> Changes:
    """The changes that a unified diff describes.

    Args:
        diff: The diff. The change has been made: the files are as they are after it.
        name: What messages call the diff.
        folders: Where its paths may start; the first that has all of its Python files counts.

    Raises:
        UsageError: It is no unified diff, or does not fit the files as they are.
    """
    patches = parse(diff, name)
    files = _files([patch for patch in patches if patch.path.endswith(".py")], name, folders)
    for file, patch in files:
        _check(file, patch, name)
    return Changes({os.path.realpath(file): patch.changed for file, patch in files})


def parse(diff: bytes, name: str) -> list[Patch]:
    """Read a unified diff; deleted files are not in the result.

    Raises:
        UsageError: It is no unified diff.
    """
    reader = _Reader(diff, name)
    patches = list(reader.patches())
    if not patches and diff.strip() and not reader.has_header:
        raise UsageError(f"{name}: is not a unified diff")
    return patches


def strip_prefix(path: str) -> str:
    """A path of a diff without its first folder, which stands for the old or the new side."""
    return path.partition("/")[2]


class _Reader:
    """Reads a diff line by line."""

    def __init__(self, diff: bytes, name: str) -> None:
        self._lines = diff.removesuffix(b"\n").split(b"\n")
        self._name = name
        self._index = 0
        self.has_header = False

    def patches(self) -> Iterator[Patch]:
        while self._index < len(self._lines):
            line = self._next()
            if line.startswith((b"diff --git ", b"diff -", b"Index: ")):
                self.has_header = True
            elif line.startswith(b"@@@ "):
                raise self._error("a diff of a merge, against several parents, cannot be used")
            elif line.startswith(b"--- ") and self._peek().startswith(b"+++ "):
                self.has_header = True
                patch = self._patch(_path(self._next()))
                if patch.path != _NOTHING:
                    yield patch

    def _patch(self, path: str) -> Patch:
        changed: list[tuple[int, int]] = []
        present: dict[int, bytes] = {}
        while (hunk := _HUNK.match(self._peek())) is not None:
            self._next()
            old, new = (int(count) if count is not None else 1 for count in (hunk[1], hunk[3]))
            changed += self._hunk(int(hunk[2]) + (new == 0), old, new, present)
        return Patch(path, tuple(changed), present)

    def _hunk(self, line: int, old: int, new: int, present: dict[int, bytes]) -> Iterator[tuple[int, int]]:
        """The changed lines of a hunk whose first new line is `line`; notes what the file has there."""
        start, removed = line, False
        while old > 0 or new > 0:
            text = self._next() if self._index < len(self._lines) else None
            kind = (text[:1] or b" ") if text is not None else b""
            if text is None or kind not in b" +-\\" or (kind == b" " and not (old and new)):
                raise self._error("the diff breaks off within a hunk, or has lines there that are none of a diff")
            if kind in b" +":
                present[line] = text[1:]
            if kind == b" ":
                yield from _run(start, line, removed)
                start, removed = line + 1, False
            removed |= kind == b"-" and bool(text[1:].strip())
            line, old, new = line + (kind in b" +"), old - (kind in b" -"), new - (kind in b" +")
        yield from _run(start, line, removed)

    def _peek(self) -> bytes:
        return self._lines[self._index] if self._index < len(self._lines) else b""

    def _next(self) -> bytes:
        self._index += 1
        return self._lines[self._index - 1]

    def _error(self, message: str) -> UsageError:
        return UsageError(f"{self._name}:{self._index}: {message}")


def _run(start: int, end: int, removed: bool) -> Iterator[tuple[int, int]]:
    """The lines from `start` up to `end`, or those around a place where lines were only removed."""
    if start < end:
        yield start, end - 1
    elif removed:
        yield start - 1, start


def _path(header: bytes) -> str:
    """The path of a `+++` line: a time may stand behind it, and odd characters are escaped within quotes."""
    text = header[4:].partition(b"\t")[0].rstrip(b"\r\n ")
    if text.startswith(b'"') and text.endswith(b'"'):
        text = _ESCAPE.sub(lambda found: _LETTERS.get(found[1]) or bytes([int(found[1], 8) & 255]), text[1:-1])
    return os.fsdecode(text)


def _files(patches: Sequence[Patch], name: str, folders: Sequence[Path]) -> list[tuple[Path, Patch]]:
    """The file of each patch, below the first folder that has all of them."""
    missing = ""
    for folder in folders:
        files = [(_file(folder, patch.path), patch) for patch in patches]
        absent = [patch.path for file, patch in files if file is None]
        if not absent:
            return [(file, patch) for file, patch in files if file is not None]
        missing = missing or strip_prefix(absent[0]) or absent[0]
    raise UsageError(f"{name}: does not fit the files here: there is no {missing}")


def _file(folder: Path, path: str) -> Path | None:
    for candidate in (strip_prefix(path), path):
        file = folder / candidate
        if candidate and not Path(candidate).is_absolute() and ".." not in Path(candidate).parts and file.is_file():
            return file
    return None


def _check(file: Path, patch: Patch, name: str) -> None:
    """Raise if a file does not have the lines that a diff shows."""
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    for number, text in patch.present.items():
        if number > len(lines) or lines[number - 1].rstrip(b"\r") != text.rstrip(b"\r"):
            shown = strip_prefix(patch.path) or patch.path
            raise UsageError(f"{name}: does not fit {shown} as it is now: line {number} is another one; is the change made?")
