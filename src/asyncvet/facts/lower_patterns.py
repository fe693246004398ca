"""`match` statements, from the parser's tree to facts."""

from __future__ import annotations

from tree_sitter import Node

from asyncvet.facts import grammar
from asyncvet.facts.grammar import significant
from asyncvet.facts.lower_expressions import expressions, only_expression, only_or_tuple
from asyncvet.facts.lower_statements import block
from asyncvet.facts.lowering import EXPRESSIONS, STEEP, Lowering, lowers_statement
from asyncvet.facts.tree import Attribute, Case, Expr, Expression, Match, Name, Statement

_COLON = grammar.token(":")
_AS_PATTERN = grammar.kind("as_pattern")
_BLOCK = grammar.kind("block")
_CASE_CLAUSE = grammar.kind("case_clause")
_CASE_PATTERN = grammar.kind("case_pattern")
_CLASS_PATTERN = grammar.kind("class_pattern")
_DOTTED_NAME = grammar.kind("dotted_name")
_IDENTIFIER = grammar.kind("identifier")
_IF_CLAUSE = grammar.kind("if_clause")
_KEYWORD_PATTERN = grammar.kind("keyword_pattern")
_SPLAT_PATTERN = grammar.kind("splat_pattern")

_LITERALS = frozenset(
    grammar.kind(name) for name in ("string", "concatenated_string", "integer", "float", "true", "false", "none")
)


@lowers_statement("match_statement")
def _match(lowering: Lowering, node: Node, depth: int) -> Statement:
    depth += STEEP
    children = significant(node)
    kinds = [child.kind_id for child in children]
    subjects = children[1 : kinds.index(_COLON)] if _COLON in kinds else []
    subject = only_or_tuple(lowering, subjects or children, depth)
    cases = [
        _case(lowering, clause, depth)
        for child in children
        if child.kind_id == _BLOCK
        for clause in child.children
        if clause.kind_id == _CASE_CLAUSE
    ]
    return Match(node.start_byte, node.end_byte, subject, cases)


def _case(lowering: Lowering, node: Node, depth: int) -> Case:
    patterns: list[Expression] = []
    names: list[str] = []
    guard = None
    body: list[Statement] = []
    for child in node.children:
        kind = child.kind_id
        if kind == _CASE_PATTERN:
            _read_pattern(lowering, child, patterns, names)
        elif kind == _IF_CLAUSE:
            guard = only_expression(lowering, child, depth)
        elif kind == _BLOCK:
            body = block(lowering, child, depth)
    return Case(node.start_byte, node.end_byte, patterns, names, guard, body)


def _read_pattern(lowering: Lowering, pattern: Node, patterns: list[Expression], names: list[str]) -> None:
    """Add what a pattern names to `patterns` and what it binds to `names`, in the order of the text."""
    leaves = EXPRESSIONS[0]
    stack = [pattern]
    while stack:
        node = stack.pop()
        kind = node.kind_id
        children = node.children
        if kind in _LITERALS:
            patterns.append(leaves[kind](lowering, node, 0))
        elif kind == _DOTTED_NAME and len(children) == 1:
            _bind(lowering, children[0], names)
        elif kind == _DOTTED_NAME:
            patterns.append(_dotted(lowering, node))
        elif kind == _CLASS_PATTERN:
            patterns.append(_dotted(lowering, children[0]))
            stack.extend(reversed(children[1:]))
        elif kind == _KEYWORD_PATTERN:
            stack.extend(reversed(children[1:]))
        elif kind == _IDENTIFIER:
            _bind(lowering, node, names)
        else:
            stack.extend(reversed(children))


def _bind(lowering: Lowering, node: Node, names: list[str]) -> None:
    name = lowering.identifier(node)
    if name != "_":
        names.append(name)


def _dotted(lowering: Lowering, node: Node) -> Expression:
    """`a.b.c` as an expression."""
    value: Expression = Expr(node.start_byte, node.end_byte)
    start = node.start_byte
    for index, child in enumerate(child for child in node.children if child.kind_id == _IDENTIFIER):
        name = lowering.identifier(child)
        value = Attribute(start, child.end_byte, value, name) if index else Name(start, child.end_byte, name)
    return value
