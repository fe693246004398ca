"""Every call of the standard library that the catalogue says blocks or computes is seen to do so, and its conditions to matter."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import asyncvet.catalogue
from asyncvet.catalogue import Api
from asyncvet.catalogue.reader import read_catalogue
from verification.cases import Subject
from verification.observing import isolated
from verification.standard_library.registry import CASES, furnish

for _path in sorted(Path(__file__).with_name("standard_library").glob("*.py")):
    importlib.import_module(f"verification.standard_library.{_path.stem}")

# The first version with the name, or without it.
ADDED = {
    "compression.zstd": (3, 14),
    "dbm.sqlite3": (3, 13),
    "pathlib.Path.copy": (3, 14),
    "pathlib.Path.copy_into": (3, 14),
    "pathlib.Path.move": (3, 14),
    "pathlib.Path.move_into": (3, 14),
    "pathlib.Path.walk": (3, 12),
}
REMOVED = {"asyncore": (3, 12), "crypt": (3, 13), "nntplib": (3, 13), "telnetlib": (3, 13)}

# Modules that a build of the interpreter may lack, and names that a platform may.
OPTIONAL = ("bz2", "dbm.gnu", "dbm.ndbm", "dbm.sqlite3", "lzma", "sqlite3", "compression.zstd")


def entries() -> Iterator[Api]:
    """The catalogue's entries of the standard library."""
    for path in sorted(Path(asyncvet.catalogue.__file__).with_name("data").glob("*.toml")):
        if (file := read_catalogue(path)).distribution == "python":
            yield from file.api


def why_lacking(name: str) -> str:
    """Why this interpreter has no such name; empty if it has to have it."""
    for table, is_there in ((ADDED, sys.version_info.__ge__), (REMOVED, sys.version_info.__lt__)):
        for known, version in table.items():
            if f"{name}.".startswith(f"{known}.") and not is_there(version):
                return f"{known} is not in Python {sys.version_info[0]}.{sys.version_info[1]}"
    for module in OPTIONAL:
        if f"{name}.".startswith(f"{module}."):
            try:
                importlib.import_module(module)
            except ImportError:
                return f"{module} is not in this build of Python"
    return ""


@pytest.mark.parametrize("subject", sorted(CASES.by_subject), ids=str)
def test_it_is_so(subject: Subject, directory: Path) -> None:
    """The call is observed, in a process of its own."""
    if reason := why_lacking(subject.name):
        pytest.skip(reason)
    furnish(directory)
    isolated(partial(CASES.by_subject[subject], directory))


def test_every_name_condition_and_bound_has_a_case() -> None:
    """What a new entry states needs a case here."""
    assert CASES.missing(entries()) == []


def test_every_case_is_of_the_catalogue() -> None:
    """A case whose subject has gone goes too."""
    assert CASES.unfounded(entries()) == []
