"""The text of one file, in the form that the offsets of its facts count in, and back to its bytes.

Edits replace spans of the text and leave every other byte as it is; nothing prints a tree anew. What is not looked at can then not be
changed: comments, blank lines, quotes, tabs, form feeds, line endings, the byte order mark and the encoding. docs/explanation/design.md
says what a concrete syntax tree would cost instead.
"""

from __future__ import annotations

import io
import re
import tokenize
from functools import cached_property
from typing import NamedTuple

_PIECE = re.compile(
    rb"""(?P<long>'{3}(?:\\.|[^\\])*?'{3}|"{3}(?:\\.|[^\\])*?"{3})"""
    rb"""|(?P<short>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")|(?P<comment>\#[^\r\n]*)""",
    re.DOTALL,
)


LINE_LENGTH = 88
"""Columns that a line may have in any file, as the formatters' defaults have it."""


class Change(NamedTuple):
    """Replace what stands between two offsets; lines of `text` end in a line feed whatever the file's own end in."""

    start: int
    end: int
    text: str


class Text:
    """The text of one file.

    Attributes:
        utf8: In UTF-8, without byte order mark.
        newline: What its lines end in.
    """

    def __init__(self, utf8: bytes, encoding: str) -> None:
        self.utf8 = utf8
        self.newline = "\r\n" if b"\r\n" in utf8[: utf8.find(b"\n") + 1] else "\n"
        self._encoding = encoding

    @classmethod
    def read(cls, data: bytes) -> Text | None:
        """The text of a file's bytes; None if they would not come back the same, or hold what the facts count otherwise."""
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            decoded = data.decode(encoding)
            is_same = decoded.encode(encoding) == data
        except (SyntaxError, UnicodeError, LookupError):
            return None
        text = cls(decoded.encode(), encoding)
        is_plain = b"\0" not in data and re.search(rb"\r(?!\n)", text.utf8) is None
        return text if is_same and is_plain else None

    def changed(self, changes: list[Change]) -> bytes:
        """The bytes of the file with changes made that do not overlap; what is inserted at one place stays in the order given.

        Raises:
            UnicodeError: The file's encoding has no such characters.
        """
        parts: list[bytes] = []
        done = 0
        for change in sorted(changes, key=lambda change: (change.start, change.end)):
            assert change.start >= done, "changes overlap"
            parts += [self.utf8[done : change.start], change.text.replace("\n", self.newline).encode()]
            done = change.end
        return b"".join([*parts, self.utf8[done:]]).decode().encode(self._encoding)

    def between(self, start: int, end: int) -> str:
        """What stands between two offsets, with lines that end in a line feed."""
        return self.utf8[start:end].decode().replace("\r\n", "\n")

    def line_start(self, offset: int) -> int:
        """Where the line of an offset starts."""
        return self.utf8.rfind(b"\n", 0, offset) + 1

    def next_line(self, offset: int) -> int:
        """Where the line after that of an offset starts, or the end of the file."""
        end = self.utf8.find(b"\n", offset)
        return len(self.utf8) if end < 0 else end + 1

    def indentation(self, offset: int) -> str:
        """The white space that the line of an offset starts with."""
        line = self.utf8[self.line_start(offset) : offset]
        return line[: len(line) - len(line.lstrip(b" \t\f"))].decode()

    def is_first(self, offset: int) -> bool:
        """Nothing stands before an offset on its line."""
        return not self.utf8[self.line_start(offset) : offset].strip()

    def is_last(self, offset: int) -> bool:
        """Nothing but a comment stands behind an offset on its line."""
        rest = self.utf8[offset : self.next_line(offset)].strip()
        return not rest or rest.startswith(b"#")

    def is_blank(self, offset: int) -> bool:
        """The line of an offset is blank, or there is none."""
        return not self.utf8[self.line_start(offset) : self.next_line(offset)].strip()

    def below_blank_lines(self, offset: int) -> int:
        """Where the first line from an offset on starts that is not blank, or the end of the file."""
        while offset < len(self.utf8) and self.is_blank(offset):
            offset = self.next_line(offset)
        return offset

    def is_too_long(self, offset: int, more: int) -> bool:
        """The line of an offset, with so many characters more, would be longer than any of the file and than 88."""
        length = len(self.between(self.line_start(offset), self.next_line(offset)).rstrip("\n")) + more
        return length > max(LINE_LENGTH, self._longest)

    @cached_property
    def _longest(self) -> int:
        return max((len(line) for line in self.utf8.decode().splitlines()), default=0)

    @cached_property
    def _pieces(self) -> list[tuple[str, int, int]]:
        return [(match.lastgroup or "", match.start(), match.end()) for match in _PIECE.finditer(self.utf8)]

    def comments(self, start: int, end: int) -> list[str]:
        """The comments between two offsets."""
        return [self.utf8[a:b].decode() for kind, a, b in self._pieces if kind == "comment" and start <= a and b <= end]

    @cached_property
    def unit(self) -> str:
        """What one level of indentation is: that of the first line that is indented, four spaces where none is."""
        strings = [(a, b) for kind, a, b in self._pieces if kind == "long"]
        for match in re.finditer(rb"^([ \t]+)\S", self.utf8, re.MULTILINE):
            before = self.utf8[: match.start()].rstrip()
            if before.endswith(b":") and not any(a < match.start() < b for a, b in strings):
                return match[1].decode()
        return "    "

    def indented(self, start: int, end: int, levels: int = 1) -> list[Change]:
        """Indent the lines from that of `start` up to `end`, but for blank ones and those that start in a string."""
        strings = [(a, b) for kind, a, b in self._pieces if kind == "long"]
        changes = []
        line = self.line_start(start)
        while line < end:
            if not self.is_blank(line) and not any(a < line < b for a, b in strings):
                changes.append(Change(line, line, levels * self.unit))
            line = self.next_line(line)
        return changes
