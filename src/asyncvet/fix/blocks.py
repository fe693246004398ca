"""Lines that fixes add: below a statement, around some, or to a module."""

from __future__ import annotations

from collections.abc import Sequence

from asyncvet.facts import tree
from asyncvet.fix.code import Code
from asyncvet.fix.text import Change


def below(code: Code, statement: tree.Stmt, *lines: str) -> Change:
    """Lines below a statement that stands alone, indented as it is; an indent of their own is written as tabs."""
    start = code.text.next_line(statement.end)
    text = _lines(code, code.text.indentation(statement.start), lines)
    has_end = code.text.utf8[start - 1 : start] == b"\n"
    return Change(start, start, text if has_end else f"\n{text[:-1]}")


def wrapped(code: Code, statements: Sequence[tree.Stmt], head: str, *tail: str) -> tuple[Change, ...] | None:
    """Put statements of a block under a head, with lines behind them; None if they share a line with others."""
    first, last = statements[0], statements[-1]
    start = _start(first)
    if not (code.text.is_first(start) and code.text.is_last(last.end)):
        return None
    line = code.text.line_start(start)
    indentation = code.text.indentation(start)
    changes = [Change(line, line, f"{indentation}{head}\n"), *code.text.indented(start, last.end)]
    if tail:
        end = code.text.next_line(last.end)
        text = _lines(code, indentation, tail)
        has_end = code.text.utf8[end - 1 : end] == b"\n"
        changes.append(Change(end, end, text if has_end else f"\n{text[:-1]}"))
    return tuple(changes)


def declared(code: Code, declaration: str) -> Change | None:
    """A declaration of the module, below its imports; None if there is no line for it."""
    above: tree.Stmt | None = None
    for statement in code.facts.body:
        if isinstance(statement, tree.FunctionDef | tree.ClassDef):
            break
        if _imports(statement) or (above is None and _is_docstring(statement)):
            above = statement
    if above is None:
        return Change(0, 0, f"{declaration}\n\n") if not code.text.utf8.startswith(b"#") else None
    if not code.text.is_last(above.end):
        return None
    end = code.text.next_line(above.end)
    gap = "" if code.text.is_blank(end) else "\n"
    return Change(end, end, f"\n{declaration}\n{gap}")


def _lines(code: Code, indentation: str, lines: Sequence[str]) -> str:
    return "".join(indentation + line.replace("\t", code.text.unit) + "\n" for line in lines)


def _start(statement: tree.Stmt) -> int:
    """Where a statement starts, its decorators included."""
    if isinstance(statement, tree.FunctionDef | tree.ClassDef) and statement.decorators:
        return statement.decorators[0].start - 1
    return statement.start


def _imports(statement: tree.Stmt) -> bool:
    """Whether a statement of a module imports something, be it on a condition."""
    if isinstance(statement, tree.If):
        return any(map(_imports, statement.body))
    if isinstance(statement, tree.Try):
        return any(map(_imports, statement.body))
    return isinstance(statement, tree.Import | tree.ImportFrom)


def _is_docstring(statement: tree.Stmt) -> bool:
    return isinstance(statement, tree.ExprStmt) and isinstance(statement.value, tree.Const) and statement.value.kind == "str"
