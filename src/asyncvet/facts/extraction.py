"""From the bytes of a file to its facts."""

from __future__ import annotations

import re

from tree_sitter import Node

from asyncvet.facts import grammar, recovery, source
from asyncvet.facts.lower_blocks import block
from asyncvet.facts.lowering import Lowering
from asyncvet.facts.tree import Broken, Comment, ModuleFacts

_COMMENT = grammar.kind("comment")
_HASH = re.compile("#.*")
_MARKERS = ("asyncvet", "noqa", "# error:", "# todo-error:")
"""A comment that holds one of these in any case is for a tool."""

_MOST_BROKEN = 20
"""Entries that say what could not be read; a file with more is no Python, and one more says how many there were."""


def extract(data: bytes) -> ModuleFacts:
    """What a Python file says on its own, given its bytes.

    Never raises: what cannot be decoded or parsed, or is nested too deeply, is an entry of `ModuleFacts.broken`.
    A process that reads many files and keeps their facts should do so between `gc.disable()` and `gc.freeze()`:
    reading leaves no cycles, so that the collector finds nothing, in a third of the time.
    """
    text = source.decode(data)
    root = grammar.parse(text.utf8)
    lowering = Lowering(text.utf8.decode("latin-1"), text.line_starts, root.has_error)
    body = recovery.salvage(lowering, root, 0) if root.kind_id == grammar.ERROR else block(lowering, root, 0)
    if root.has_error:
        recovery.report_errors(lowering, root)
    return ModuleFacts(
        body,
        _comments(lowering, root),
        _in_order(text.broken + lowering.broken),
        text.line_starts,
        text.wide,
        text.lines,
        text.is_generated,
    )


def _in_order(broken: list[Broken]) -> list[Broken]:
    """Sorted by line, each message once a line, and no more of them than help."""
    entries = {(entry.line or 0, entry.message): entry for entry in broken}
    ordered = [entries[key] for key in sorted(entries)]
    if len(ordered) > _MOST_BROKEN:
        rest = len(ordered) - _MOST_BROKEN
        ordered[_MOST_BROKEN:] = [Broken(ordered[_MOST_BROKEN].line, f"{rest} more places from here on could not be read")]
    return ordered


def _comments(lowering: Lowering, root: Node) -> list[Comment]:
    comments: list[Comment] = []
    text = lowering.text
    for match in _HASH.finditer(text):
        lower = match.group().lower()
        place = match.start() + max(lower.rfind(marker) for marker in _MARKERS)
        if place < match.start():
            continue
        node = root.descendant_for_byte_range(place, place + 1)
        if node is None or node.kind_id != _COMMENT:
            continue
        start = node.start_byte
        comment = text[start : node.end_byte].rstrip().encode("latin-1").decode("utf-8", "replace")
        before = text[max(text.rfind("\n", 0, start), 0) : start]
        comments.append(Comment(start, comment, not before.strip()))
    return comments
