"""Compound statements and the blocks that they hold, from the parser's tree to facts."""

from __future__ import annotations

from tree_sitter import Node

import asyncvet.facts.lower_simple  # noqa: F401  # enters the simple statements into the tables
from asyncvet.facts import grammar
from asyncvet.facts.grammar import significant
from asyncvet.facts.lower_expressions import arguments, expressions, only_expression, only_or_tuple
from asyncvet.facts.lower_patterns import read_patterns
from asyncvet.facts.lower_signatures import parameters
from asyncvet.facts.lowering import DEEPEST, EXPRESSIONS, STATEMENTS, STEEP, Lowering, lowers_statement, opaque
from asyncvet.facts.quoted import annotation
from asyncvet.facts.recovery import salvage
from asyncvet.facts.tree import (
    Case,
    ClassDef,
    Const,
    Expr,
    Expression,
    ExprStmt,
    For,
    FunctionDef,
    Handler,
    If,
    Keyword,
    Match,
    Name,
    Param,
    Sequence,
    Statement,
    Stmt,
    Try,
    While,
    With,
    WithItem,
)

_ASYNC = grammar.token("async")
_COLON = grammar.token(":")
_STAR = grammar.token("*")

_ARGUMENT_LIST = grammar.kind("argument_list")
_AS_PATTERN = grammar.kind("as_pattern")
_AS_PATTERN_TARGET = grammar.kind("as_pattern_target")
_BLOCK = grammar.kind("block")
_CASE_CLAUSE = grammar.kind("case_clause")
_CASE_PATTERN = grammar.kind("case_pattern")
_CLASS_DEFINITION = grammar.kind("class_definition")
_DECORATOR = grammar.kind("decorator")
_ELIF_CLAUSE = grammar.kind("elif_clause")
_ELSE_CLAUSE = grammar.kind("else_clause")
_EXCEPT_CLAUSE = grammar.kind("except_clause")
_FINALLY_CLAUSE = grammar.kind("finally_clause")
_FUNCTION_DEFINITION = grammar.kind("function_definition")
_IDENTIFIER = grammar.kind("identifier")
_IF_CLAUSE = grammar.kind("if_clause")
_PARAMETERS = grammar.kind("parameters")
_PARENTHESIZED = grammar.kind("parenthesized_expression")
_TUPLE = grammar.kind("tuple")
_TYPE = grammar.kind("type")
_WITH_CLAUSE = grammar.kind("with_clause")
_WITH_ITEM = grammar.kind("with_item")


def block(lowering: Lowering, node: Node, depth: int) -> list[Statement]:
    """The statements of a suite or of a whole module."""
    table = STATEMENTS[depth]
    tolerant = lowering.has_errors
    found: list[Statement] = []
    for child in node.children:
        lower = table.get(child.kind_id)
        if lower is not None:
            found.append(lower(lowering, child, depth))
        if tolerant and child.has_error:
            found.extend(salvage(lowering, child, depth))
    return found


def _clause_body(lowering: Lowering, node: Node, depth: int) -> list[Statement]:
    """The suite of a clause such as `else: ...`."""
    for child in node.children:
        if child.kind_id == _BLOCK:
            return block(lowering, child, depth)
    return []


# --- branches and loops --------------------------------------------------------------------------


@lowers_statement("if_statement")
def _if(lowering: Lowering, node: Node, depth: int) -> Statement:
    clauses = [node]
    orelse: list[Statement] = []
    for child in node.children:
        kind = child.kind_id
        if kind == _ELIF_CLAUSE:
            clauses.append(child)
        elif kind == _ELSE_CLAUSE:
            orelse = _clause_body(lowering, child, min(depth + STEEP + len(clauses), DEEPEST))
    room = DEEPEST - depth
    if len(clauses) > room:
        lowering.report(clauses[room].start_byte, f"more than {room} branches: not read further")
        del clauses[room:]
    end = node.end_byte
    for index in range(len(clauses) - 1, 0, -1):
        clause = clauses[index]
        orelse = [_branch(lowering, clause, end, orelse, depth + STEEP + index)]
    return _branch(lowering, node, end, orelse, depth + STEEP)


