"""What a finding is known by from one review to the next.

A fingerprint is made of the rule, the function, the code at the place, and the kind of wait at the end of the chain. It knows no
line, no way between the two ends of a chain, and nothing that a formatter changes: line breaks, spaces, quotes, parentheses, commas.
So it survives moved lines, reformatting, and edits everywhere but at the place itself.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from asyncvet.engine.excerpts import lines_of
from asyncvet.model import Finding, Span

_TOKEN = re.compile(
    r"""(?P<string>\w{0,2}(?:'{3}(?:\\.|[^\\])*?'{3}|"{3}(?:\\.|[^\\])*?"{3}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))"""
    r"|(?P<comment>\#[^\n]*)|(?P<space>(?:\\\n|\s)+)|(?P<word>\w+)|(?P<mark>:=|.)",
    re.DOTALL,
)
_FORMATTED = re.compile(r"""['"\\\s(),]""")
"""What a formatter changes within a string, an f-string's expressions included."""

_PREFIXES = "bBfFrRtTuU"
_BLOCK = re.compile(r"(?:async\s+)?(?:with|for|def|while|if|elif|else|try|except|finally|class|match|case)\b")
_MOST = 4000
"""So many characters of a place are looked at."""


class Identity(NamedTuple):
    """What a fingerprint is made of.

    Attributes:
        code: Of the rule.
        function: Qualified name of the function; that of the module for code outside functions.
        text: The code at the place, without what a formatter changes.
        category: What the call at the end of the chain does; empty where there is none.
        number: Equal findings are told apart by their order.
    """

    code: str
    function: str
    text: str
    category: str
    number: int

    @property
    def fingerprint(self) -> str:
        """The identity in sixteen letters and digits."""
        return hashlib.blake2b(repr(tuple(self)).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def identities(findings: Iterable[Finding], content: Callable[[str], bytes | None]) -> list[Identity]:
    """The identity of each finding.

    Args:
        findings: All that stand, in the order of their places: equal ones are numbered.
        content: Gives what the file at a path holds. A file that is gone has no text.
    """
    sources: dict[str, list[str]] = {}
    seen: Counter[tuple[str, str, str, str]] = Counter()
    found = []
    for finding in findings:
        path = finding.span.path
        if path not in sources:
            sources[path] = lines_of(content(path) or b"")
        category = finding.sink.category if finding.sink is not None else ""
        known = (finding.code, finding.function, unformatted(text_at(finding.span, sources[path])), category)
        seen[known] += 1
        found.append(Identity(*known, seen[known]))
    return found


def text_at(span: Span, lines: Sequence[str]) -> str:
    """The code of a span, in the lines of its file."""
    first, *rest = lines[span.line - 1 : span.end_line] or [""]
    if not rest:
        return first[span.column - 1 : span.end_column - 1]
    *between, last = rest
    return "\n".join([first[span.column - 1 :], *between, last[: span.end_column - 1]])


def unformatted(text: str) -> str:
    """A text without what a formatter changes; of a block, the words before its colon alone."""
    is_block = _BLOCK.match(text) is not None
    depth = 0
    last = ""
    kept: list[str] = []
    for token in _TOKEN.finditer(text[:_MOST]):
        kind, piece = token.lastgroup or "", token[0]
        if kind in ("space", "comment"):
            continue
        if kind == "mark":
            depth += (piece in "[{(") - (piece in ")}]")
            if is_block and depth == 0 and piece == ":":
                break
            piece = piece.strip("(),")
        elif kind == "word":
            piece = piece.lower() if piece[0].isdigit() else piece
        else:
            piece = _FORMATTED.sub("", piece.lstrip(_PREFIXES))
        if kind == last == "string":  # formatters join strings that stand beside each other
            kept[-1] += piece
        elif piece or kind == "string":
            kept.append(piece)
        last = kind if piece or kind == "string" else last
    return " ".join(kept)
