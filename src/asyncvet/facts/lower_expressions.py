"""Expressions, from the parser's tree to facts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from asyncvet.facts import grammar
from asyncvet.facts.grammar import significant
from asyncvet.facts.literals import LONGEST_STRING, float_value, integer_value, string_value
from asyncvet.facts.lowering import DEEPEST, EXPRESSIONS, STEEP, Lowering, lowers_expression, opaque, too_deep
from asyncvet.facts.tree import (
    Attribute,
    Await,
    Call,
    Comprehension,
    Const,
    Dict,
    Expr,
    Expression,
    Generator,
    Keyword,
    Name,
    NamedExpr,
    Operation,
    Sequence,
    Starred,
    Subscript,
    Yield,
)

_ASYNC = grammar.token("async")
_COMMA = grammar.token(",")
_FROM = grammar.token("from")
_IN = grammar.token("in")

_ARGUMENT_LIST = grammar.kind("argument_list")
_ATTRIBUTE = grammar.kind("attribute")
_CALL = grammar.kind("call")
_DICTIONARY_SPLAT = grammar.kind("dictionary_splat")
_FOR_IN_CLAUSE = grammar.kind("for_in_clause")
_FORMAT_EXPRESSION = grammar.kind("format_expression")
_FORMAT_SPECIFIER = grammar.kind("format_specifier")
_IF_CLAUSE = grammar.kind("if_clause")
_INTERPOLATION = grammar.kind("interpolation")
_KEYWORD_ARGUMENT = grammar.kind("keyword_argument")
_NAMED_EXPRESSION = grammar.kind("named_expression")
_PAIR = grammar.kind("pair")
_STRING_CONTENT = grammar.kind("string_content")
_PARENTHESIZED = grammar.kind("parenthesized_expression")
_SUBSCRIPT = grammar.kind("subscript")
_TUPLE_PATTERN = grammar.kind("tuple_pattern")

_TRANSPARENT = frozenset({_PARENTHESIZED, _TUPLE_PATTERN, grammar.kind("parenthesized_list_splat"), grammar.kind("type")})
_LINKS = frozenset({_ATTRIBUTE, _CALL, _SUBSCRIPT})
"""Kinds that form chains to the left: ``a.b(c)[d].e()``."""


def expressions(lowering: Lowering, nodes: list[Node], depth: int) -> list[Expression]:
    """Lower those of `nodes` that are expressions."""
    table = EXPRESSIONS[depth]
    found = []
    for node in nodes:
        lower = table.get(node.kind_id)
        if lower is not None:
            found.append(lower(lowering, node, depth))
    return found


def only_expression(lowering: Lowering, node: Node, depth: int) -> Expression:
    """Lower the one expression among the children of `node`; a bare `Expr` if it is missing."""
    table = EXPRESSIONS[depth]
    for child in node.children:
        lower = table.get(child.kind_id)
        if lower is not None:
            return lower(lowering, child, depth)
    return Expr(node.start_byte, node.end_byte)


def only_or_tuple(lowering: Lowering, nodes: list[Node], depth: int) -> Expression:
    """Lower the expressions among `nodes`, a non-empty list: to a tuple if there are several, or a comma."""
    items = expressions(lowering, nodes, depth)
    has_comma = any(node.kind_id == _COMMA for node in nodes)
    if len(items) == 1 and not has_comma:
        return items[0]
    return Sequence(nodes[0].start_byte, nodes[-1].end_byte, "tuple", items)


# --- leaves --------------------------------------------------------------------------------------


@lowers_expression("identifier", is_leaf=True)
def _name(lowering: Lowering, node: Node, _: int) -> Expression:
    start = node.start_byte
    end = node.end_byte
    raw = lowering.text[start:end]
    name = lowering.names.get(raw) or lowering.new_name(raw)
    return Name(start, end, name) if name else Expr(start, end)


@lowers_expression("integer", is_leaf=True)
def _integer(lowering: Lowering, node: Node, _: int) -> Expression:
    text = lowering.text[node.start_byte : node.end_byte]
    if text[-1:] in "jJ":
        return Const(node.start_byte, node.end_byte, "complex", float_value(text[:-1]))
    return Const(node.start_byte, node.end_byte, "int", integer_value(text))


@lowers_expression("float", is_leaf=True)
def _float(lowering: Lowering, node: Node, _: int) -> Expression:
    text = lowering.text[node.start_byte : node.end_byte]
    if text[-1:] in "jJ":
        return Const(node.start_byte, node.end_byte, "complex", float_value(text[:-1]))
    return Const(node.start_byte, node.end_byte, "float", float_value(text))


@lowers_expression("true", is_leaf=True)
def _true(_: Lowering, node: Node, __: int) -> Expression:
    return Const(node.start_byte, node.end_byte, "bool", True)


@lowers_expression("false", is_leaf=True)
def _false(_: Lowering, node: Node, __: int) -> Expression:
    return Const(node.start_byte, node.end_byte, "bool", False)


@lowers_expression("none", is_leaf=True)
def _none(_: Lowering, node: Node, __: int) -> Expression:
    return Const(node.start_byte, node.end_byte, "none", None)


lowers_expression("ellipsis", is_leaf=True)(opaque)


_QUOTES = "'\"`"
_CONTINUED_LINE = re.compile(r"\\\r?\n")


# --- strings -------------------------------------------------------------------------------------


@lowers_expression("string")
def _string(lowering: Lowering, node: Node, depth: int) -> Expression:
    start = node.start_byte
    end = node.end_byte
    text = lowering.text
    opening = start
    while text[opening : opening + 1] not in _QUOTES and opening < end:
        opening += 1
    prefix = text[start:opening].lower()
    if "f" in prefix or "t" in prefix:
        return Operation(start, end, "fstring", [*_head(lowering, node), *_interpolated(lowering, node, depth + STEEP)])
    if "b" in prefix:
        return Const(start, end, "bytes", "")
    quote = text[opening : opening + 1]
    if quote == "`":
        lowering.report(start, "backquotes are Python 2 syntax")
    quotes = 3 if end - opening >= 6 and text.startswith(quote * 3, opening) else 1
    raw = text[opening + quotes : end - quotes]
    if quotes == 1 and "\n" in raw and "\n" in _CONTINUED_LINE.sub("", raw):
        lowering.report(start, "unterminated string")
    return Const(start, end, "str", string_value(raw, is_escaped="r" not in prefix))


@lowers_expression("concatenated_string")
def _concatenated_string(lowering: Lowering, node: Node, depth: int) -> Expression:
    parts = expressions(lowering, node.children, depth)
    start = node.start_byte
    end = node.end_byte
    if any(isinstance(part, Operation) for part in parts):
        interpolated = [operand for part in parts if isinstance(part, Operation) for operand in part.operands]
        return Operation(start, end, "fstring", interpolated)
    constants = [part for part in parts if isinstance(part, Const)]
    if any(part.kind == "bytes" for part in constants):
        return Const(start, end, "bytes", "")
    return Const(start, end, "str", "".join(str(part.value) for part in constants)[:LONGEST_STRING])


def _head(lowering: Lowering, node: Node) -> Iterator[Expression]:
    """The text before the first braces of a format string."""
    for child in node.children[1:2]:
        if child.kind_id == _STRING_CONTENT:
            raw = lowering.text[child.start_byte : child.end_byte]
            yield Const(child.start_byte, child.end_byte, "str", string_value(raw, is_escaped=False))


def _interpolated(lowering: Lowering, node: Node, depth: int) -> list[Expression]:
    """The expressions between the braces of a format string, those of nested format specifiers included."""
    found: list[Expression] = []
    for child in node.children:
        kind = child.kind_id
        if kind in (_INTERPOLATION, _FORMAT_EXPRESSION):
            for part in child.children:
                # `{x:=10}` is x with the format `=10`.
                value = part.children[0] if part.kind_id == _NAMED_EXPRESSION else part
                found.extend(expressions(lowering, [value], depth))
                if part.kind_id == _FORMAT_SPECIFIER and depth < DEEPEST:
                    found.extend(_interpolated(lowering, part, depth + STEEP))
    return found


# --- chains: attributes, calls, subscripts -------------------------------------------------------


@lowers_expression("attribute", "call", "subscript")
def _chain(lowering: Lowering, node: Node, depth: int) -> Expression:
    links = []
    kind = node.kind_id
    start = node.start_byte
    while kind in _LINKS:
        children = node.children
        links.append((kind, node.end_byte, children))
        node = children[0]
        kind = node.kind_id
    level = depth + len(links)
    if level > DEEPEST:
        del links[DEEPEST - depth :]
        level = DEEPEST
        value = too_deep(lowering, node, level)
    else:
        value = EXPRESSIONS[level].get(kind, opaque)(lowering, node, level)
    star = None
    if isinstance(value, Starred):
        star, start, value = _without_star(value)
    for kind, end, children in reversed(links):
        if kind == _CALL:
            args, keywords = arguments(lowering, children[-1], level)
            value = Call(start, end, value, args, keywords)
        elif kind == _ATTRIBUTE:
            name = children[-1]
            raw = lowering.text[name.start_byte : name.end_byte]
            value = Attribute(start, end, value, lowering.names.get(raw) or lowering.new_name(raw))
        else:
            value = Subscript(start, end, value, _index(lowering, children, level))
        level -= 1
    return value if star is None else Starred(star, value.end, value)


def _without_star(first: Starred) -> tuple[int, int, Expression]:
    """The start of the star; the start of what follows; that itself. The grammar binds a star closer than dots and operators."""
    return first.start, first.value.start, first.value


def arguments(lowering: Lowering, node: Node, depth: int) -> tuple[list[Expression], list[Keyword]]:
    """The positional and the keyword arguments of a call or of a class."""
    table = EXPRESSIONS[depth]
    if node.kind_id != _ARGUMENT_LIST:
        return [table.get(node.kind_id, opaque)(lowering, node, depth)], []
    args = []
    keywords = []
    for child in node.children:
        kind = child.kind_id
        lower = table.get(kind)
        if lower is not None:
            args.append(lower(lowering, child, depth))
        elif kind == _KEYWORD_ARGUMENT:
            parts = child.children
            value = parts[-1]
            raw = lowering.text[parts[0].start_byte : parts[0].end_byte]
            name = lowering.names.get(raw) or lowering.new_name(raw)
            lowered = table.get(value.kind_id, opaque)(lowering, value, depth)
            keywords.append(Keyword(child.start_byte, child.end_byte, name, lowered))
        elif kind == _DICTIONARY_SPLAT:
            keywords.append(Keyword(child.start_byte, child.end_byte, None, only_expression(lowering, child, depth)))
    return args, keywords


def _index(lowering: Lowering, children: list[Node], depth: int) -> Expression:
    """What stands between the brackets of a subscript, given all its children."""
    if len(children) == 4:
        child = children[2]
        return EXPRESSIONS[depth].get(child.kind_id, opaque)(lowering, child, depth)
    return only_or_tuple(lowering, children[2:-1] or children[-1:], depth)


@lowers_expression("slice")
def _slice(lowering: Lowering, node: Node, depth: int) -> Expression:
    return Operation(node.start_byte, node.end_byte, "slice", expressions(lowering, node.children, depth + 1))


# --- operators -----------------------------------------------------------------------------------


@lowers_expression("binary_operator", "boolean_operator")
def _binary(lowering: Lowering, node: Node, depth: int) -> Expression:
    """Operators that group to the left: one node for each run of the same one, or a flat one where the runs are too many."""
    start = node.start_byte
    kind = node.kind_id
    links = []
    runs = 0
    last = ""
    while node.kind_id == kind:
        children = node.children
        if len(children) != 3:
            children = significant(node)
        operator = children[1].type
        runs += operator != last
        last = operator
        links.append((operator, node.end_byte, children[-1]))
        node = children[0]
    links.reverse()
    is_flat = depth + runs > DEEPEST
    level = depth + 1 if is_flat else depth + runs
    first = EXPRESSIONS[level].get(node.kind_id, opaque)(lowering, node, level)
    star = None
    if isinstance(first, Starred):
        star, start, first = _without_star(first)
    operation = Operation(start, first.end, last, [first])
    for operator, end, right in links:
        if operator != last and is_flat:
            operation.op += " " + operator
        elif operator != last:
            operation = Operation(start, end, operator, [operation])
            level -= 1
        last = operator
        operation.end = end
        operation.operands.append(EXPRESSIONS[level].get(right.kind_id, opaque)(lowering, right, level))
    return operation if star is None else Starred(star, operation.end, operation)


@lowers_expression("comparison_operator")
def _comparison(lowering: Lowering, node: Node, depth: int) -> Expression:
    table = EXPRESSIONS[depth + 1]
    operators = []
    operands = []
    for child in node.children:
        kind = child.kind_id
        lower = table.get(kind)
        if lower is not None:
            operands.append(lower(lowering, child, depth + 1))
        elif kind not in grammar.EXTRAS:
            operators.append(child.type)
    return _operation(node, " ".join(operators), operands)


def _operation(node: Node, operator: str, operands: list[Expression]) -> Expression:
    """An operation whose first operand in the text may have a star that belongs before all of it."""
    first = operands[0] if operands else None
    if not isinstance(first, Starred):
        return Operation(node.start_byte, node.end_byte, operator, operands)
    star, start, operands[0] = _without_star(first)
    return Starred(star, node.end_byte, Operation(start, node.end_byte, operator, operands))


@lowers_expression("not_operator")
def _not(lowering: Lowering, node: Node, depth: int) -> Expression:
    return Operation(node.start_byte, node.end_byte, "not", expressions(lowering, node.children, depth + 1))


@lowers_expression("unary_operator")
def _unary(lowering: Lowering, node: Node, depth: int) -> Expression:
    children = node.children
    return Operation(node.start_byte, node.end_byte, "u" + children[0].type, expressions(lowering, children, depth + 1))


@lowers_expression("conditional_expression")
def _conditional(lowering: Lowering, node: Node, depth: int) -> Expression:
    lowered = _operation(node, "if", expressions(lowering, node.children, depth + 1))
    operation = lowered.value if isinstance(lowered, Starred) else lowered
    if isinstance(operation, Operation):
        operation.operands[:2] = reversed(operation.operands[:2])
    return lowered


@lowers_expression("named_expression")
def _named_expression(lowering: Lowering, node: Node, depth: int) -> Expression:
    operands = expressions(lowering, node.children, depth + 1)
    target = operands[0] if operands else None
    if len(operands) != 2 or not isinstance(target, Name):
        return Expr(node.start_byte, node.end_byte)
    return NamedExpr(node.start_byte, node.end_byte, target, operands[1])


@lowers_expression("await")
def _await(lowering: Lowering, node: Node, depth: int) -> Expression:
    return Await(node.start_byte, node.end_byte, only_expression(lowering, node, depth + 1))


@lowers_expression("yield")
def _yield(lowering: Lowering, node: Node, depth: int) -> Expression:
    children = node.children
    is_from = len(children) > 1 and children[1].kind_id == _FROM
    operands = expressions(lowering, children, depth + 1)
    return Yield(node.start_byte, node.end_byte, operands[0] if operands else None, is_from)


# --- transparent nodes ---------------------------------------------------------------------------


@lowers_expression("parenthesized_expression", "parenthesized_list_splat", "tuple_pattern", "type", "as_pattern_target")
def _transparent(lowering: Lowering, node: Node, depth: int) -> Expression:
    """What is around one expression and means nothing; parentheses may nest thousands deep."""
    table = EXPRESSIONS[depth]
    while (kind := node.kind_id) in _TRANSPARENT:
        children = node.children
        inner = [child for child in children if child.kind_id in table]
        if kind == _TUPLE_PATTERN and (len(inner) != 1 or any(child.kind_id == _COMMA for child in children)):
            return _tuple(lowering, node, depth)
        if not inner:
            return Expr(node.start_byte, node.end_byte)
        node = inner[0]
    return table[node.kind_id](lowering, node, depth)


@lowers_expression("as_pattern")
def _as_pattern(lowering: Lowering, node: Node, depth: int) -> Expression:
    """`value as name` outside `with` and `except`: the grammar is more generous than the language."""
    return only_expression(lowering, node, depth + 1)


# --- displays and comprehensions -----------------------------------------------------------------


@lowers_expression("tuple", "expression_list", "pattern_list")
def _tuple(lowering: Lowering, node: Node, depth: int) -> Expression:
    return Sequence(node.start_byte, node.end_byte, "tuple", expressions(lowering, node.children, depth + 1))


@lowers_expression("list", "list_pattern")
def _list(lowering: Lowering, node: Node, depth: int) -> Expression:
    return Sequence(node.start_byte, node.end_byte, "list", expressions(lowering, node.children, depth + 1))


@lowers_expression("set")
def _set(lowering: Lowering, node: Node, depth: int) -> Expression:
    return Sequence(node.start_byte, node.end_byte, "set", expressions(lowering, node.children, depth + 1))


@lowers_expression("list_splat", "list_splat_pattern", "splat_type")
def _starred(lowering: Lowering, node: Node, depth: int) -> Expression:
    return Starred(node.start_byte, node.end_byte, only_expression(lowering, node, depth + 1))


@lowers_expression("dictionary")
def _dictionary(lowering: Lowering, node: Node, depth: int) -> Expression:
    keys: list[Expression | None] = []
    values = []
    for child in node.children:
        kind = child.kind_id
        if kind == _PAIR:
            key, value = _pair(lowering, child, depth + 1)
            keys.append(key)
            values.append(value)
        elif kind == _DICTIONARY_SPLAT:
            keys.append(None)
            values.append(only_expression(lowering, child, depth + 1))
    return Dict(node.start_byte, node.end_byte, keys, values)


def _pair(lowering: Lowering, node: Node, depth: int) -> tuple[Expression, Expression]:
    parts = node.children
    if len(parts) != 3:
        parts = significant(node)
    key = parts[0]
    value = parts[-1]
    table = EXPRESSIONS[depth]
    return (
        table.get(key.kind_id, opaque)(lowering, key, depth),
        table.get(value.kind_id, opaque)(lowering, value, depth),
    )


_COMPREHENSIONS = {
    grammar.kind("list_comprehension"): "list",
    grammar.kind("set_comprehension"): "set",
    grammar.kind("dictionary_comprehension"): "dict",
    grammar.kind("generator_expression"): "generator",
}


@lowers_expression("list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression")
def _comprehension(lowering: Lowering, node: Node, depth: int) -> Expression:
    depth += STEEP
    table = EXPRESSIONS[depth]
    element: Expression = Expr(node.start_byte, node.end_byte)
    key = None
    generators: list[Generator] = []
    for child in node.children:
        kind = child.kind_id
        lower = table.get(kind)
        if lower is not None:
            element = lower(lowering, child, depth)
        elif kind == _PAIR:
            key, element = _pair(lowering, child, depth)
        elif kind == _FOR_IN_CLAUSE:
            generators.append(_generator(lowering, child, depth))
        elif kind == _IF_CLAUSE and generators:
            generators[-1].ifs.append(only_expression(lowering, child, depth))
    return Comprehension(node.start_byte, node.end_byte, _COMPREHENSIONS[node.kind_id], element, generators, key)


def _generator(lowering: Lowering, node: Node, depth: int) -> Generator:
    parts = significant(node)
    is_async = parts[0].kind_id == _ASYNC
    kinds = [part.kind_id for part in parts]
    start = 2 if is_async else 1
    middle = kinds.index(_IN) if _IN in kinds else len(parts) - 1
    target = only_or_tuple(lowering, parts[start:middle] or parts, depth)
    iterable = only_or_tuple(lowering, parts[middle + 1 :] or parts, depth)
    return Generator(node.start_byte, node.end_byte, target, iterable, [], is_async)