def _branch(lowering: Lowering, clause: Node, end: int, orelse: list[Statement], depth: int) -> If:
    """One `if` or `elif`, whose contents are at `depth`."""
    test = only_expression(lowering, clause, depth)
    return If(clause.start_byte, end, test, _clause_body(lowering, clause, depth), orelse)


@lowers_statement("while_statement")
def _while(lowering: Lowering, node: Node, depth: int) -> Statement:
    depth += STEEP
    test = only_expression(lowering, node, depth)
    return While(node.start_byte, node.end_byte, test, _clause_body(lowering, node, depth), _else(lowering, node, depth))


@lowers_statement("for_statement")
def _for(lowering: Lowering, node: Node, depth: int) -> Statement:
    depth += STEEP
    children = node.children
    operands = expressions(lowering, children, depth)
    missing = Expr(node.start_byte, node.end_byte)
    return For(
        node.start_byte,
        node.end_byte,
        operands[0] if operands else missing,
        operands[1] if len(operands) > 1 else missing,
        _clause_body(lowering, node, depth),
        _else(lowering, node, depth),
        children[0].kind_id == _ASYNC,
    )


def _else(lowering: Lowering, node: Node, depth: int) -> list[Statement]:
    """The suite of the `else` clause of a statement, if it has one."""
    for child in node.children:
        if child.kind_id == _ELSE_CLAUSE:
            return _clause_body(lowering, child, depth)
    return []


# --- match ---------------------------------------------------------------------------------------


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
    patterns = [child for child in node.children if child.kind_id == _CASE_PATTERN]
    named, bound = read_patterns(lowering, patterns)
    guard = None
    body: list[Statement] = []
    for child in node.children:
        kind = child.kind_id
        if kind == _IF_CLAUSE:
            guard = only_expression(lowering, child, depth)
        elif kind == _BLOCK:
            body = block(lowering, child, depth)
    return Case(node.start_byte, node.end_byte, named, bound, guard, body)


# --- with and try --------------------------------------------------------------------------------


@lowers_statement("with_statement")
def _with(lowering: Lowering, node: Node, depth: int) -> Statement:
    depth += STEEP
    items: list[WithItem] = []
    for child in node.children:
        if child.kind_id == _WITH_CLAUSE:
            for item in child.children:
                if item.kind_id == _WITH_ITEM:
                    items.extend(_with_items(lowering, item, depth))
    is_async = node.children[0].kind_id == _ASYNC
    return With(node.start_byte, node.end_byte, items, _clause_body(lowering, node, depth), is_async)


def _with_items(lowering: Lowering, item: Node, depth: int) -> list[WithItem]:
    """The items written as one: in `with (a as b, c):` the parentheses belong to the statement."""
    values = significant(item)[:1]
    if values and values[0].kind_id in (_PARENTHESIZED, _TUPLE):
        inner = significant(values[0])
        if any(node.kind_id == _AS_PATTERN for node in inner):
            values = [node for node in inner if node.is_named]
    return [_with_item(lowering, value, depth) for value in values]


def _with_item(lowering: Lowering, node: Node, depth: int) -> WithItem:
    value, target = _split_as(lowering, node, depth)
    return WithItem(node.start_byte, node.end_byte, value, target)


def _split_as(lowering: Lowering, node: Node, depth: int) -> tuple[Expression, Expression | None]:
    """`value as target`, or a value alone."""
    table = EXPRESSIONS[depth]
    if node.kind_id != _AS_PATTERN:
        return table.get(node.kind_id, opaque)(lowering, node, depth), None
    parts = significant(node)
    target = parts[-1]
    if target.kind_id != _AS_PATTERN_TARGET:
        return only_expression(lowering, node, depth), None
    return only_expression(lowering, node, depth), only_expression(lowering, target, depth)


