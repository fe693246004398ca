"""Derive the summaries that ship with asyncvet from the source of the distributions that `derived.txt` pins.

`make derive` runs this: it downloads the pinned versions, writes `src/asyncvet/catalogue/derived/` and the page that compares the
summaries with what people stated. The same pins give the same bytes. A file starts from what was stated and from the files of the
distributions that it depends on, so these come first.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PathDistribution
from pathlib import Path

from asyncvet.catalogue import Catalogue
from asyncvet.catalogue.lookup import INDEX
from asyncvet.catalogue.reader import read_catalogue
from asyncvet.catalogue.schema import Api, CatalogueFile
from asyncvet.engine.learning import derive, find_distribution, toml

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "scripts" / "derived.txt"
FOLDER = ROOT / "src" / "asyncvet" / "catalogue" / "derived"
STATED = FOLDER.with_name("data")
PAGE = ROOT / "docs" / "reference" / "derived-summaries.md"
PACKAGES = ROOT / "build" / "derive" / "site-packages"

# One platform, whatever machine this runs on: wheels differ in their compiled modules.
_PIP = [
    *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:"),
    *("--python-version", "3.12", "--implementation", "cp"),
    *("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_17_x86_64", "--platform", "manylinux2014_x86_64"),
    *("--platform", "manylinux1_x86_64"),
]
_SHOWN = 4
"""So many compiled modules of a distribution are named on the page."""
_WORD = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Comparison:
    """How what is derived of one library compares with what people stated of it.

    Attributes:
        blocking: Names that are derived to block.
        same: Those of them that are stated to block.
        new: Those of them of which nothing is stated.
        contrary: Those of them that are stated not to block.
        silent: Names that are stated to block and of which nothing is derived.
    """

    blocking: tuple[str, ...]
    same: tuple[str, ...]
    new: tuple[str, ...]
    contrary: tuple[str, ...]
    silent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One derived file, as the page shows it; `callables` is the number of public functions, classes and methods looked at."""

    name: str
    file: CatalogueFile
    callables: int
    compared: Comparison


def compare(file: CatalogueFile, packages: Iterable[str], stated: Catalogue, names: Iterable[str]) -> Comparison:
    """Compare a derived file with what is stated; `names` are all that are stated to block."""
    blocking = tuple(sorted(name for api in file.api if api.effect == "blocks" for name in api.names if not name.endswith(".*")))
    said = {name: stated.api(name) for name in blocking}
    same = tuple(name for name in blocking if any(map(is_blocking, said[name])))
    derived = {stated.canonical(name) for name in blocking}
    stars = {name for api in file.api if api.effect == "blocks" for name in api.names if name.endswith(".*")}
    own = [name for name in names if any(name.startswith(f"{package}.") for package in packages)]
    return Comparison(
        blocking,
        same,
        tuple(name for name in blocking if not said[name]),
        tuple(name for name in blocking if said[name] and name not in same),
        tuple(name for name in own if name not in derived and f"{name.rpartition('.')[0]}.*" not in stars),
    )


def is_blocking(api: Api) -> bool:
    """Whether an entry says that the caller's thread waits or computes."""
    return not api.is_async and api.effect in ("blocks", "cpu-bound")


@functools.cache
def stated_blocking() -> tuple[str, ...]:
    """All names that are stated to block, but for those of whole classes."""
    files = [read_catalogue(path) for path in sorted(STATED.glob("*.toml"))]
    names = {name for file in files for api in file.api if is_blocking(api) for name in api.names}
    return tuple(sorted(name for name in names if not name.endswith(".*")))


def ordered(names: list[str]) -> list[str]:
    """The distributions, each behind those that it depends on."""
    by_name = {normal(name): name for name in names}
    done: dict[str, None] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in done or name in above:
            return
        for needed in _needed(name):
            if needed in by_name:
                visit(needed, (*above, name))
        done[name] = None

    for name in sorted(by_name):
        visit(name, ())
    return [by_name[name] for name in done]


def _needed(name: str) -> Iterator[str]:
    for info in sorted(PACKAGES.glob("*.dist-info")):
        if normal(info.name.rsplit("-", 1)[0]) == name:
            for requirement in sorted(PathDistribution(info).requires or ()):
                match = _WORD.match(requirement)
                if match:
                    yield normal(match[0])


