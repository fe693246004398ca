"""A look at a project, as far as its configuration depends on it."""

from __future__ import annotations

import configparser
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import msgspec

from asyncvet.config import Settings, parse_toml
from asyncvet.engine import environment
from asyncvet.engine.cache import FactsCache
from asyncvet.engine.collector import uncollected
from asyncvet.engine.discovery import Discovery
from asyncvet.engine.inputs import gather
from asyncvet.engine.reading import Reading, read
from asyncvet.facts import tree
from asyncvet.facts.tree import ModuleFacts
from asyncvet.graph.walk import nodes

FRAMEWORKS = {
    "fastapi": "FastAPI",
    "starlette": "Starlette",
    "litestar": "Litestar",
    "aiohttp.web": "aiohttp",
    "django": "Django",
    "celery": "Celery",
    "arq": "arq",
}
"""What asyncvet knows entry points of, by module."""

_MIGRATIONS = ("migrations", "alembic")
"""Names of folders with code that tools of databases write and run."""

_VENDORED = ("vendor", "vendored", "_vendor", "third_party")
"""Names of folders with code of other people."""

_ASIDE = ("scripts", "tools", "examples", "benchmarks", "docs")
"""Names of folders at the top whose code serves no requests."""

_BLOCKING = re.compile(r"^\s*([A-Za-z_][\w.]*)\s*->\s*(.+?)\s*$")


class Survey(msgspec.Struct, frozen=True):
    """What a project looks like.

    Attributes:
        files: Number of files that a review would read, and of their lines.
        roots: Folders from which modules are imported.
        frameworks: Names of those that are used.
        tests: Number of test files.
        migrations: Folders with migrations of databases.
        vendored: Folders with code of other people.
        aside: Folders whose code serves no requests.
        excluded: What ruff is told to leave out.
        members: Folders with a `pyproject.toml` of their own.
        environment: The virtual environment, if there is one.
        is_found: It is one that a review finds by itself.
        linters: Linters of asynchronous code that are configured.
        blocking: Functions that flake8-async is told to block, with what to use instead.
    """

    files: int
    lines: int
    roots: tuple[str, ...]
    frameworks: tuple[str, ...]
    tests: int
    migrations: tuple[str, ...]
    vendored: tuple[str, ...]
    aside: tuple[str, ...]
    excluded: tuple[str, ...]
    members: tuple[str, ...]
    environment: str
    is_found: bool
    linters: tuple[str, ...]
    blocking: tuple[tuple[str, str], ...]


def survey(folder: Path) -> Survey:
    """Look at the project in a folder.

    Raises:
        UsageError: There is no Python in it, or a configuration of it cannot be read.
    """
    with uncollected():
        inputs = gather([folder], Settings(), folder)
        discovery = inputs.discovery
        reading = read(discovery, 0, lambda files: None, FactsCache(inputs.contents))  # noqa: ARG005
        inputs.contents.close()
        frameworks = _frameworks(reading.modules)
    table = _pyproject(folder)
    flake8 = _flake8(folder)
    found, is_found = _environment(folder)
    return Survey(
        len(discovery.files),
        sum(facts.lines for facts in reading.modules.values()),
        _roots(discovery),
        frameworks,
        sum(file.is_test for file in discovery.files),
        tuple(_folders(reading, _MIGRATIONS)),
        tuple(_folders(reading, _VENDORED)),
        tuple(folder for folder in _folders(reading, _ASIDE) if folder.count("/") == 1),
        tuple(_ruff_excludes(table)),
        tuple(_members(folder, discovery)),
        found,
        is_found,
        tuple(_linters(table, flake8)),
        tuple(_blocking(flake8)),
    )


def _roots(discovery: Discovery) -> tuple[str, ...]:
    """The folders that hold the outermost packages and modules, those with most files first."""
    packages = {PurePosixPath(file.path).parent for file in discovery.files if file.path.endswith("__init__.py")}
    counts: Counter[str] = Counter()
    for file in discovery.files:
        folders = PurePosixPath(file.path).parents
        outermost = next((folder for folder in reversed(folders) if folder in packages), None)
        counts[str(folders[0] if outermost is None else outermost.parent)] += 1
    return tuple(sorted(filter(str.isprintable, counts), key=lambda root: (-counts[root], root)))


