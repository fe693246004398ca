"""Simple statements, from the parser's tree to facts."""

from __future__ import annotations

from tree_sitter import Node

from asyncvet.facts import grammar
from asyncvet.facts.grammar import significant
from asyncvet.facts.lower_expressions import expressions, only_expression, only_or_tuple
from asyncvet.facts.lowering import EXPRESSIONS, Lowering, lowers_statement, opaque
from asyncvet.facts.quoted import annotation
from asyncvet.facts.tree import (
    Assert,
    Assign,
    AugAssign,
    Call,
    Delete,
    Expr,
    Expression,
    ExprStmt,
    Import,
    ImportFrom,
    Jump,
    Name,
    Operation,
    Raise,
    Return,
    Scope,
    Sequence,
    Statement,
    Stmt,
)

_FROM = grammar.token("from")
_IMPORT = grammar.token("import")

_ALIASED_IMPORT = grammar.kind("aliased_import")
_ASSIGNMENT = grammar.kind("assignment")
_AUGMENTED_ASSIGNMENT = grammar.kind("augmented_assignment")
_CHEVRON = grammar.kind("chevron")
_DOTTED_NAME = grammar.kind("dotted_name")
_EXPRESSION_LIST = grammar.kind("expression_list")
_IDENTIFIER = grammar.kind("identifier")
_RELATIVE_IMPORT = grammar.kind("relative_import")
_TYPE = grammar.kind("type")
_WILDCARD_IMPORT = grammar.kind("wildcard_import")


@lowers_statement("expression_statement")
def _expression_statement(lowering: Lowering, node: Node, depth: int) -> Statement:
    children = node.children
    first = children[0]
    kind = first.kind_id
    if kind == _ASSIGNMENT:
        return _assignment(lowering, first, depth)
    if kind == _AUGMENTED_ASSIGNMENT:
        return _augmented_assignment(lowering, first, depth)
    is_alone = len(children) == 1
    lower = EXPRESSIONS[depth].get(kind, opaque)
    value = lower(lowering, first, depth) if is_alone else only_or_tuple(lowering, children, depth)
    return ExprStmt(node.start_byte, node.end_byte, value)


def _assignment(lowering: Lowering, node: Node, depth: int) -> Statement:
    """`a = b = value` comes nested to the right; an annotation has no second target."""
    table = EXPRESSIONS[depth]
    start = node.start_byte
    end = node.end_byte
    targets: list[Expression] = []
    declared = None
    while True:
        parts = node.children
        if len(parts) != 3:
            parts = significant(node)
        target = parts[0]
        targets.append(table.get(target.kind_id, opaque)(lowering, target, depth))
        right = parts[-1]
        kind = right.kind_id
        if len(parts) > 2 and parts[2].kind_id == _TYPE:
            declared = annotation(lowering, parts[2], depth)
            if kind == _TYPE:
                return Assign(start, end, targets, None, declared)
        if kind != _ASSIGNMENT:
            return Assign(start, end, targets, table.get(kind, opaque)(lowering, right, depth), declared)
        node = right


def _augmented_assignment(lowering: Lowering, node: Node, depth: int) -> Statement:
    table = EXPRESSIONS[depth]
    parts = significant(node)
    target = parts[0]
    value = parts[-1]
    return AugAssign(
        node.start_byte,
        node.end_byte,
        table.get(target.kind_id, opaque)(lowering, target, depth),
        parts[1].type[:-1],
        table.get(value.kind_id, opaque)(lowering, value, depth),
    )


@lowers_statement("return_statement")
def _return(lowering: Lowering, node: Node, depth: int) -> Statement:
    values = expressions(lowering, node.children, depth)
    return Return(node.start_byte, node.end_byte, values[0] if values else None)


@lowers_statement("raise_statement")
def _raise(lowering: Lowering, node: Node, depth: int) -> Statement:
    table = EXPRESSIONS[depth]
    exception = cause = None
    after_from = False
    for child in node.children:
        lower = table.get(child.kind_id)
        if child.kind_id == _FROM:
            after_from = True
        elif lower is not None and after_from:
            cause = lower(lowering, child, depth)
        elif lower is not None:
            exception = lower(lowering, child, depth)
    return Raise(node.start_byte, node.end_byte, exception, cause)