def normal(name: str) -> str:
    """The form of a distribution's name in which two that are the same are equal."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    """The pinned distributions with their versions."""
    lines = [line.partition("#")[0].strip() for line in PINS.read_text(encoding="utf-8").splitlines()]
    return dict(line.split("==") for line in lines if line)


def main() -> None:
    """Write the derived files, their index and the page anew."""
    download()
    for old in FOLDER.glob("*.toml"):
        old.unlink()
    rows = [write(name) for name in ordered(list(pins()))]
    PAGE.write_text(page(sorted(rows, key=lambda row: normal(row.name))), encoding="utf-8")


def download() -> None:
    """Put the pinned distributions into a folder of their own: pip adds nothing to a namespace that is there already."""
    shutil.rmtree(PACKAGES, ignore_errors=True)
    PACKAGES.mkdir(parents=True)
    subprocess.run([*_PIP, "--target", str(PACKAGES), "--requirement", str(PINS)], check=True)


def write(name: str) -> Row:
    """Derive one distribution from what is stated and from the files that are there; write its file and the index anew."""
    distribution = find_distribution(name, PACKAGES)
    found = derive(distribution, Catalogue.stated(FOLDER))
    path = FOLDER / f"{normal(name)}.toml"
    path.write_text(toml(distribution, found), encoding="utf-8")
    file = read_catalogue(path)
    spoken = [*(n for api in file.api for n in api.names), *(n for kind in file.type for n in kind.names), *file.alias]
    packages = [p for p in distribution.packages if any(n == p or n.startswith(f"{p}.") for n in spoken)]
    index = FOLDER / INDEX
    known = tomllib.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}
    known |= {path.stem: packages} if packages else {}
    index.write_text(index_text(known), encoding="utf-8")
    compared = compare(file, distribution.packages, Catalogue.stated(), stated_blocking())
    print(f"{name}: {len(compared.blocking)} blocking, {path.stat().st_size} bytes", flush=True)
    return Row(name, file, found.callables, compared)


def index_text(packages: dict[str, list[str]]) -> str:
    """The index: the packages of which each file speaks."""
    quoted = {name: ", ".join(f'"{package}"' for package in packages[name]) for name in sorted(packages)}
    return "".join(f'"{name}" = [{text}]\n' for name, text in quoted.items())


def page(rows: list[Row]) -> str:
    """The page that says what was derived, and how it compares with what was stated."""
    lines = [_HEAD, *map(_row, rows), "", "## What could not be derived", "", _UNDERIVED]
    for row in rows:
        modules = row.file.underivable
        if modules:
            rest = f" and {len(modules) - _SHOWN} more" if len(modules) > _SHOWN else ""
            lines.append(f"| {row.name} | {', '.join(f'`{module}`' for module in modules[:_SHOWN])}{rest} |")
    return "\n".join(lines) + "\n"


def _row(row: Row) -> str:
    found = row.compared
    waiting = sum(len(api.names) for api in row.file.api if api.is_async)
    counts = (row.callables, len(found.blocking), waiting, *map(len, (found.same, found.new, found.contrary, found.silent)))
    return f"| {row.name} | {row.file.version} | {' | '.join(map(str, counts))} |"


_HEAD = """\
# Derived summaries

asyncvet ships, beside the [catalogue](catalogue.md) that people wrote, summaries that it derived from the source of widely used
distributions: which of their public functions and methods surely block, what is a coroutine function, and what types they give. A
derived summary speaks only where the catalogue is silent, and only of calls that surely wait: one in an arm of an `if`, behind an
early return, in an error's handler, or behind an option that is off tells nothing. An environment that `--python` names goes before:
then the source of what is installed there is read instead.

The table compares the two. *Blocking* and *async* count derived names. *Same* are those that the catalogue states as well, *new* those
of which it says nothing; *contrary* ones it states not to block, for reasons that a test lists. *Silent* counts names that the
catalogue states to block and that could not be derived: what is compiled, found by name at run time, or only sometimes waits.

`make derive` writes all this anew.

| distribution | version | callables | blocking | async | same | new | contrary | silent |
|---|---|---|---|---|---|---|---|---|"""

_UNDERIVED = """\
Compiled modules have no source to read. What their calls do is stated by hand in the catalogue, or unknown.

| distribution | compiled modules |
|---|---|"""


if __name__ == "__main__":
    main()
