"""Annotations written as text: `"Store"`, `list["Store"]`, `Optional["a.Store"]` are read as if the quotes were not there."""

from __future__ import annotations

from tree_sitter import Node

from asyncvet.facts import grammar
from asyncvet.facts.lowering import EXPRESSIONS, Lowering
from asyncvet.facts.tree import Attribute, Const, Expr, Expression, Name, Operation, Sequence, Subscript

_TYPE = grammar.kind("type")
_EXPRESSION_STATEMENT = grammar.kind("expression_statement")


def annotation(lowering: Lowering, node: Node, depth: int) -> Expression:
    """Lower an annotation."""
    return _unquoted(EXPRESSIONS[depth][_TYPE](lowering, node, depth), depth)


def _unquoted(expr: Expression, depth: int) -> Expression:
    if isinstance(expr, Const) and expr.kind == "str" and isinstance(expr.value, str):
        return _read(expr, expr.value, depth)
    if isinstance(expr, Subscript):
        word = expr.value.attr if isinstance(expr.value, Attribute) else expr.value.id if isinstance(expr.value, Name) else ""
        if word == "Annotated" and isinstance(expr.index, Sequence):
            expr.index.items[:1] = [_unquoted(item, depth) for item in expr.index.items[:1]]
        elif word != "Literal":
            expr.index = _unquoted(expr.index, depth)
    elif isinstance(expr, Operation) and expr.op == "|":
        expr.operands = [_unquoted(operand, depth) for operand in expr.operands]
    elif isinstance(expr, Sequence):
        expr.items = [_unquoted(item, depth) for item in expr.items]
    return expr


def _read(quoted: Const, text: str, depth: int) -> Expression:
    """The expression in a string, each of its parts placed where the string is; the string itself if it holds none."""
    data = text.strip().encode()
    root = grammar.parse(data)
    statement = root.children[0] if root.child_count == 1 else None
    if root.has_error or statement is None or statement.kind_id != _EXPRESSION_STATEMENT or statement.child_count != 1:
        return quoted
    inner = statement.children[0]
    lower = EXPRESSIONS[depth].get(inner.kind_id)
    if lower is None:
        return quoted
    found = lower(Lowering(data.decode("latin-1"), [0], False, {}, []), inner, depth)
    _place(found, quoted.start, quoted.end)
    return _unquoted(found, depth)


def _place(expr: Expr, start: int, end: int) -> None:
    expr.start, expr.end = start, end
    for name in expr.__struct_fields__:
        value = getattr(expr, name)
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Expr):
                _place(part, start, end)
