"""The patterns of `match` statements: what they name and what they bind."""

from __future__ import annotations

from tree_sitter import Node

from asyncvet.facts import grammar
from asyncvet.facts.lowering import EXPRESSIONS, Lowering
from asyncvet.facts.tree import Attribute, Expr, Expression, Name

_CLASS_PATTERN = grammar.kind("class_pattern")
_DOTTED_NAME = grammar.kind("dotted_name")
_IDENTIFIER = grammar.kind("identifier")
_KEYWORD_PATTERN = grammar.kind("keyword_pattern")

_LITERALS = frozenset(
    grammar.kind(name) for name in ("string", "concatenated_string", "integer", "float", "true", "false", "none")
)


def read_patterns(lowering: Lowering, nodes: list[Node]) -> tuple[list[Expression], list[str]]:
    """The values and classes that patterns name, and the names that they bind, in the order of the text."""
    named: list[Expression] = []
    bound: list[str] = []
    stack = nodes[::-1]
    while stack:
        node = stack.pop()
        kind = node.kind_id
        children = node.children
        if kind in _LITERALS:
            named.append(EXPRESSIONS[0][kind](lowering, node, 0))
        elif kind == _DOTTED_NAME and len(children) > 1:
            named.append(_dotted(lowering, children))
        elif kind == _CLASS_PATTERN:
            named.append(_dotted(lowering, children[0].children))
            stack.extend(reversed(children[1:]))
        elif kind == _KEYWORD_PATTERN:
            stack.extend(reversed(children[1:]))
        elif kind == _IDENTIFIER and lowering.identifier(node) != "_":
            bound.append(lowering.identifier(node))
        else:
            stack.extend(reversed(children))
    return named, bound


def _dotted(lowering: Lowering, nodes: list[Node]) -> Expression:
    """`a.b.c` as an expression."""
    start = nodes[0].start_byte
    value: Expression = Expr(start, nodes[-1].end_byte)
    for index, child in enumerate(child for child in nodes if child.kind_id == _IDENTIFIER):
        name = lowering.identifier(child)
        value = Attribute(start, child.end_byte, value, name) if index else Name(start, child.end_byte, name)
    return value
