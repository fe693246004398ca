"""Statements, from the parser's tree to facts."""

from __future__ import annotations

from tree_sitter import Node

from asyncvet.facts import grammar
from asyncvet.facts.grammar import significant
from asyncvet.facts.lower_expressions import arguments, expressions, only_expression, only_or_tuple
from asyncvet.facts.lower_signatures import parameters
from asyncvet.facts.lowering import DEEPEST, EXPRESSIONS, STATEMENTS, STEEP, Lowering, lowers_statement, opaque
from asyncvet.facts.recovery import salvage
from asyncvet.facts.tree import (
    Assert,
    Assign,
    AugAssign,
    Call,
    ClassDef,
    Const,
    Delete,
    Expr,
    Expression,
    ExprStmt,
    For,
    FunctionDef,
    Handler,
    If,
    Import,
    ImportFrom,
    Jump,
    Keyword,
    Name,
    Operation,
    Param,
    Raise,
    Return,
    Scope,
    Sequence,
    Statement,
    Stmt,
    Try,
    While,
    With,
    WithItem,
)

_ASYNC = grammar.token("async")
_FROM = grammar.token("from")
_IMPORT = grammar.token("import")
_IN = grammar.token("in")
_STAR = grammar.token("*")

_ALIASED_IMPORT = grammar.kind("aliased_import")
_ARGUMENT_LIST = grammar.kind("argument_list")
_AS_PATTERN = grammar.kind("as_pattern")
_AS_PATTERN_TARGET = grammar.kind("as_pattern_target")
_ASSIGNMENT = grammar.kind("assignment")
_AUGMENTED_ASSIGNMENT = grammar.kind("augmented_assignment")
_BLOCK = grammar.kind("block")
_CHEVRON = grammar.kind("chevron")
_CLASS_DEFINITION = grammar.kind("class_definition")
_DECORATOR = grammar.kind("decorator")
_DOTTED_NAME = grammar.kind("dotted_name")
_ELIF_CLAUSE = grammar.kind("elif_clause")
_ELSE_CLAUSE = grammar.kind("else_clause")
_EXCEPT_CLAUSE = grammar.kind("except_clause")
_EXPRESSION_LIST = grammar.kind("expression_list")
_FINALLY_CLAUSE = grammar.kind("finally_clause")
_FUNCTION_DEFINITION = grammar.kind("function_definition")
_IDENTIFIER = grammar.kind("identifier")
_PARAMETERS = grammar.kind("parameters")
_PARENTHESIZED = grammar.kind("parenthesized_expression")
_RELATIVE_IMPORT = grammar.kind("relative_import")
_TUPLE = grammar.kind("tuple")
_TYPE = grammar.kind("type")
_WILDCARD_IMPORT = grammar.kind("wildcard_import")
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


# --- simple statements ---------------------------------------------------------------------------


@lowers_statement("expression_statement")
def _expression_statement(lowering: Lowering, node: Node, depth: int) -> Statement:
    children = node.children
    first = children[0]
    kind = first.kind_id
    if kind == _ASSIGNMENT:
        return _assignment(lowering, first, depth)
    if kind == _AUGMENTED_ASSIGNMENT:
        return _augmented_assignment(lowering, first, depth)
    if len(children) == 1:
        value = EXPRESSIONS[depth].get(kind, opaque)(lowering, first, depth)
    else:
        value = only_or_tuple(lowering, children, depth)
    return ExprStmt(node.start_byte, node.end_byte, value)


def _assignment(lowering: Lowering, node: Node, depth: int) -> Statement:
    """`a = b = value` comes nested to the right; an annotation has no second target."""
    table = EXPRESSIONS[depth]
    start = node.start_byte
    end = node.end_byte
    targets: list[Expression] = []
    annotation = None
    while True:
        parts = node.children
        if len(parts) != 3:
            parts = significant(node)
        target = parts[0]
        targets.append(table.get(target.kind_id, opaque)(lowering, target, depth))
        right = parts[-1]
        kind = right.kind_id
        if len(parts) > 2 and parts[2].kind_id == _TYPE:
            annotation = table[_TYPE](lowering, parts[2], depth)
            if kind == _TYPE:
                return Assign(start, end, targets, None, annotation)
        if kind != _ASSIGNMENT:
            return Assign(start, end, targets, table.get(kind, opaque)(lowering, right, depth), annotation)
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
            orelse = _clause_body(lowering, child, min(depth + len(clauses), DEEPEST))
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
            returns = EXPRESSIONS[depth][_TYPE](lowering, child, depth)
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
        elif kind == _FUNCTION_DEFINITION or kind == _CLASS_DEFINITION:
            definition = table[kind](lowering, child, depth)
            if isinstance(definition, FunctionDef | ClassDef):
                definition.decorators = decorators
            return definition
    return Stmt(node.start_byte, node.end_byte)