def _frameworks(modules: Mapping[str, ModuleFacts]) -> tuple[str, ...]:
    imported = {name for facts in modules.values() for name in _imports(facts)}
    return tuple(
        title for module, title in FRAMEWORKS.items() if any(name == module or name.startswith(f"{module}.") for name in imported)
    )


def _imports(facts: ModuleFacts) -> Iterator[str]:
    for node in nodes(facts.body):
        if isinstance(node, tree.Import):
            yield from (name for name, _ in node.names)
        elif isinstance(node, tree.ImportFrom) and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{name}" for name, _ in node.names)


def _folders(reading: Reading, names: tuple[str, ...]) -> Iterator[str]:
    """The outermost folders of these names with Python in them."""
    found: set[str] = set()
    for path in reading.modules:
        folders = PurePosixPath(path).parts[:-1]
        index = next((index for index, name in enumerate(folders) if name in names), None)
        if index is not None and path.isprintable():
            found.add("/".join(folders[: index + 1]) + "/")
    yield from sorted(found)


def _members(folder: Path, discovery: Discovery) -> Iterator[str]:
    folders = {parent for file in discovery.files for parent in PurePosixPath(file.path).parents}
    for inner in sorted(folders, key=str):
        if str(inner) != "." and str(inner).isprintable() and (folder / inner / "pyproject.toml").is_file():
            yield f"{inner}/"


def _environment(folder: Path) -> tuple[str, bool]:
    """The virtual environment of the project, relative to its folder, and whether a review finds it by itself."""
    known = environment.find(None, folder.absolute())
    if known is not None:
        return "", True
    inside = sorted(path.parent for path in folder.glob("*/pyvenv.cfg"))
    usable = (path.name for path in inside if path.name.isprintable() and next(path.glob("[Ll]ib*/**/site-packages"), None))
    return next(usable, ""), False


def _pyproject(folder: Path) -> dict[str, object]:
    file = folder / "pyproject.toml"
    tool = parse_toml(file).get("tool") if file.is_file() else None
    return tool if isinstance(tool, dict) else {}


def _flake8(folder: Path) -> Mapping[str, str]:
    """The options of flake8, from the first of its files that has any."""
    for name in ("setup.cfg", "tox.ini", ".flake8"):
        parser = configparser.RawConfigParser()
        try:
            parser.read_string((folder / name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, configparser.Error):  # absent, or for flake8 to complain of
            continue
        if parser.has_section("flake8"):
            return dict(parser["flake8"])
    return {}


def _ruff_excludes(tool: Mapping[str, object]) -> Iterator[str]:
    ruff = tool.get("ruff")
    for key in ("exclude", "extend-exclude"):
        patterns = ruff.get(key) if isinstance(ruff, dict) else None
        yield from (
            (pattern for pattern in patterns or () if isinstance(pattern, str) and pattern.isprintable())
            if isinstance(patterns, list)
            else ()
        )


def _linters(tool: Mapping[str, object], flake8: Mapping[str, str]) -> Iterator[str]:
    ruff = tool.get("ruff")
    lint = ruff.get("lint", ruff) if isinstance(ruff, dict) else None
    selected = [code for key in ("select", "extend-select") for code in _strings(lint, key)]
    if any(code == "ALL" or code.startswith("ASYNC") for code in selected):
        yield "ruff"
    chosen = " ".join(flake8.get(key, "") for key in ("select", "extend-select", "enable"))
    if "ASYNC" in chosen or any(key.startswith("async") for key in flake8):
        yield "flake8-async"


def _strings(table: object, key: str) -> list[str]:
    values = table.get(key) if isinstance(table, dict) else None
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _blocking(flake8: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for line in re.split(r"[,\n]", flake8.get("async200-blocking-calls", flake8.get("async200_blocking_calls", ""))):
        if match := _BLOCKING.match(line):
            yield match[1], match[2]