@lowers_statement("assert_statement")
def _assert(lowering: Lowering, node: Node, depth: int) -> Statement:
    operands = expressions(lowering, node.children, depth)
    test = operands[0] if operands else Expr(node.start_byte, node.end_byte)
    return Assert(node.start_byte, node.end_byte, test, operands[1] if len(operands) > 1 else None)


@lowers_statement("delete_statement")
def _delete(lowering: Lowering, node: Node, depth: int) -> Statement:
    children = node.children
    nodes = children[1].children if len(children) > 1 and children[1].kind_id == _EXPRESSION_LIST else children
    return Delete(node.start_byte, node.end_byte, expressions(lowering, nodes, depth))


@lowers_statement("pass_statement", "type_alias_statement")
def _nothing(_: Lowering, node: Node, __: int) -> Statement:
    return Stmt(node.start_byte, node.end_byte)


@lowers_statement("break_statement")
def _break(_: Lowering, node: Node, __: int) -> Statement:
    return Jump(node.start_byte, node.end_byte, "break")


@lowers_statement("continue_statement")
def _continue(_: Lowering, node: Node, __: int) -> Statement:
    return Jump(node.start_byte, node.end_byte, "continue")


@lowers_statement("global_statement", "nonlocal_statement")
def _scope(lowering: Lowering, node: Node, _: int) -> Statement:
    names = [lowering.identifier(child) for child in node.children if child.kind_id == _IDENTIFIER]
    return Scope(node.start_byte, node.end_byte, node.children[0].type, names)


@lowers_statement("print_statement", "exec_statement")
def _python2_call(lowering: Lowering, node: Node, depth: int) -> Statement:
    """`print a, b` and `exec code` are calls in Python 2; `print >> a, b` is a tuple in Python 3."""
    start = node.start_byte
    end = node.end_byte
    keyword = node.children[0]
    function = Name(start, keyword.end_byte, lowering.identifier(keyword))
    args = expressions(lowering, node.children, depth + 1)
    for child in node.children:
        if child.kind_id == _CHEVRON:
            shift = Operation(start, child.end_byte, ">>", [function, only_expression(lowering, child, depth + 1)])
            return ExprStmt(start, end, Sequence(start, end, "tuple", [shift, *args]) if args else shift)
    lowering.report(start, f"`{function.id}` as a statement is Python 2 syntax")
    return ExprStmt(start, end, Call(start, end, function, args, []))


# --- imports -------------------------------------------------------------------------------------


@lowers_statement("import_statement")
def _import(lowering: Lowering, node: Node, _: int) -> Statement:
    return Import(node.start_byte, node.end_byte, _imported(lowering, node.children))


@lowers_statement("import_from_statement", "future_import_statement")
def _import_from(lowering: Lowering, node: Node, _: int) -> Statement:
    children = node.children
    kinds = [child.kind_id for child in children]
    middle = kinds.index(_IMPORT) if _IMPORT in kinds else len(kinds)
    level = 0
    module = ""
    for child in children[1:middle]:
        kind = child.kind_id
        if kind == _DOTTED_NAME:
            module = _dotted_name(lowering, child)
        elif kind == _RELATIVE_IMPORT:
            prefix, *rest = significant(child)
            level = lowering.text.count(".", prefix.start_byte, prefix.end_byte)
            module = _dotted_name(lowering, rest[0]) if rest else ""
        elif kind not in grammar.EXTRAS:
            module = child.type
    return ImportFrom(node.start_byte, node.end_byte, level, module, _imported(lowering, children[middle:]))


def _imported(lowering: Lowering, nodes: list[Node]) -> list[tuple[str, str | None]]:
    names: list[tuple[str, str | None]] = []
    for node in nodes:
        kind = node.kind_id
        if kind == _DOTTED_NAME:
            names.append((_dotted_name(lowering, node), None))
        elif kind == _ALIASED_IMPORT:
            parts = significant(node)
            names.append((_dotted_name(lowering, parts[0]), lowering.identifier(parts[-1])))
        elif kind == _WILDCARD_IMPORT:
            names.append(("*", None))
    return names


def _dotted_name(lowering: Lowering, node: Node) -> str:
    """Space and line continuations around the dots do not count."""
    return ".".join(lowering.identifier(child) for child in node.children if child.kind_id == _IDENTIFIER)
