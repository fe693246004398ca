"""The values of string and number literals."""

from __future__ import annotations

import re
import unicodedata

LONGEST_STRING = 200
"""Characters that are kept of a string literal: enough for a name, an address, or a query's first words."""

_BYTES_A_CHARACTER = 4
_SMALLEST_INTEGER = -(2**63)
_INTEGERS_END = 2**64
_ESCAPE = re.compile(
    r"\\(?:(\r\n|[\r\n])|([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|N\{([^}]*)\}|([\\'\"abfnrtv]))"
)
_SIMPLE_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_REPLACEMENT = "\ufffd"
"""Stands for a lone surrogate and for an unknown character name: neither can be serialised."""


def string_value(raw: str, *, is_escaped: bool) -> str:
    """The value between the quotes of a string literal, cut to `LONGEST_STRING` characters.

    Args:
        raw: The source text between the quotes, its UTF-8 bytes as characters.
        is_escaped: Backslashes are escapes: the literal is not a raw one.
    """
    has_escape = is_escaped and "\\" in raw
    if not has_escape:
        raw = raw[: LONGEST_STRING * _BYTES_A_CHARACTER]
    value = raw if raw.isascii() else raw.encode("latin-1").decode("utf-8", "ignore")
    if "\r" in value:
        value = value.replace("\r\n", "\n")
    if has_escape:
        value = _ESCAPE.sub(_unescape, value)
    return value[:LONGEST_STRING]


def integer_value(text: str) -> int | None:
    """The value of an integer literal; None if it needs more than 64 bits or is of a form that Python 3 no longer has."""
    try:
        value = int(text, 0)
    except ValueError:
        return None
    return value if value < _INTEGERS_END else None


def float_value(text: str) -> float | None:
    """The value of a float literal; None if it is malformed."""
    try:
        return float(text)
    except ValueError:
        return None


def _unescape(match: re.Match[str]) -> str:
    newline, octal, byte, short, long, name, simple = match.groups()
    if newline:
        return ""
    if simple:
        return _SIMPLE_ESCAPES.get(simple, simple)
    if name is not None:
        try:
            return unicodedata.lookup(name)
        except KeyError:
            return _REPLACEMENT
    code = int(octal, 8) if octal else int(byte or short or long, 16)
    return _REPLACEMENT if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF else chr(code)