@lowers_statement("try_statement")
def _try(lowering: Lowering, node: Node, depth: int) -> Statement:
    depth += STEEP
    handlers: list[Handler] = []
    final: list[Statement] = []
    is_group = False
    for child in node.children:
        kind = child.kind_id
        if kind == _EXCEPT_CLAUSE:
            handlers.append(_handler(lowering, child, depth))
            is_group = is_group or any(part.kind_id == _STAR for part in child.children)
        elif kind == _FINALLY_CLAUSE:
            final = _clause_body(lowering, child, depth)
    body = _clause_body(lowering, node, depth)
    return Try(node.start_byte, node.end_byte, body, handlers, _else(lowering, node, depth), final, is_group)


def _handler(lowering: Lowering, node: Node, depth: int) -> Handler:
    table = EXPRESSIONS[depth]
    types = [child for child in node.children if child.kind_id in table]
    exception: Expression | None = None
    name = None
    if len(types) == 1:
        exception, target = _split_as(lowering, types[0], depth)
        name = target.id if isinstance(target, Name) else None
    elif types:
        items = [table[child.kind_id](lowering, child, depth) for child in types]
        exception = Sequence(types[0].start_byte, types[-1].end_byte, "tuple", items)
    return Handler(node.start_byte, node.end_byte, exception, name, _clause_body(lowering, node, depth))


# --- definitions ---------------------------------------------------------------------------------


@lowers_statement("function_definition")
def _function(lowering: Lowering, node: Node, depth: int) -> Statement:
    depth += STEEP
    children = node.children
    name = ""
    name_start = node.start_byte
    params: list[Param] = []
    returns = None
    body: list[Statement] = []
    for child in children:
        kind = child.kind_id
        if kind == _IDENTIFIER:
            name = lowering.identifier(child)
            name_start = child.start_byte
        elif kind == _PARAMETERS:
            params = parameters(lowering, child, depth)
        elif kind == _TYPE:
            returns = annotation(lowering, child, depth)
        elif kind == _BLOCK:
            body = block(lowering, child, depth)
    is_async = children[0].kind_id == _ASYNC
    has_docstring = bool(body) and _is_string(body[0])
    return FunctionDef(node.start_byte, node.end_byte, name, name_start, params, returns, body, [], is_async, has_docstring)


def _is_string(statement: Statement) -> bool:
    if not isinstance(statement, ExprStmt):
        return False
    return isinstance(statement.value, Const) and statement.value.kind == "str"


@lowers_statement("class_definition")
def _class(lowering: Lowering, node: Node, depth: int) -> Statement:
    depth += STEEP
    name = ""
    name_start = node.start_byte
    bases: list[Expression] = []
    keywords: list[Keyword] = []
    body: list[Statement] = []
    for child in node.children:
        kind = child.kind_id
        if kind == _IDENTIFIER:
            name = lowering.identifier(child)
            name_start = child.start_byte
        elif kind == _ARGUMENT_LIST:
            bases, keywords = arguments(lowering, child, depth)
        elif kind == _BLOCK:
            body = block(lowering, child, depth)
    return ClassDef(node.start_byte, node.end_byte, name, name_start, bases, keywords, body, [])


@lowers_statement("decorated_definition")
def _decorated(lowering: Lowering, node: Node, depth: int) -> Statement:
    table = STATEMENTS[depth]
    decorators: list[Expression] = []
    for child in node.children:
        kind = child.kind_id
        if kind == _DECORATOR:
            decorators.append(only_expression(lowering, child, depth + 1))
        elif kind in (_FUNCTION_DEFINITION, _CLASS_DEFINITION):
            definition = table[kind](lowering, child, depth)
            if isinstance(definition, FunctionDef | ClassDef):
                definition.decorators = decorators
            return definition
    return Stmt(node.start_byte, node.end_byte)
