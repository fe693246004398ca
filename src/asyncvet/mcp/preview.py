"""What a fix would change, as a diff."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence

from asyncvet.engine.excerpts import lines_of
from asyncvet.model import Edit, Fix


def fix_diff(fix: Fix, content: Callable[[str], bytes | None]) -> str:
    """The unified diff of a fix.

    Args:
        fix: The fix.
        content: Gives the bytes of a file by its path.
    """
    changed: list[str] = []
    for path in dict.fromkeys(edit.span.path for edit in fix.edits):
        before = lines_of(content(path) or b"")
        after = _edited(before, (edit for edit in fix.edits if edit.span.path == path))
        changed += difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", lineterm="")
    return "\n".join(changed) + "\n"


def _edited(lines: Sequence[str], edits: Iterable[Edit]) -> list[str]:
    """The lines of a file after edits, which do not overlap."""
    text = "\n".join(lines)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
        span = edit.span
        start, end = starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1
        text = text[:start] + edit.text + text[end:]
    return text.split("\n")
