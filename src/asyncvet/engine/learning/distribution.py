"""An installed distribution: its files, its version, and which of its modules are compiled."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import PathDistribution
from pathlib import Path

from asyncvet.config import UsageError
from asyncvet.facts import extract
from asyncvet.facts.tree import ModuleFacts

_TESTS = frozenset({"test", "tests", "testing", "_testing", "conftest", "examples", "benchmarks"})
_COMPILED = re.compile(r"(\.[\w-]+)?\.(so|pyd)$")


@dataclass(frozen=True, slots=True)
class Distribution:
    """What is installed under a name.

    Attributes:
        modules: Facts of its Python files, by path below the environment's folder. A namespace has an empty ``__init__.py`` here.
        packages: The dotted packages and modules that it holds; inside a namespace, those below it.
        compiled: Dotted names of its modules that are not written in Python.
    """

    name: str
    version: str
    modules: dict[str, ModuleFacts]
    packages: tuple[str, ...]
    compiled: tuple[str, ...]


def find_distribution(name: str, folder: Path) -> Distribution:
    """The distribution of a name among the packages in a folder.

    Raises:
        UsageError: It is not installed there, or its list of files cannot be read.
    """
    info = _dist_info(name, folder)
    try:
        record = (info / "RECORD").read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{info.name}: its list of files cannot be read: {error.strerror}") from error
    paths = [path for path in sorted(line.split(",")[0] for line in record.splitlines()) if not path.startswith("..")]
    files = [path for path in paths if path.endswith(".py") and _is_of_interest(path.removesuffix(".py").split("/"))]
    modules = {path: extract((folder / path).read_bytes()) for path in files if (folder / path).is_file()}
    compiled = sorted({_COMPILED.sub("", path).replace("/", ".") for path in paths if _is_extension(path)})
    packages = tuple(sorted({_package(path, modules.keys()) for path in modules}))
    for path in list(modules):
        for above in Path(path).parents[:-1]:
            modules.setdefault(f"{above.as_posix()}/__init__.py", extract(b""))
    title, version = info.name.removesuffix(".dist-info").rsplit("-", 1)
    return Distribution(PathDistribution(info).metadata["Name"] or title, version, modules, packages, tuple(compiled))


def _is_of_interest(parts: list[str]) -> bool:
    """Whether a module can be imported by its name and is no test."""
    return _TESTS.isdisjoint(parts) and all(map(str.isidentifier, parts))


def _package(path: str, paths: Collection[str]) -> str:
    """The outermost package that holds a file, namespaces left aside; the module itself if it is in none."""
    parts = path.removesuffix(".py").split("/")
    depth = next((n for n in range(1, len(parts)) if "/".join([*parts[:n], "__init__.py"]) in paths), len(parts))
    return ".".join(parts[:depth])


def _is_extension(path: str) -> bool:
    """Whether a file is a compiled module, not a library that one links to."""
    return bool(_COMPILED.search(path)) and ".libs/" not in path


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
