"""What is read of a file that does not parse, or that is nested beyond all measure."""

from __future__ import annotations

import sys
import time

import pytest

from asyncvet.facts import codec, extract
from asyncvet.facts.tree import ClassDef, FunctionDef, ModuleFacts
from tests.unit.facts.outline import outline

TOO_DEEP = "nested more than 200 levels deep: not read further"


def definitions(statements: list[object]) -> list[object]:
    """The names of functions, and of classes with what is in them, in order."""
    found: list[object] = []
    for statement in statements:
        if isinstance(statement, FunctionDef):
            found.append(statement.name)
        elif isinstance(statement, ClassDef):
            found.append((statement.name, definitions([*statement.body])))
    return found


def broken(facts: ModuleFacts) -> list[tuple[int | None, str]]:
    """What is broken, as pairs."""
    return [(entry.line, entry.message) for entry in facts.broken]


CLASS = """\
import os

class A:
    def f(self):
        {}
        return y

    async def g(self):
        await bar()

def h():
    pass
"""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("y = foo(", (5, "'(' was never closed")),
        ("y = foo.", (6, "invalid syntax: return y")),
        ("y = foo; if x", (5, "invalid syntax: y = foo; if x")),
        ('y = "foo', (5, 'invalid syntax: y = "foo')),
        ("y = = 1", (5, "invalid syntax: y = = 1")),
        ("y = `foo`", (5, "backquotes are Python 2 syntax")),
    ],
)
def test_an_error_costs_its_line(line: str, message: tuple[int, str]) -> None:
    """One line that does not parse is reported; the functions and classes around it are all there."""
    facts = extract(CLASS.format(line).encode())
    assert broken(facts) == [message]
    assert definitions([*facts.body]) == [("A", ["f", "g"]), "h"]


@pytest.mark.parametrize(
    ("text", "found", "messages"),
    [
        ("def f():\n    a\n\nx = g(\n", ["f"], [(4, "'(' was never closed")]),
        ("def f():\n    a\n\nx = [\ndef g():\n    b\n", ["f", "g"], [(4, "'[' was never closed")]),
        ("def f(): a\ndef g(b, c:\n    d\n", ["f"], [(2, "'(' was never closed")]),
        ("def f(:\n    a\ndef g(): b\n", ["f", "g"], [(1, "invalid syntax: missing )")]),
        ("def f(): a\n)\ndef g(): b\n", ["f", "g"], [(2, "invalid syntax: )")]),
        ("<html>\n", [], [(1, "invalid syntax: <html>")]),
        ("def f((a, b), c): d\n", ["f"], [(1, "tuple parameters are Python 2 syntax")]),
        ("x = 'a\n", [], [(1, "invalid syntax: x = 'a")]),
    ],
)
def test_what_parses_is_read(text: str, found: list[str], messages: list[tuple[int, str]]) -> None:
    """Functions around and inside what does not parse are read."""
    facts = extract(text.encode())
    assert (definitions([*facts.body]), broken(facts)) == (found, messages)


def test_calls_inside_errors_are_read() -> None:
    """Expressions that parse inside an error are statements of their own."""
    facts = extract(b"a = f(g(1), h(2)\n")
    assert [outline(statement) for statement in facts.body] == [
        "ExprStmt(Call(g, [int:1], []))",
        "ExprStmt(Call(h, [int:2], []))",
    ]


def test_many_errors_are_summed_up() -> None:
    """A file of another language does not flood the report."""
    facts = extract(b"a = = 1\n" * 100)
    assert broken(facts) == [
        *((line, "invalid syntax: a = = 1") for line in range(1, 21)),
        (21, "80 more places from here on could not be read"),
    ]


