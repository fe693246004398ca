"""How statements are lowered: one row a construct, the text and the whole of what becomes of it."""

from __future__ import annotations

import pytest

from asyncvet.facts import extract
from tests.unit.facts.outline import outline, statements

SIMPLE = [
    ("a = b", "Assign([a], b, None)"),
    ("a = b = c", "Assign([a, b], c, None)"),
    ("a, *b = c", "Assign([Sequence('tuple', [a, Starred(b)])], c, None)"),
    ("(a) = b", "Assign([a], b, None)"),
    ("[a, (b, c)] = d", "Assign([Sequence('list', [a, Sequence('tuple', [b, c])])], d, None)"),
    ("a.b[c] = d", "Assign([Subscript(Attribute(a, 'b'), c)], d, None)"),
    ("a: b", "Assign([a], None, b)"),
    ("a: b = c", "Assign([a], c, b)"),
    ("a: list[b]", "Assign([a], None, Subscript(list, b))"),
    (
        "a: b.c[d, e] | None",
        "Assign([a], None, Operation('|', [Subscript(Attribute(b, 'c'), Sequence('tuple', [d, e])), none:None]))",
    ),
    ('a: "b"', "Assign([a], None, b)"),
    ("a = yield", "Assign([a], Yield(None, False), None)"),
    ("a = yield b", "Assign([a], Yield(b, False), None)"),
    ("a = await b", "Assign([a], Await(b), None)"),
    ("a = *b, c", "Assign([a], Sequence('tuple', [Starred(b), c]), None)"),
    ("a += b", "AugAssign(a, '+', b)"),
    ("a //= b, c", "AugAssign(a, '//', Sequence('tuple', [b, c]))"),
    ("return", "Return(None)"),
    ("return a", "Return(a)"),
    ("return a, b", "Return(Sequence('tuple', [a, b]))"),
    ("return *a, b", "Return(Sequence('tuple', [Starred(a), b]))"),
    ("raise", "Raise(None, None)"),
    ("raise a", "Raise(a, None)"),
    ("raise a(b) from c", "Raise(Call(a, [b], []), c)"),
    ("raise a from None", "Raise(a, none:None)"),
    ("assert a", "Assert(a, None)"),
    ("assert a, b(c)", "Assert(a, Call(b, [c], []))"),
    ("del a", "Delete([a])"),
    ("del a, b[c]", "Delete([a, Subscript(b, c)])"),
    ("del (a, b)", "Delete([Sequence('tuple', [a, b])])"),
    ("pass", "Stmt()"),
    ("break", "Jump('break')"),
    ("continue", "Jump('continue')"),
    ("global a, b", "Scope('global', ['a', 'b'])"),
    ("nonlocal a", "Scope('nonlocal', ['a'])"),
    ("import a", "Import([('a', None)])"),
    ("import a.b as c, d", "Import([('a.b', 'c'), ('d', None)])"),
    ("from a import b", "ImportFrom(0, 'a', [('b', None)])"),
    ("from a.b import c as d, e", "ImportFrom(0, 'a.b', [('c', 'd'), ('e', None)])"),
    ("from . import a", "ImportFrom(1, '', [('a', None)])"),
    ("from ..a import (b, c as d,)", "ImportFrom(2, 'a', [('b', None), ('c', 'd')])"),
    ("from ...a.b import *", "ImportFrom(3, 'a.b', [('*', None)])"),
    ("from __future__ import annotations", "ImportFrom(0, '__future__', [('annotations', None)])"),
    ("type A = b", "Stmt()"),
    ("type A[T: (int, str), *Ts, **P] = b[T]", "Stmt()"),
    ("print(a)", "ExprStmt(Call(print, [a], []))"),
    ("print >> a, b", "ExprStmt(Sequence('tuple', [Operation('>>', [print, a]), b]))"),
    ("type(a).b = c", "Assign([Attribute(Call(type, [a], []), 'b')], c, None)"),
    ("type = a", "Assign([type], a, None)"),
    ("match = a", "Assign([match], a, None)"),
    ("match(a)", "ExprStmt(Call(match, [a], []))"),
    ("case = _", "Assign([case], _, None)"),
    ("match.a(b)[c]", "ExprStmt(Subscript(Call(Attribute(match, 'a'), [b], []), c))"),
    ("a; b;", "ExprStmt(a) ExprStmt(b)"),
]

