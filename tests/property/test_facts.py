"""Facts against the interpreter's own parser on real files, and against text that nobody would write."""

from __future__ import annotations

import ast
import re
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncvet.facts import codec, extract
from asyncvet.facts.tree import (
    Attribute,
    Await,
    Call,
    ClassDef,
    Comprehension,
    Const,
    FunctionDef,
    ModuleFacts,
    Name,
    Node,
    Operation,
)

LIBRARY = Path(sysconfig.get_path("stdlib"))
REAL_FILES = [
    path for folder in ("", "asyncio", "json", "email", "concurrent/futures") for path in sorted((LIBRARY / folder).glob("*.py"))
]
FIRST_WITH_FORMAT_STRING_POSITIONS = (3, 12)
LONGEST_STRING = 200
SURROGATE = re.compile("[\ud800-\udfff]")
Entry = tuple[object, ...]


def nodes(value: object) -> Iterator[Node]:
    """Every node under a value, format strings excepted: the interpreter does not place what is in them before 3.12."""
    stack = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, Node):
            yield current
            if (
                isinstance(current, Operation)
                and current.op == "fstring"
                and sys.version_info < FIRST_WITH_FORMAT_STRING_POSITIONS
            ):
                continue
            stack.extend(getattr(current, field) for field in current.__struct_fields__)
        elif isinstance(current, list):
            stack.extend(current)


def facts_entries(facts: ModuleFacts) -> Counter[Entry]:
    """What facts say of a file, in the words shared with `ast_entries`."""
    return Counter(entry for node in nodes(facts.body) if (entry := facts_entry(facts, node)))


def quoted_places(facts: ModuleFacts, data: bytes) -> set[Entry]:
    """Where annotations are written as text: facts read what is in them, which to the interpreter are strings."""
    names = [node for node in nodes(facts.body) if isinstance(node, Name) and data[node.start : node.start + 1] in (b'"', b"'")]
    return {facts.position(name.start) for name in names}


def facts_entry(facts: ModuleFacts, node: Node) -> Entry | None:
    """One node of facts as an entry; None if the comparison leaves its kind out."""
    place = facts.position(node.start)
    match node:
        case FunctionDef():
            return ("def", *place, node.name, node.is_async, len(node.params), len(node.decorators))
        case ClassDef():
            return ("class", *place, node.name, len(node.bases), len(node.keywords), len(node.decorators))
        case Name():
            return ("name", *place, *facts.position(node.end), node.id)
        case Attribute():
            return ("attribute", *place, *facts.position(node.end), node.attr)
        case Call():
            return ("call", *place, *facts.position(node.end), len(node.args), len(node.keywords))
        case Await():
            return ("await", *place, *facts.position(node.end))
        case Comprehension():
            return ("comprehension", *place, *(generator.is_async for generator in node.generators))
        case Const() if node.kind not in ("float", "complex"):
            return (node.kind, *place, node.value)
    return None


def ast_entries(text: str) -> Counter[Entry]:
    """What the interpreter's parser says of a file."""
    lines = [line.encode() for line in text.split("\n")]
    entries: Counter[Entry] = Counter()
    stack: list[ast.AST] = [ast.parse(text)]
    while stack:
        node = stack.pop()
        entry = ast_entry(node, lines)
        if entry:
            entries[entry] += 1
        stack.extend(ast_children(node))
    return entries


