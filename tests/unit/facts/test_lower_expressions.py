"""How expressions are lowered: one row a construct, the text and the whole of what becomes of it."""

from __future__ import annotations

import pytest

from tests.unit.facts.outline import expression

EXPRESSIONS = [
    ("a", "a"),
    ("a.b", "Attribute(a, 'b')"),
    ("a[b]", "Subscript(a, b)"),
    ("a[b, c]", "Subscript(a, Sequence('tuple', [b, c]))"),
    ("a[b,]", "Subscript(a, Sequence('tuple', [b]))"),
    ("a[1:2]", "Subscript(a, Operation('slice', [int:1, int:2]))"),
    ("a[:, ::c]", "Subscript(a, Sequence('tuple', [Operation('slice', []), Operation('slice', [c])]))"),
    ("a[*b]", "Subscript(a, Starred(b))"),
    ("a[b := c]", "Subscript(a, NamedExpr(b, c))"),
    ("f()", "Call(f, [], [])"),
    ("f(a, *b, c=d, **e)", "Call(f, [a, Starred(b)], [Keyword('c', d), Keyword(None, e)])"),
    ("f(a for a in b)", "Call(f, [Comprehension('generator', a, [Generator(a, b, [], False)], None)], [])"),
    ("f(a)(b)[c].d", "Attribute(Subscript(Call(Call(f, [a], []), [b], []), c), 'd')"),
    ("f(\n    a,  # comment\n    b=  # comment\n    c,\n)", "Call(f, [a], [Keyword('b', c)])"),
    ("(a)", "a"),
    ("((a.b))", "Attribute(a, 'b')"),
    ("(a,)", "Sequence('tuple', [a])"),
    ("()", "Sequence('tuple', [])"),
    ("a, *b", "Sequence('tuple', [a, Starred(b)])"),
    ("[]", "Sequence('list', [])"),
    ("[a, *b]", "Sequence('list', [a, Starred(b)])"),
    ("{a, *b}", "Sequence('set', [a, Starred(b)])"),
    ("{}", "Dict([], [])"),
    ("{a: b, **c}", "Dict([a, None], [b, c])"),
    ("a + b", "Operation('+', [a, b])"),
    ("a + b + c", "Operation('+', [a, b, c])"),
    ("a + b - c", "Operation('-', [Operation('+', [a, b]), c])"),
    ("a ** b ** c", "Operation('**', [a, Operation('**', [b, c])])"),
    ("a % (b, c)", "Operation('%', [a, Sequence('tuple', [b, c])])"),
    ("a and b and c", "Operation('and', [a, b, c])"),
    ("a and b or c", "Operation('or', [Operation('and', [a, b]), c])"),
    ("not a", "Operation('not', [a])"),
    ("-a", "Operation('u-', [a])"),
    ("~+a", "Operation('u~', [Operation('u+', [a])])"),
    ("a < b", "Operation('<', [a, b])"),
    ("a < b <= c", "Operation('< <=', [a, b, c])"),
    ("a is not b", "Operation('is not', [a, b])"),
    ("a not in b", "Operation('not in', [a, b])"),
    ("a if b else c", "Operation('if', [b, a, c])"),
    ("(a := b)", "NamedExpr(a, b)"),
    ("lambda: a", "Lambda([], a)"),
    ("lambda a, /, b, *c, d=e, **f: g", "Lambda([positional a, normal b, star c, keyword d = e, double f], g)"),
    ("[a for a in b]", "Comprehension('list', a, [Generator(a, b, [], False)], None)"),
    (
        "[a async for a, b in c if d if e for f in g]",
        "Comprehension('list', a, [Generator(Sequence('tuple', [a, b]), c, [d, e], True), Generator(f, g, [], False)], None)",
    ),
    ("{a for a in b}", "Comprehension('set', a, [Generator(a, b, [], False)], None)"),
    ("{a: b for a, b in c}", "Comprehension('dict', b, [Generator(Sequence('tuple', [a, b]), c, [], False)], a)"),
    ("(a for a in b)", "Comprehension('generator', a, [Generator(a, b, [], False)], None)"),
    ("await a", "Await(a)"),
    ("await a.b()", "Await(Call(Attribute(a, 'b'), [], []))"),
    ("(yield)", "Yield(None, False)"),
    ("(yield a)", "Yield(a, False)"),
    ("(yield a, b)", "Yield(Sequence('tuple', [a, b]), False)"),
    ("(yield from a)", "Yield(a, True)"),
    ("print(a)", "Call(print, [a], [])"),
    ("print(*a.b(), c)", "Call(print, [Starred(Call(Attribute(a, 'b'), [], [])), c], [])"),
    ("*a.b(), c", "Sequence('tuple', [Starred(Call(Attribute(a, 'b'), [], [])), c])"),
    ("*a or b, c", "Sequence('tuple', [Starred(Operation('or', [a, b])), c])"),
    ("...", "Expr()"),
    ("a \\\n    .b", "Attribute(a, 'b')"),
]

LITERALS = [
    ('"a"', "str:'a'"),
    ("'a' \"b\"", "str:'ab'"),
    ('r"\\n"', "str:'\\\\n'"),
    ('"\\n\\x41\\u00e9\\N{BULLET}\\101\\\n"', "str:'\\nAé•A'"),
    ('"""a\n"b"""', "str:'a\\n\"b'"),
    ('"é"', "str:'é'"),
    ('"\\ud800"', "str:'�'"),
    ('"\\q"', "str:'\\\\q'"),
    ('b"a"', "bytes:''"),
    ('b"a" b"b"', "bytes:''"),
    ('""', "str:''"),
    ("1", "int:1"),
    ("0x_ff", "int:255"),
    ("1_000", "int:1000"),
    ("18446744073709551615", "int:18446744073709551615"),
    ("18446744073709551616", "int:None"),
    ("1.5", "float:1.5"),
    ("1e3", "float:1000.0"),
    ("1j", "complex:1.0"),
    ("1.5J", "complex:1.5"),
    ("True", "bool:True"),
    ("None", "none:None"),
    ('f"{a!r:>{b}} {{c}} {d=}"', "Operation('fstring', [a, b, d])"),
    ('f"{a}" "b" rf"{c}"', "Operation('fstring', [a, c])"),
    ('f"a"', "Operation('fstring', [str:'a'])"),
    ('f"{f\'{a["b"]}\'}"', "Operation('fstring', [Operation('fstring', [Subscript(a, str:'b')])])"),
    ('t"{a}"', "Operation('fstring', [a])"),
    ('f"{a:=10}"', "Operation('fstring', [a])"),
    ('f"{(yield)}"', "Operation('fstring', [Yield(None, False)])"),
    ('f"{*a, b}"', "Operation('fstring', [Sequence('tuple', [Starred(a), b])])"),
]


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS + LITERALS)
def test_expression(text: str, expected: str) -> None:
    """An expression becomes this node and no other."""
    assert expression(text) == expected


def test_long_strings_are_cut() -> None:
    """A long string keeps its first 200 characters, whatever they are made of."""
    assert expression(f"'{'é' * 300}'") == f"str:'{'é' * 200}'"
    assert expression(f"'{'a' * 150}' '{'b' * 150}'") == f"str:'{'a' * 150}{'b' * 50}'"
