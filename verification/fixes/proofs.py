"""What must hold of edited files, looked at from outside: by the interpreter's own parser, by ruff, and by reviewing again."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from asyncvet.model import Finding
from asyncvet.report.fixes import Fixing, Rewritten

PROOFS = ("compiles", "imports", "ended", "nothing new", "stable", "confined")
"""What is proved of each fix, in the words of the table."""

Kind = tuple[str, str, str]


def kind(finding: Finding) -> Kind:
    """What findings have in common that cannot be told apart once lines have moved: file, function, code."""
    return finding.span.path, finding.function, finding.code


def compiles(data: bytes) -> bool:
    """Whether the interpreter takes it for a module."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, "fixed", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def misplaced_imports(folder: Path, paths: Iterable[str]) -> Counter[str]:
    """How many blocks of imports ruff would order otherwise, by path, with its defaults."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "I", "--output-format", "json", "--no-cache"]
    done = subprocess.run([*command, *paths], cwd=folder, capture_output=True, text=True, check=False)
    return Counter(str(Path(each["filename"]).relative_to(folder.resolve())) for each in json.loads(done.stdout))


def strangers(file: Rewritten, functions: Iterable[str]) -> list[str]:
    """What has changed in a file beside some functions, imports, declarations, and functions that are new.

    A declaration is an assignment of a module or class, or the `__init__` of the class of one of the functions.
    """
    before, after = _units(file.before), _units(file.after)
    changed = [name for name in before.keys() & after.keys() if before[name] != after[name]]
    gone = list(before.keys() - after.keys())
    new = [name for name in after.keys() - before.keys() if name.endswith(">")]
    return sorted(name for name in [*changed, *gone, *new] if not any(_is_of(name, function) for function in functions))


def _is_of(unit: str, function: str) -> bool:
    """Whether a unit holds a function, is the part of the file around it, or the `__init__` of its class."""
    owner, _, word = unit.rpartition(".")
    if word == "__init__" and f".{owner}." in f".{function}.":
        return True
    return f".{unit}." in f".{function}."


def _units(data: bytes) -> dict[str, str]:
    """Functions and methods, by name, and the statements of the module and its classes that declare nothing, as their trees."""
    found: dict[str, str] = {}
    for name, node in _walk(ast.parse(data).body, ""):
        found[name] = found.get(name, "") + ast.dump(node)
    return found


def _walk(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _walk(node.body, f"{prefix}{node.name}.")
        elif not isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign):
            yield f"{prefix}<{type(node).__name__}>", node


def proved(
    before: Counter[Kind], after: Counter[Kind], fixing: Fixing, again: Fixing, misplaced: Counter[str]
) -> Iterator[tuple[str, ...]]:
    """For each fix that was applied, the proofs that it passed.

    Args:
        before: The findings before, counted.
        after: The findings after.
        fixing: What was done.
        again: What a second run would do.
        misplaced: Blocks of imports that are out of order now and were not before, by file.
    """
    files = {file.path: file for file in fixing.files}
    applied = Counter(kind(each.finding) for each in fixing.applied)
    functions: dict[str, set[str]] = {}
    for each in fixing.applied:
        held = {each.finding.function, *(frame.function for frame in each.finding.chain)}
        functions.setdefault(each.finding.span.path, set()).update(held)
    strange = {path: strangers(file, functions.get(path, ())) for path, file in files.items()}
    moved = {file.path for file in again.files}
    new = {(path, function) for (path, function, code), number in after.items() if number > before[path, function, code]}
    for each in fixing.applied:
        path, function, code = kind(each.finding)
        holds = {
            "compiles": path not in files or compiles(files[path].after),
            "imports": misplaced[path] <= 0,
            "ended": after[path, function, code] <= max(0, before[path, function, code] - applied[path, function, code]),
            "nothing new": (path, function) not in new,
            "stable": path not in moved,
            "confined": not strange.get(path),
        }
        yield tuple(name for name in PROOFS if holds[name])
