"""Texts as an editor holds them: positions in its units, and edits.

The protocol ends lines at LF, CR LF and CR only, as Python does, and counts columns in the units of an encoding.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from lsprotocol import types

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


class Encoding(msgspec.Struct, frozen=True):
    """How an editor counts columns: by its name in the protocol."""

    name: str = "utf-16"

    def units(self, text: str) -> int:
        """The length of a text."""
        if text.isascii():
            return len(text)
        codec, size = _UNITS[self.name]
        return len(text.encode(codec, "surrogatepass")) // size

    def characters(self, line: str, units: int) -> int:
        """How many characters of a line stand before a column, at most all of them; one that it cuts in two stands behind it."""
        if line.isascii():
            return min(units, len(line))
        count = 0
        for index, char in enumerate(line):
            count += self.units(char)
            if count > units:
                return index
        return len(line)


def split(text: str) -> list[str]:
    """The lines of a text with their ends; the last one has none."""
    return [line for line in _LINE.findall(text) if line] + ([""] if not text or text[-1] in "\r\n" else [])


class Document(msgspec.Struct, frozen=True):
    """A text of an editor.

    Attributes:
        version: As the editor counts; None if it does not.
        is_lost: Edits came out of order, so that the text is not what the editor shows.
    """

    text: str
    version: int | None
    is_lost: bool = False

    def edited(
        self, changes: Sequence[types.TextDocumentContentChangeEvent], version: int | None, encoding: Encoding
    ) -> Document:
        """The document after changes, each of which starts from the one before. A text as a whole brings a lost one back."""
        text, is_lost = self.text, self.is_lost or _is_older(version, self.version)
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangeWholeDocument):
                is_lost = is_lost and _is_older(version, self.version)
                text = text if is_lost else change.text
            elif not is_lost:
                text = _spliced(text, change.range, change.text, encoding)
        return Document(text, self.version if _is_older(version, self.version) else version, is_lost)


def _is_older(version: int | None, than: int | None) -> bool:
    return version is not None and than is not None and version <= than


def _spliced(text: str, place: types.Range, new: str, encoding: Encoding) -> str:
    lines = split(text)
    start, end = sorted((_offset(lines, place.start, encoding), _offset(lines, place.end, encoding)))
    return text[:start] + new + text[end:]


def _offset(lines: list[str], position: types.Position, encoding: Encoding) -> int:
    """Where a position is in the text; one behind the end of a line or of the text is that end."""
    if position.line >= len(lines):
        return sum(map(len, lines))
    content = lines[position.line].rstrip("\r\n")
    return sum(map(len, lines[: position.line])) + encoding.characters(content, position.character)
