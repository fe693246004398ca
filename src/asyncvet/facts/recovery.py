"""What can be said and saved where the text does not parse."""

from __future__ import annotations

from bisect import bisect_right

from tree_sitter import Node

from asyncvet.facts import grammar
from asyncvet.facts.lowering import EXPRESSIONS, STATEMENTS, Lowering
from asyncvet.facts.tree import ExprStmt, Statement

_BLOCK = grammar.kind("block")
_EQUALS = grammar.token("=")
_TYPE_PARAMETER = grammar.kind("type_parameter")

_CLOSING = {grammar.token(mark) for mark in (")", "]", "}")}
_OPENING = {grammar.token(mark) for mark in ("(", "[", "{")}
_QUIET = {grammar.kind("comment"), grammar.kind("line_continuation")}
_EXCERPT = 40
"""Characters of the text shown in a message."""


def salvage(lowering: Lowering, node: Node, depth: int) -> list[Statement]:
    """The statements, and the expressions that have parts, inside errors in `node`; its blocks are read anyway."""
    statements = STATEMENTS[depth]
    expressions = EXPRESSIONS[depth]
    found: list[Statement] = []
    stack = [(node, False)]
    while stack:
        current, is_lost = stack.pop()
        kind = current.kind_id
        if kind == grammar.ERROR:
            is_lost = True
        elif not is_lost and (kind == _BLOCK or not current.has_error):
            continue
        elif is_lost and kind in statements:
            found.append(statements[kind](lowering, current, depth))
            is_lost = False
        elif is_lost and kind in expressions:
            if current.child_count:
                found.append(ExprStmt(current.start_byte, current.end_byte, expressions[kind](lowering, current, depth)))
            is_lost = False
        stack.extend((child, is_lost) for child in reversed(current.children))
    return found


def report_errors(lowering: Lowering, root: Node) -> None:
    """Note the outermost stretches that do not parse, and what is missing."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.kind_id == grammar.ERROR:
            _report_error(lowering, node)
        elif node.is_missing:
            lowering.report(node.start_byte, f"invalid syntax: missing {node.type}")
        elif node.has_error:
            children = node.children
            if node.kind_id == _TYPE_PARAMETER:
                children = [child for child in children if not _is_type_default(child)]
            stack.extend(reversed(children))


def _is_type_default(node: Node) -> bool:
    """`T =` before the default of a type parameter, which the grammar does not know."""
    return node.kind_id == grammar.ERROR and any(child.kind_id == _EQUALS for child in node.children)


def _report_error(lowering: Lowering, node: Node) -> None:
    """An error may reach from the top of the file to its end: its place is that of the first thing in it that is not whole."""
    place: Node | None = node
    while place is not None and place.has_error:
        node = place
        is_error = node.kind_id == grammar.ERROR
        place = next((child for child in node.children if child.has_error or (is_error and _is_fragment(child))), None)
    bracket = _unclosed(node)
    if bracket is not None:
        lowering.report(bracket.start_byte, f"'{bracket.type}' was never closed")
        return
    start = node.start_byte if place is None else place.start_byte
    text = lowering.text[start : node.end_byte]
    start += len(text) - len(text.lstrip())
    lowering.report(start, f"invalid syntax: {_line_at(lowering, start)[:_EXCERPT]}")


def _line_at(lowering: Lowering, offset: int) -> str:
    starts = lowering.line_starts
    line = bisect_right(starts, offset)
    raw = lowering.text[starts[line - 1] : starts[line] if line < len(starts) else None]
    return raw.encode("latin-1").decode("utf-8", "replace").strip()


def _is_fragment(node: Node) -> bool:
    """Not a whole statement, nor what may stand between statements."""
    return node.kind_id not in STATEMENTS[0] and node.kind_id not in _QUIET


def _unclosed(node: Node) -> Node | None:
    """The last bracket among the children of `node` that no other one closes."""
    unclosed: list[Node] = []
    for child in node.children:
        if child.kind_id in _OPENING:
            unclosed.append(child)
        elif child.kind_id in _CLOSING and unclosed:
            unclosed.pop()
    return unclosed[-1] if unclosed else None
