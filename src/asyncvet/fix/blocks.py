"""Lines that fixes add: above, below and around statements, and to a module. A tab at the start of one is a level of indentation."""

from __future__ import annotations

from collections.abc import Sequence

from asyncvet.facts import tree
from asyncvet.fix.code import Code
from asyncvet.fix.text import Change


def above(code: Code, statement: tree.Stmt, *lines: str) -> Change | None:
    """Lines above a statement, indented as it is; None if it is not the first on its line."""
    if not code.text.is_first(statement.start):
        return None
    line = code.text.line_start(statement.start)
    return Change(line, line, _written(code, statement.start, lines))


def below(code: Code, statement: tree.Stmt, *lines: str) -> Change:
    """Lines below a statement that is the last on its line, indented as it is."""
    end = code.text.next_line(statement.end)
    text = _written(code, statement.start, lines)
    has_end = code.text.utf8[end - 1 : end] == b"\n"
    return Change(end, end, text if has_end else f"\n{text[:-1]}")


def wrapped(code: Code, statements: Sequence[tree.Stmt], head: str, *tail: str) -> tuple[Change, ...] | None:
    """Put statements of one block under a head, with lines behind them; None if they share a line with others."""
    start, last = _start(statements[0]), statements[-1]
    if not (code.text.is_first(start) and code.text.is_last(last.end)):
        return None
    line = code.text.line_start(start)
    changes = (Change(line, line, _written(code, start, [head])), *code.text.indented(start, last.end))
    opening = tree.Stmt(start, last.end)
    return (*changes, below(code, opening, *tail)) if tail else changes


def declared(code: Code, declaration: str) -> Change | None:
    """A declaration of the module, below its imports or its docstring; None if there is no line for it."""
    place: tree.Stmt | None = None
    for statement in code.facts.body:
        if isinstance(statement, tree.FunctionDef | tree.ClassDef):
            break
        if _imports(statement) or (place is None and _is_docstring(statement)):
            place = statement
    if place is None or not code.text.is_last(place.end):
        return None
    end = code.text.next_line(place.end)
    return Change(end, end, f"\n{declaration}\n" + ("" if code.text.is_blank(end) else "\n"))


def _written(code: Code, at: int, lines: Sequence[str]) -> str:
    indentation = code.text.indentation(at)
    return "".join(indentation + line.replace("\t", code.text.unit) + "\n" for line in lines)


def _start(statement: tree.Stmt) -> int:
    """Where a statement starts, its decorators included."""
    if isinstance(statement, tree.FunctionDef | tree.ClassDef) and statement.decorators:
        return statement.decorators[0].start - 1
    return statement.start


def _imports(statement: tree.Stmt) -> bool:
    """Whether a statement of a module imports something, be it on a condition."""
    if isinstance(statement, tree.If | tree.Try):
        return any(map(_imports, statement.body))
    return isinstance(statement, tree.Import | tree.ImportFrom)


def _is_docstring(statement: tree.Stmt) -> bool:
    return isinstance(statement, tree.ExprStmt) and isinstance(statement.value, tree.Const) and statement.value.kind == "str"
