"""Parameters and annotations, from the parser's tree to facts."""

from __future__ import annotations

from itertools import pairwise

from tree_sitter import Node

from asyncvet.facts import grammar
from asyncvet.facts.grammar import significant
from asyncvet.facts.lower_expressions import expressions, only_expression, only_or_tuple
from asyncvet.facts.lowering import EXPRESSIONS, STEEP, Lowering, lowers_expression, opaque
from asyncvet.facts.quoted import annotation
from asyncvet.facts.tree import Attribute, Expr, Expression, Lambda, Operation, Param, Subscript

_EQUALS = grammar.token("=")
_DICTIONARY_SPLAT_PATTERN = grammar.kind("dictionary_splat_pattern")
_IDENTIFIER = grammar.kind("identifier")
_KEYWORD_SEPARATOR = grammar.kind("keyword_separator")
_LAMBDA_PARAMETERS = grammar.kind("lambda_parameters")
_LIST_SPLAT_PATTERN = grammar.kind("list_splat_pattern")
_POSITIONAL_SEPARATOR = grammar.kind("positional_separator")
_TUPLE_PATTERN = grammar.kind("tuple_pattern")
_TYPE = grammar.kind("type")
_TYPE_PARAMETER = grammar.kind("type_parameter")

_STARS = {_LIST_SPLAT_PATTERN: "star", _DICTIONARY_SPLAT_PATTERN: "double"}
_BARE_PARAMETERS = frozenset({_IDENTIFIER, _LIST_SPLAT_PATTERN, _DICTIONARY_SPLAT_PATTERN, _TUPLE_PATTERN})
_COMPOSED_PARAMETERS = frozenset(
    grammar.kind(name) for name in ("typed_parameter", "default_parameter", "typed_default_parameter")
)


def parameters(lowering: Lowering, node: Node, depth: int) -> list[Param]:
    """The parameters between the parentheses of a function, or between `lambda` and its colon."""
    params: list[Param] = []
    plain = "normal"
    for child in node.children:
        kind = child.kind_id
        if kind in _BARE_PARAMETERS:
            param = _parameter(lowering, child, child, plain)
        elif kind in _COMPOSED_PARAMETERS:
            param = _composed_parameter(lowering, child, plain, depth)
        else:
            if kind == _KEYWORD_SEPARATOR:
                plain = "keyword"
            elif kind == _POSITIONAL_SEPARATOR:
                for param in params:
                    param.kind = "positional"
            continue
        params.append(param)
        if param.kind == "star":
            plain = "keyword"
    return params


def _composed_parameter(lowering: Lowering, node: Node, plain: str, depth: int) -> Param:
    """A parameter that has an annotation, a default, or both."""
    parts = significant(node)
    param = _parameter(lowering, node, parts[0], plain)
    table = EXPRESSIONS[depth]
    for before, part in pairwise(parts):
        if part.kind_id == _TYPE:
            param.annotation = annotation(lowering, part, depth)
        elif before.kind_id == _EQUALS:
            param.default = table.get(part.kind_id, opaque)(lowering, part, depth)
    return param


def _parameter(lowering: Lowering, node: Node, target: Node, plain: str) -> Param:
    """A parameter named by `target`; of kind `plain` unless it has stars."""
    kind = target.kind_id
    if kind == _TUPLE_PATTERN:
        lowering.report(target.start_byte, "tuple parameters are Python 2 syntax")
        return Param(node.start_byte, node.end_byte, "", plain, None, None)
    if kind in _STARS:
        return Param(node.start_byte, node.end_byte, lowering.identifier(target.children[-1]), _STARS[kind], None, None)
    return Param(node.start_byte, node.end_byte, lowering.identifier(target), plain, None, None)


@lowers_expression("lambda")
def _lambda(lowering: Lowering, node: Node, depth: int) -> Expression:
    depth += STEEP
    params: list[Param] = []
    for child in node.children:
        if child.kind_id == _LAMBDA_PARAMETERS:
            params = parameters(lowering, child, depth)
    return Lambda(node.start_byte, node.end_byte, params, only_expression(lowering, node, depth))


# --- forms that the grammar has for annotations only -----------------------------------------------


@lowers_expression("generic_type")
def _generic_type(lowering: Lowering, node: Node, depth: int) -> Expression:
    """`name[...]`, a subscript like another."""
    value, parameter = significant(node)[:2]
    level = depth + STEEP
    index = only_or_tuple(lowering, parameter.children[1:-1] or [parameter], level)
    return Subscript(node.start_byte, node.end_byte, EXPRESSIONS[level].get(value.kind_id, opaque)(lowering, value, level), index)


@lowers_expression("union_type")
def _union_type(lowering: Lowering, node: Node, depth: int) -> Expression:
    operands = expressions(lowering, node.children, depth + 1)
    first = operands[0] if operands else None
    if isinstance(first, Operation) and first.op == "|":
        operands[:1] = first.operands
    return Operation(node.start_byte, node.end_byte, "|", operands)


@lowers_expression("constrained_type")
def _constrained_type(lowering: Lowering, node: Node, depth: int) -> Expression:
    """`a: b` between the brackets of an annotation: a slice."""
    return Operation(node.start_byte, node.end_byte, "slice", expressions(lowering, node.children, depth + 1))


@lowers_expression("member_type")
def _member_type(lowering: Lowering, node: Node, depth: int) -> Expression:
    parts = significant(node)
    if len(parts) != 3:
        return Expr(node.start_byte, node.end_byte)
    value = EXPRESSIONS[depth + 1].get(parts[0].kind_id, opaque)(lowering, parts[0], depth + 1)
    return Attribute(node.start_byte, node.end_byte, value, lowering.identifier(parts[2]))