def ast_children(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that facts keep, too."""
    if isinstance(node, ast.JoinedStr):
        if sys.version_info >= FIRST_WITH_FORMAT_STRING_POSITIONS:
            yield from format_operands(node)
        return
    for field, value in ast.iter_fields(node):
        if field != "type_params" and type(node).__name__ != "TypeAlias":
            yield from (child for child in (value if isinstance(value, list) else [value]) if isinstance(child, ast.AST))


def format_operands(node: ast.JoinedStr) -> Iterator[ast.AST]:
    """The expressions between the braces of a format string."""
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            yield part.value
            if isinstance(part.format_spec, ast.JoinedStr):
                yield from format_operands(part.format_spec)


def ast_entry(node: ast.AST, lines: list[bytes]) -> Entry | None:
    """One node of the interpreter's tree as an entry; None if the comparison leaves its kind out."""

    def place(line: int, offset: int) -> tuple[int, int]:
        return line, len(lines[line - 1][:offset].decode()) + 1

    if not isinstance(node, ast.expr | ast.stmt | ast.MatchSingleton):
        return None
    start = place(node.lineno, node.col_offset)
    end = place(node.end_lineno or 0, node.end_col_offset or 0)
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            arguments = node.args
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
            count = sum(argument is not None for argument in every)
            return ("def", *start, node.name, isinstance(node, ast.AsyncFunctionDef), count, len(node.decorator_list))
        case ast.ClassDef():
            return ("class", *start, node.name, len(node.bases), len(node.keywords), len(node.decorator_list))
        case ast.Name():
            return ("name", *start, *end, node.id)
        case ast.Attribute():
            return ("attribute", *start, *end, node.attr)
        case ast.Call():
            return ("call", *start, *end, len(node.args), len(node.keywords))
        case ast.Await():
            return ("await", *start, *end)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return ("comprehension", *start, *(bool(generator.is_async) for generator in node.generators))
        case ast.Constant() | ast.MatchSingleton():
            return constant_entry(node.value, start)
    return None


def constant_entry(value: object, start: tuple[int, int]) -> Entry | None:
    """A constant as facts give it."""
    match value:
        case bool():
            return ("bool", *start, value)
        case int():
            return ("int", *start, value if value < 2**64 else None)
        case str():
            return ("str", *start, SURROGATE.sub("\ufffd", value)[:LONGEST_STRING])
        case bytes():
            return ("bytes", *start, "")
        case None:
            return ("none", *start, None)
    return None


@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_facts_agree_with_the_interpreter(path: Path) -> None:
    """Functions, classes, names, attributes, calls, awaits, comprehensions and constants: the same ones in the same places."""
    data = path.read_bytes()
    facts = extract(data)
    assert facts.broken == []
    expected = ast_entries(data.decode())
    found = facts_entries(facts)
    quoted = quoted_places(facts, data)
    different = [entry for entry in ((expected - found) + (found - expected)) if entry[1:3] not in quoted]
    assert different == []


# --- text that nobody would write ----------------------------------------------------------------

SAMPLE = (LIBRARY / "asyncio" / "tasks.py").read_bytes()
TOKENS = st.sampled_from(
    [
        *("a", "b.c", "f(", ")", "[", "]", "{", "}", ":", ",", ".", "=", ":=", "+", "*", "**", "->", "@", "\\\n", ";"),
        *(
            "\n",
            "\n    ",
            "\n        ",
            "\r",
            "\t",
            "\x0c",
            "\0",
            "#",
            "'",
            '"',
            '"""',
            'f"',
            "{{",
            "é",
            "\u2028",
            "1",
            "0x",
            "1j",
        ),
        *("def ", "class ", "async ", "await ", "if ", "elif ", "else:", "for ", "in ", "while ", "try:", "except ", "finally:"),
        *("with ", "as ", "match ", "case ", "lambda ", "yield ", "return ", "import ", "from ", "global ", "type ", "print "),
    ]
)


def check(data: bytes) -> None:
    """Facts of any bytes: made without an exception, the same twice, in order, and whole after a round trip."""
    facts = extract(data)
    encoded = codec.encode(facts)
    assert codec.encode(extract(data)) == encoded
    assert codec.encode(codec.decode(encoded)) == encoded
    lines = [entry.line or 0 for entry in facts.broken]
    assert lines == sorted(lines)
    assert all(line <= max(facts.lines, 1) for line in lines)
    for node in nodes(facts.body):
        assert facts.position(node.start) <= facts.position(node.end)


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    """Bytes of any kind are read without an exception."""
    check(data)


@given(st.text())
def test_any_text(text: str) -> None:
    """Text of any kind is read without an exception."""
    check(text.encode("utf-8", "surrogatepass"))


@settings(deadline=None)
@given(st.lists(TOKENS, max_size=60).map("".join))
def test_any_tokens(text: str) -> None:
    """Words of the language in any order are read without an exception."""
    check(text.encode())


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_damaged_files(data: st.DataObject) -> None:
    """A real file with a stretch cut out, doubled or overwritten is read, and keeps most of its functions."""
    start = data.draw(st.integers(0, len(SAMPLE)))
    end = data.draw(st.integers(start, min(start + 40, len(SAMPLE))))
    middle = data.draw(
        st.one_of(st.just(b""), st.just(SAMPLE[start:end] * 2), st.lists(TOKENS, max_size=3).map("".join).map(str.encode))
    )
    check(SAMPLE[:start] + middle + SAMPLE[end:])


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_positions(text: str) -> None:
    """Line and column of a place are those that one counts by hand."""
    facts = extract(text.encode())
    lines = re.split("\r\n|\r|\n", text)
    for index in range(len(text)):
        if text[index] in "\r\n":
            continue
        before = re.split("\r\n|\r|\n", text[:index])
        assert facts.position(len(text[:index].encode())) == (len(before), len(before[-1]) + 1)
    assert facts.lines == len(lines) - (not lines[-1])
