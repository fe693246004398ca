"""Derive a catalogue file from the source of an installed distribution: what its public functions do to their caller.

The blocking calls that it finds are those of the standard library and of other distributions that the catalogue knows, as far down
the chain of calls as the source goes. What is written in C, or made at run time, it cannot see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asyncvet.catalogue import Catalogue
from asyncvet.config import UsageError
from asyncvet.engine.environment import Environment
from asyncvet.facts import extract
from asyncvet.facts.tree import ModuleFacts
from asyncvet.graph import Project, link
from asyncvet.graph.reach import Kind, Step
from asyncvet.graph.scopes import Class, Function, Module

_KINDS: tuple[Kind, ...] = ("blocks", "cpu", "metadata")
_SPECIAL = frozenset({"__init__", "__enter__", "__exit__", "__iter__", "__next__", "__call__"})


@dataclass(frozen=True, slots=True)
class Learned:
    """One public callable.

    Attributes:
        name: The shortest dotted path under which it can be imported.
        way: From its body to the call that blocks or computes; empty for a coroutine function.
    """

    name: str
    is_async: bool
    way: tuple[Step, ...]


def learn(distribution: str, environment: Environment) -> str:
    """A catalogue file, as TOML, for a distribution that is installed in an environment.

    Raises:
        UsageError: It is not installed there, or has no Python source.
    """
    info = _dist_info(distribution, environment.folder)
    modules = _modules(info, environment.folder)
    if not modules:
        raise UsageError(f"{distribution}: the distribution has no Python source to learn from")
    name, version = info.name.removesuffix(".dist-info").rsplit("-", 1)
    return _toml(name, version, list(_learned(link(modules, Catalogue.bundled()))))


def _dist_info(distribution: str, folder: Path) -> Path:
    wanted = _normal(distribution)
    for info in sorted(folder.glob("*.dist-info")):
        if _normal(info.name.removesuffix(".dist-info").rsplit("-", 1)[0]) == wanted:
            return info
    raise UsageError(
        f"{distribution}: there is no such distribution in {folder}; install it there or name another environment by --python"
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _modules(info: Path, folder: Path) -> dict[str, ModuleFacts]:
    """Facts of the distribution's files, by path below the environment's folder."""
    try:
        record = (info / "RECORD").read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{info.name}: its list of files cannot be read: {error.strerror}") from error
    paths = sorted(line.split(",")[0] for line in record.splitlines())
    files = [path for path in paths if path.endswith(".py") and not path.startswith("..") and "/tests/" not in path]
    return {path: extract((folder / path).read_bytes()) for path in files if (folder / path).is_file()}


def _learned(project: Project) -> Iterator[Learned]:
    for name, owner in sorted(_public(project).items()):
        if isinstance(owner, Function):
            yield from _of_function(name, owner, project)
            continue
        for method in (methods[-1] for methods in owner.methods.values()):
            if not method.name.startswith("_") or method.name in _SPECIAL:
                yield from _of_function(name if method.name == "__init__" else f"{name}.{method.name}", method, project)


def _public(project: Project) -> dict[str, Function | Class]:
    """The distribution's functions and classes by the shortest path under which they can be imported."""
    shortest: dict[Function | Class, str] = {}
    for module in project.modules.values():
        if any(part.startswith("_") for part in module.qualname.split(".")):
            continue
        for name, value in _exports(module, project):
            path = f"{module.qualname}.{name}"
            if value not in shortest or (path.count("."), path) < (shortest[value].count("."), shortest[value]):
                shortest[value] = path
    return {path: value for value, path in shortest.items()}


def _exports(module: Module, project: Project) -> Iterator[tuple[str, Function | Class]]:
    names = [name for name in module.bindings if not name.startswith("_")]
    for name in names:
        for value in project.inference.names.member(module, name):
            if isinstance(value, Function | Class) and value.module.path in project.modules:
                yield name, value


def _of_function(name: str, function: Function, project: Project) -> Iterator[Learned]:
    if function.is_async:
        yield Learned(name, True, ())
        return
    for kind in _KINDS:
        ways = list(project.reach.ways(function, kind))
        if ways:
            best = min(ways, key=_rank)
            yield Learned(name, False, tuple(best))
            return


def _rank(way: list[Step]) -> tuple[bool, int]:
    """What waits for others is worth more than what waits for the disk, and a short way more than a long one."""
    end = way[-1].api
    return end is not None and end.api.stall != "unbounded", len(way)


def _toml(distribution: str, version: str, learned: list[Learned]) -> str:
    lines = [f'distribution = "{distribution}"', f'version = "{version}"']
    waiting = [entry.name for entry in learned if entry.is_async]
    if waiting:
        lines += ["", "[[api]]", _names(waiting), "is_async = true"]
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for entry in learned:
        end = entry.way[-1].api if entry.way else None
        if end is not None:
            key = (end.api.effect, end.api.category or "", end.api.stall, end.name)
            groups.setdefault(key, []).append(entry.name)
    for (effect, category, stall, sink), names in sorted(groups.items()):
        why = f"reaches {sink}"
        lines += [
            "",
            "[[api]]",
            _names(names),
            f'effect = "{effect}"',
            f'category = "{category}"',
            f'stall = "{stall}"',
            f'why = "{why}"',
        ]
    return "\n".join(lines) + "\n"


def _names(names: list[str]) -> str:
    return "names = [" + ", ".join(f'"{name}"' for name in names) + "]"