COMPOUND = [
    ("if a:\n    b\n", "If(a, [ExprStmt(b)], [])"),
    (
        "if a: b\nelif c: d\nelif e: f\nelse: g\n",
        "If(a, [ExprStmt(b)], [If(c, [ExprStmt(d)], [If(e, [ExprStmt(f)], [ExprStmt(g)])])])",
    ),
    ("while a:\n    b\nelse:\n    c\n", "While(a, [ExprStmt(b)], [ExprStmt(c)])"),
    ("for a in b:\n    c\nelse:\n    d\n", "For(a, b, [ExprStmt(c)], [ExprStmt(d)], False)"),
    ("for a, b in c, d: e\n", "For(Sequence('tuple', [a, b]), Sequence('tuple', [c, d]), [ExprStmt(e)], [], False)"),
    ("async for a in b: c\n", "For(a, b, [ExprStmt(c)], [], True)"),
    ("for a in *b, *c(): d\n", "For(a, Sequence('tuple', [Starred(b), Starred(Call(c, [], []))]), [ExprStmt(d)], [], False)"),
    ("with a: b\n", "With([WithItem(a, None)], [ExprStmt(b)], False)"),
    ("with a as b, c: d\n", "With([WithItem(a, b), WithItem(c, None)], [ExprStmt(d)], False)"),
    ("with (a as b, c as d,): e\n", "With([WithItem(a, b), WithItem(c, d)], [ExprStmt(e)], False)"),
    ("with (a): b\n", "With([WithItem(a, None)], [ExprStmt(b)], False)"),
    ("with (a, b): c\n", "With([WithItem(a, None), WithItem(b, None)], [ExprStmt(c)], False)"),
    ("with (a, b) as c: d\n", "With([WithItem(Sequence('tuple', [a, b]), c)], [ExprStmt(d)], False)"),
    ("with (a as b): c\n", "With([WithItem(a, b)], [ExprStmt(c)], False)"),
    ("with (yield): a\n", "With([WithItem(Yield(None, False), None)], [ExprStmt(a)], False)"),
    ("async with a() as (b, c): d\n", "With([WithItem(Call(a, [], []), Sequence('tuple', [b, c]))], [ExprStmt(d)], True)"),
    (
        "with a as b.c, d as e[f]: g\n",
        "With([WithItem(a, Attribute(b, 'c')), WithItem(d, Subscript(e, f))], [ExprStmt(g)], False)",
    ),
    ("try:\n    a\nexcept:\n    b\n", "Try([ExprStmt(a)], [Handler(None, None, [ExprStmt(b)])], [], [], False)"),
    (
        "try: a\nexcept (b, c) as d: e\nelse: f\nfinally: g\n",
        "Try([ExprStmt(a)], [Handler(Sequence('tuple', [b, c]), 'd', [ExprStmt(e)])], [ExprStmt(f)], [ExprStmt(g)], False)",
    ),
    (
        "try: a\nexcept b: c\nexcept d: e\n",
        "Try([ExprStmt(a)], [Handler(b, None, [ExprStmt(c)]), Handler(d, None, [ExprStmt(e)])], [], [], False)",
    ),
    ("try: a\nexcept b, c: d\n", "Try([ExprStmt(a)], [Handler(Sequence('tuple', [b, c]), None, [ExprStmt(d)])], [], [], False)"),
    ("try: a\nexcept* b as c: d\n", "Try([ExprStmt(a)], [Handler(b, 'c', [ExprStmt(d)])], [], [], True)"),
    ("try: a\nfinally: b\n", "Try([ExprStmt(a)], [], [], [ExprStmt(b)], False)"),
    ("match a:\n    case b: c\n", "Match(a, [Case([], ['b'], None, [ExprStmt(c)])])"),
    ("match a, b:\n    case _: c\n", "Match(Sequence('tuple', [a, b]), [Case([], [], None, [ExprStmt(c)])])"),
    (
        'match a:\n    case b.c | "d" | -1 | None: e\n',
        "Match(a, [Case([Attribute(b, 'c'), str:'d', int:1, none:None], [], None, [ExprStmt(e)])])",
    ),
    ("match a:\n    case b.c(d, e=f) as g if h: i\n", "Match(a, [Case([Attribute(b, 'c')], ['d', 'f', 'g'], h, [ExprStmt(i)])])"),
    (
        'match a:\n    case {"b": c, d.e: [f, *g], **h}: i\n',
        "Match(a, [Case([str:'b', Attribute(d, 'e')], ['c', 'f', 'g', 'h'], None, [ExprStmt(i)])])",
    ),
    ("match a:\n    case (b, *_), c: d\n", "Match(a, [Case([], ['b', 'c'], None, [ExprStmt(d)])])"),
    ("match (a):\n    case b(): pass\n", "Match(a, [Case([b], [], None, [Stmt()])])"),
    ("def a(): b\n", "FunctionDef('a', [], None, [ExprStmt(b)], [], False, False)"),
    (
        "async def a(b, c: d = e, *f: g, h=i, **j) -> k: l\n",
        "FunctionDef('a', [normal b, normal c: d = e, star f: g, keyword h = i, double j], k, [ExprStmt(l)], [], True, False)",
    ),
    ("def a(b, /, c, *, d): e\n", "FunctionDef('a', [positional b, normal c, keyword d], None, [ExprStmt(e)], [], False, False)"),
    (
        "def a[T: b, *Ts, **P = c](d: T, *e: *Ts) -> list[T]: f\n",
        "FunctionDef('a', [normal d: T, star e: Starred(Ts)], Subscript(list, T), [ExprStmt(f)], [], False, False)",
    ),
    ('def a():\n    """b"""\n    c\n', "FunctionDef('a', [], None, [ExprStmt(str:'b'), ExprStmt(c)], [], False, True)"),
    ('def a():\n    f"{b}"\n', "FunctionDef('a', [], None, [ExprStmt(Operation('fstring', [b]))], [], False, False)"),
    (
        "@a\n@b.c(d)\ndef e(): f\n",
        "FunctionDef('e', [], None, [ExprStmt(f)], [a, Call(Attribute(b, 'c'), [d], [])], False, False)",
    ),
    (
        "@a\n# b\n@(lambda c: c)\nasync def d(): e\n",
        "FunctionDef('d', [], None, [ExprStmt(e)], [a, Lambda([normal c], c)], True, False)",
    ),
    (
        "def a(\n    b,  # c\n    d=1,  # e\n): f\n",
        "FunctionDef('a', [normal b, normal d = int:1], None, [ExprStmt(f)], [], False, False)",
    ),
    ("class a: b\n", "ClassDef('a', [], [], [ExprStmt(b)], [])"),
    (
        "class a(b.c, *d, e=f, **g): h\n",
        "ClassDef('a', [Attribute(b, 'c'), Starred(d)], [Keyword('e', f), Keyword(None, g)], [ExprStmt(h)], [])",
    ),
    ('class a[T = int](b[T]):\n    """c"""\n', "ClassDef('a', [Subscript(b, T)], [], [ExprStmt(str:'c')], [])"),
    ("@a\nclass b: c\n", "ClassDef('b', [], [], [ExprStmt(c)], [a])"),
    (
        "def a():\n    def b():\n        c\n",
        "FunctionDef('a', [], None, [FunctionDef('b', [], None, [ExprStmt(c)], [], False, False)], [], False, False)",
    ),
    ("if a:\n\n    # b\n    c\n\n# d\n", "If(a, [ExprStmt(c)], [])"),
    ("def a(): return b; c\n", "FunctionDef('a', [], None, [Return(b), ExprStmt(c)], [], False, False)"),
]


@pytest.mark.parametrize(("text", "expected"), SIMPLE + COMPOUND)
def test_statement(text: str, expected: str) -> None:
    """A statement becomes this node and no other."""
    assert " ".join(statements(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("print a, b", ["ExprStmt(Call(print, [a, b], []))", "Broken(1, '`print` as a statement is Python 2 syntax')"]),
        ("exec a", ["ExprStmt(Call(exec, [a], []))", "Broken(1, '`exec` as a statement is Python 2 syntax')"]),
    ],
)
def test_python2_leftover(text: str, expected: list[str]) -> None:
    """Statements of Python 2 that became functions are calls, and said to be broken."""
    facts = extract(text.encode())
    assert [outline(entry) for entry in [*facts.body, *facts.broken]] == expected