DEEP = {
    "parentheses": ("(" * 5000 + "a" + ")" * 5000, []),
    "targets": ("(" * 3000 + "a" + ")" * 3000 + " = b", []),
    "sum": (" + ".join(["a"] * 5000), []),
    "mixed sum": ("a + b - " * 2500 + "c", []),
    "conjunction": (" and ".join(["a"] * 5000), []),
    "comparison": (" < ".join(["a"] * 5000), []),
    "assignments": ("a = " * 5000 + "b", []),
    "power": (" ** ".join(["a"] * 5000), [(1, TOO_DEEP)]),
    "calls": ("a" + ".b()" * 3000, [(1, TOO_DEEP)]),
    "arguments": ("f(" * 3000 + ")" * 3000, [(1, TOO_DEEP)]),
    "keywords": ("f(a=(" * 3000 + "b" + "))" * 3000, [(1, TOO_DEEP)]),
    "lists": ("[" * 5000 + "]" * 5000, [(1, TOO_DEEP)]),
    "dicts": ("{1: " * 3000 + "a" + "}" * 3000, [(1, TOO_DEEP)]),
    "negations": ("not " * 5000 + "a", [(1, TOO_DEEP)]),
    "conditionals": ("a if b else " * 3000 + "c", [(1, TOO_DEEP)]),
    "lambdas": ("lambda a=(" * 3000 + "b" + "): c" * 3000, [(1, TOO_DEEP)]),
    "comprehensions": ("[a for a in (" * 2000 + "b" + ")]" * 2000, [(1, TOO_DEEP)]),
    "format strings": ('f"{(' * 150 + "a" + ')}"' * 150, [(1, TOO_DEEP)]),
    "annotation": ("a: " + "list[" * 3000 + "b" + "]" * 3000, [(1, TOO_DEEP)]),
    "awaits": ("async def f(): " + "await " * 5000 + "a", [(1, TOO_DEEP)]),
    "tries": ("".join(" " * level + "try:\n" for level in range(300)) + " " * 300 + "a", [(101, TOO_DEEP)]),
}


def at_depth(frames: int, data: bytes) -> ModuleFacts:
    """Extract with that many frames on the stack already."""
    return at_depth(frames - 1, data) if frames else extract(data)


@pytest.mark.parametrize("name", DEEP)
def test_deep_nesting(name: str) -> None:
    """Depth ends in an entry, never in an exception, in a worker that has a deep stack of its own; the next line is read."""
    text, messages = DEEP[name]
    facts = at_depth(250, f"{text}\nlast\n".encode())
    assert broken(facts)[:1] == messages
    assert outline(facts.body[-1]) == "ExprStmt(last)"
    assert codec.encode(codec.decode(codec.encode(facts))) == codec.encode(facts)


def test_nested_ifs() -> None:
    """A thousand blocks in one another: as many are read as the interpreter takes, and the function before them."""
    text = "def f(): a\n" + "".join(" " * level + "if a:\n" for level in range(1000)) + " " * 1000 + "b()\nlast\n"
    facts = at_depth(250, text.encode())
    assert definitions([*facts.body]) == ["f"]
    assert TOO_DEEP in [message for _, message in broken(facts)]
    assert outline(facts.body[-1]) == "ExprStmt(last)"


def test_long_elif_chain() -> None:
    """A chain of branches is as deep as it is long: it ends at the bound."""
    facts = at_depth(250, ("if a: b\n" + "elif c: d\n" * 3000 + "else: e\nlast\n").encode())
    assert (201, "more than 200 branches: not read further") in broken(facts)
    assert outline(facts.body[-1]) == "ExprStmt(last)"


def test_a_hundred_branches_are_read() -> None:
    """A chain of branches of the length that people write is read to its end."""
    facts = extract(("if a: b\n" + "elif c: d(e)\n" * 150 + "else: f\n").encode())
    assert broken(facts) == []
    assert outline(facts.body[0]).count("Call(d, [e], [])") == 150


@pytest.mark.parametrize(
    "data", [b"(" * 100_000, b'"\n' * 50_000, b"def f(:\n  pass\n" * 5_000, b"class \n" * 10_000, b"<p>a</p>\n" * 10_000]
)
def test_hostile_files_end(data: bytes) -> None:
    """Files made to be hard take seconds at most."""
    started = time.monotonic()
    assert extract(data).broken != []
    assert time.monotonic() - started < 10


def test_the_stack_is_left_alone() -> None:
    """Reading does not change the interpreter's limits."""
    limit = sys.getrecursionlimit()
    extract(b"(" * 5000)
    assert sys.getrecursionlimit() == limit
