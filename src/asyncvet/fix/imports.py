"""The imports of a file after an edit: those that it needs put where isort's and ruff's defaults would, those left unused taken away."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, takewhile
from typing import NamedTuple

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Need
from asyncvet.fix.text import LINE_LENGTH, Change
from asyncvet.graph import Project

Statement = tree.Import | tree.ImportFrom

_FUTURE, _STANDARD, _THIRD, _FIRST, _RELATIVE = range(5)


def import_changes(code: Code, changes: Sequence[Change], needs: Iterable[Need]) -> list[Change]:
    """What changes in the imports of a file when other changes are made that need some."""
    unused = _unused(code, changes)
    added = sorted(need for need in set(needs) if not _is_there(code, need, unused))
    into, new = _into_existing(code, added)
    written: dict[Statement, str] = {}
    for statement in [*unused, *(s for s in into if s not in unused)]:
        kept = [pair for pair in statement.names if pair not in unused.get(statement, ())]
        names = _with(kept, into.get(statement, ()))
        written[statement] = _written(code, statement, names) if names else ""
    run = _run(code)
    result = [_elsewhere(code, statement, text) for statement, text in written.items() if statement not in run]
    if run:
        return result + _rewritten(code, run, written, new)
    return result + ([_opening(code, new)] if new else [])


# --- names left unused ------------------------------------------------------------------------------


def _unused(code: Code, changes: Sequence[Change]) -> dict[Statement, list[tuple[str, str | None]]]:
    """The names of imports that only what is replaced has used, by statement."""
    replaced = [change for change in changes if change.start < change.end]
    if code.module.filename.endswith("__init__.py") or not replaced:
        return {}

    def is_replaced(node: tree.Node) -> bool:
        return any(change.start <= node.start and node.end <= change.end for change in replaced)

    candidates = {name for name in code.imported if any(map(is_replaced, code.names.get(name, ())))}
    written = "\n".join(change.text for change in changes)
    candidates = {name for name in candidates if not re.search(rf"(?<![\w.]){re.escape(name)}\b", written)}
    found: dict[Statement, list[tuple[str, str | None]]] = {}
    for statement, home in _removable(code) if candidates else ():
        for pair in statement.names:
            name = _bound(statement, pair)
            if name not in candidates or pair[1] == pair[0]:
                continue
            rest = [node for node in code.names[name] if not is_replaced(node)]
            if not any(home.start <= node.start < home.end for node in rest) and not _is_mentioned(code, name):
                found.setdefault(statement, []).append(pair)
    return found


def _removable(code: Code) -> Iterator[tuple[Statement, tree.Node]]:
    """Imports that can go, with the code in which their names hold: they stand alone, and not alone in a block."""
    whole = tree.Node(0, len(code.text.utf8))
    functions = [node for node in code.nodes if isinstance(node, tree.FunctionDef)]
    for home, body in [(whole, code.facts.body), *((node, node.body) for node in functions)]:
        for statement in body if len(body) > 1 else ():
            if isinstance(statement, Statement) and code.is_alone(statement):
                if not code.text.comments(statement.start, code.text.next_line(statement.end)):
                    yield statement, home


def _is_mentioned(code: Code, name: str) -> bool:
    """Whether a name is in `__all__` or the like, in a statement that is not looked into, or taken by another file."""
    for node in code.nodes:
        if isinstance(node, tree.Const) and node.value == name:
            return True
        if type(node) is tree.Stmt and re.search(rf"\b{name}\b", code.source(node)):
            return True
    return _is_taken_from(code, name)


def _is_taken_from(code: Code, name: str) -> bool:
    """Whether another file imports a name from this one."""
    stem = code.module.name
    return any(
        isinstance(statement, tree.ImportFrom)
        and (statement.module.rpartition(".")[2] == stem or not statement.module)
        and any(imported in (name, "*") for imported, _ in statement.names)
        for module in code.project.modules.values()
        if module is not code.module
        for statement in module.facts.body
    )


def _bound(statement: Statement, pair: tuple[str, str | None]) -> str:
    name, alias = pair
    return alias or (name.partition(".")[0] if isinstance(statement, tree.Import) else name)


# --- names needed -----------------------------------------------------------------------------------


def _is_there(code: Code, need: Need, unused: dict[Statement, list[tuple[str, str | None]]]) -> bool:
    """Whether a top-level import gives what is needed already."""
    return any(
        (isinstance(s, tree.Import) and need.name is None and (need.module, None) in s.names)
        or (isinstance(s, tree.ImportFrom) and s.level == 0 and s.module == need.module and (need.name, None) in s.names)
        for s in code.facts.body
        if s not in unused
    )


def _into_existing(code: Code, added: Iterable[Need]) -> tuple[dict[Statement, list[str]], list[Need]]:
    """The names that go into a `from` import that is there, and the needs that want a statement of their own."""
    into: defaultdict[Statement, list[str]] = defaultdict(list)
    new = []
    for need in added:
        found = next((s for s in _run(code) if isinstance(s, tree.ImportFrom) and _can_take(code, s, need)), None)
        if found is not None and need.name is not None:
            into[found].append(need.name)
        else:
            new.append(need)
    return into, new


def _can_take(code: Code, statement: tree.ImportFrom, need: Need) -> bool:
    is_same = need.name is not None and statement.level == 0 and statement.module == need.module
    return is_same and all(name != "*" for name, _ in statement.names) and not code.text.comments(statement.start, statement.end)


def _with(kept: Sequence[tuple[str, str | None]], names: Iterable[str]) -> list[tuple[str, str | None]]:
    """Names with others put in where they sort: constants, classes, functions."""
    result = list(kept)
    for name in names:
        index = next((i for i, (other, _) in enumerate(result) if _member_key(other) > _member_key(name)), len(result))
        result.insert(index, (name, None))
    return result


def _member_key(name: str) -> tuple[int, str, str]:
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name.lower(), name


def _written(code: Code, statement: Statement, names: Sequence[tuple[str, str | None]]) -> str:
    shown = [f"{name} as {alias}" if alias else name for name, alias in names]
    if isinstance(statement, tree.Import):
        return f"import {', '.join(shown)}"
    head = f"from {'.' * statement.level}{statement.module} import "
    indentation = code.text.indentation(statement.start)
    line = f"{head}{', '.join(shown)}"
    was_long = "\n" in code.source(statement)
    if (len(indentation) + len(line) <= LINE_LENGTH and not was_long) or len(shown) == 1:
        return line
    lines = "".join(f"{indentation}{code.text.unit}{each},\n" for each in shown)
    return f"{head}(\n{lines}{indentation})"


# --- places -----------------------------------------------------------------------------------------


def _run(code: Code) -> list[Statement]:
    """The first imports of a file that stand together."""
    body = code.facts.body
    first = next((i for i, s in enumerate(body) if isinstance(s, Statement)), len(body))
    if any(isinstance(s, tree.FunctionDef | tree.ClassDef) for s in body[:first]):
        return []
    run = [s for s in takewhile(lambda s: isinstance(s, Statement), body[first:]) if isinstance(s, Statement)]
    return [s for s in run if code.text.is_first(s.start)]


def _section(code: Code, level: int, module: str) -> int:
    root = module.partition(".")[0]
    if level:
        return _RELATIVE
    if root == "__future__":
        return _FUTURE
    if root in sys.stdlib_module_names:
        return _STANDARD
    return _FIRST if root in code.ask(_own_packages) else _THIRD


def _own_packages(project: Project) -> frozenset[str]:
    return frozenset(module.qualname.partition(".")[0] for module in project.modules.values())


def _key(code: Code, statement: Statement) -> tuple[int, bool, str, str]:
    if isinstance(statement, tree.Import):
        return _order(code, 0, statement.names[0][0] if statement.names else "", False)
    return _order(code, statement.level, statement.module, True)


def _order(code: Code, level: int, module: str, is_from: bool) -> tuple[int, bool, str, str]:
    return _section(code, level, module), is_from, module.lower(), module


class _Entry(NamedTuple):
    """An import among those that stand together: the blank lines above it, its comments and text, and where it sorts."""

    blank: str
    text: str
    key: tuple[int, bool, str, str]
    statement: Statement | None


def _rewritten(code: Code, run: Sequence[Statement], written: dict[Statement, str], new: Sequence[Need]) -> list[Change]:
    """The imports that stand together with some of them written anew or taken away, and new ones where they sort."""
    before = _entries(code, run, {})
    after = _spaced(before, _sorted_in(code, _entries(code, run, written), new))
    old, fresh = ([f"{entry.blank}{entry.text}" for entry in entries] for entries in (before, after))
    if old == fresh:
        return []
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, fresh, strict=False)))
    tail = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old[head:][::-1], fresh[head:][::-1], strict=False)))
    start = code.text.next_line(run[head - 1].end) if head else code.text.line_start(run[0].start)
    end = code.text.next_line(run[len(old) - tail - 1].end) if len(old) - tail > head else start
    if not fresh and (start == 0 or code.text.is_blank(start - 1)):
        end = code.text.below_blank_lines(end)
    return [Change(start, end, "".join(fresh[head : len(fresh) - tail]))]


def _entries(code: Code, run: Sequence[Statement], written: dict[Statement, str]) -> list[_Entry]:
    entries = []
    done = code.text.line_start(run[0].start)
    for statement in run:
        line = code.text.line_start(statement.start)
        end = code.text.next_line(statement.end)
        above = code.text.between(done, line)
        blank = above[: len(above) - len(above.lstrip())]
        text = written.get(statement, code.source(statement))
        if text:
            rest = code.text.between(statement.end, end)
            entries.append(_Entry(blank, f"{above[len(blank) :]}{text}{rest}", _key(code, statement), statement))
        done = end
    return entries


def _sorted_in(code: Code, entries: list[_Entry], new: Sequence[Need]) -> list[_Entry]:
    names: defaultdict[tuple[str, bool], list[str]] = defaultdict(list)
    for need in new:
        names[need.module, need.name is not None] += [need.name] if need.name else []
    for (module, is_from), taken in names.items():
        text = f"from {module} import {', '.join(sorted(taken, key=_member_key))}" if is_from else f"import {module}"
        entry = _Entry("", f"{text}\n", _order(code, 0, module, is_from), None)
        same = [i for i, other in enumerate(entries) if other.key[0] == entry.key[0]]
        later = (i for i in same or range(len(entries)) if entries[i].key > entry.key)
        entries.insert(next(later, same[-1] + 1 if same else len(entries)), entry)
    return entries


def _spaced(before: Sequence[_Entry], entries: list[_Entry]) -> list[_Entry]:
    """Entries with the blank lines that stood between them, and one between sections that are neighbours now."""
    neighbours = {(one.statement, other.statement) for one, other in pairwise(before)}
    spaced = [entry._replace(blank="") for entry in entries[:1]]
    for one, other in pairwise(entries):
        if (one.statement, other.statement) in neighbours:
            spaced.append(other)
        else:
            spaced.append(other._replace(blank="" if one.key[0] == other.key[0] else "\n"))
    return spaced


def _elsewhere(code: Code, statement: Statement, text: str) -> Change:
    """An import that stands alone, written anew; with its line, and the blank one below, if nothing is left of it."""
    if text:
        return Change(statement.start, statement.end, text)
    start, end = code.text.line_start(statement.start), code.text.next_line(statement.end)
    is_below_blank = start == 0 or code.text.is_blank(start - 1)
    return Change(start, code.text.below_blank_lines(end) if is_below_blank else end, "")


def _opening(code: Code, new: Sequence[Need]) -> Change:
    """The first imports of a file: behind its docstring, or before its first statement."""
    text = "".join(entry.text for entry in _spaced([], _sorted_in(code, [], new)))
    body = code.facts.body
    first = body[0] if body else None
    if isinstance(first, tree.ExprStmt) and isinstance(first.value, tree.Const) and first.value.kind == "str":
        place = code.text.next_line(first.end)
        return Change(place, place, f"\n{text}" + ("" if code.text.is_blank(place) else "\n"))
    start = _top(first) if first is not None else len(code.text.utf8)
    is_block = isinstance(first, tree.FunctionDef | tree.ClassDef)
    return Change(start, start, text + ("\n\n" if is_block else "\n"))


def _top(statement: tree.Stmt) -> int:
    """Where a statement starts, with its decorators."""
    decorators = statement.decorators if isinstance(statement, tree.FunctionDef | tree.ClassDef) else []
    return decorators[0].start - 1 if decorators else statement.start
