"""Every name that the catalogue has for the standard library is there in the interpreter that runs the tests."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import multiprocessing
import os
import select
import sys
import threading
import types
import warnings
from pathlib import Path

import pytest

from asyncvet.catalogue import Api, TypeRef, parse_type
from asyncvet.catalogue.reader import PROTOCOLS, read_catalogue

DATA = Path(importlib.import_module("asyncvet.catalogue").__file__ or "").with_name("data")
FILES = [file for path in sorted(DATA.glob("python*.toml")) if (file := read_catalogue(path)).distribution == "python"]

# The first version without the name, or without the module that begins it.
REMOVED = {"asyncore": (3, 12), "crypt": (3, 13), "nntplib": (3, 13), "telnetlib": (3, 13), "importlib.abc.Traversable": (3, 14)}

# The first version with it.
ADDED = {
    "compression": (3, 14),
    "concurrent.futures.InterpreterPoolExecutor": (3, 14),
    "concurrent.futures.interpreter": (3, 14),
    "dbm.sqlite3": (3, 13),
    "pathlib.Path.copy": (3, 14),
    "pathlib.Path.copy_into": (3, 14),
    "pathlib.Path.from_uri": (3, 13),
    "pathlib.Path.move": (3, 14),
    "pathlib.Path.move_into": (3, 14),
    "pathlib.Path.walk": (3, 12),
    "pathlib.PurePath.with_segments": (3, 12),
}

# Modules that a build of the interpreter may lack.
OPTIONAL = ("dbm.gnu", "dbm.ndbm", "lzma", "bz2", "sqlite3", "dbm.sqlite3", "compression.zstd")


def open_directory() -> object:
    """What `os.scandir` gives."""
    with os.scandir() as directory:
        return directory


# Where the attributes of a name are not on it: its class has no public name, or sets them on the instance.
MADE_BY: dict[str, object] = {
    "asyncio.Condition": asyncio.Condition(),
    "concurrent.futures.Executor.map": types.GeneratorType,
    "multiprocessing.context.BaseContext": multiprocessing.get_context(),
    "multiprocessing.synchronize.Condition": multiprocessing.Condition(),
    "multiprocessing.synchronize.Lock": multiprocessing.Lock(),
    "multiprocessing.synchronize.RLock": multiprocessing.RLock(),
    "multiprocessing.synchronize.Semaphore": multiprocessing.Semaphore(),
    "os.scandir": open_directory(),
    "select.poll": select.poll(),
    "threading.Condition": threading.Condition(),
    "threading.Lock": threading.Lock(),
    "threading.RLock": threading.RLock(),
}


def every_name() -> list[str]:
    """The names of entries, types, aliases and bases, and those inside types' notation."""
    names: set[str] = set()
    for file in FILES:
        names.update(file.alias, file.alias.values())
        for api in file.api:
            names.update(name.removesuffix(".*") for name in api.names)
            names.update(named_in(api.returns))
        for kind in file.type:
            names.update(kind.names, kind.bases, *(named_in(notation) for notation in kind.attributes.values()))
            names.update(*(named_in(getattr(kind, protocol)) for protocol in PROTOCOLS))
    return sorted(names)


def named_in(notation: str) -> list[str]:
    """The classes that a notation names."""

    def walk(ref: TypeRef) -> list[str]:
        return [ref.name] * (ref.kind == "class") + [name for item in ref.items for name in walk(item)]

    return walk(parse_type(notation)) if notation else []


def begins(name: str, beginnings: object) -> str | None:
    """The longest of `beginnings` that is `name` or a package, module or class above it."""
    assert isinstance(beginnings, (dict, tuple))
    return max((known for known in beginnings if f"{name}.".startswith(f"{known}.")), key=len, default=None)


def resolve(name: str) -> object:
    """What the dotted name stands for."""
    if (maker := begins(name, MADE_BY)) is not None and name != maker:
        return getattr(MADE_BY[maker], name.removeprefix(f"{maker}."))
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise  # the module is there, and lacks one that it needs
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("name", every_name())
def test_name_resolves(name: str) -> None:
    added, removed, optional = begins(name, ADDED), begins(name, REMOVED), begins(name, OPTIONAL)
    version = sys.version_info[:2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if (added and version < ADDED[added]) or (removed and version >= REMOVED[removed]):
            with pytest.raises((AttributeError, ModuleNotFoundError)):
                resolve(name)
            return
        try:
            resolve(name)
        except ImportError:
            if optional is None:
                raise
            pytest.skip(f"{optional} is not in this build")


def spoken_parameters(api: Api) -> list[tuple[str | None, int | None]]:
    """Name and position of every parameter that an entry speaks of."""
    written = [api.argument, api.bound] + [(c.argument, c.position) for c in (*api.unless, *api.only_if) if c.of == "call"]
    names = [next((part for part in parts if isinstance(part, str)), None) for parts in written]
    positions = [next((part for part in parts if isinstance(part, int) and part >= 0), None) for parts in written]
    return list(zip(names, positions, strict=True))


def misplaced(api: Api, name: str) -> list[str]:
    """What an entry says of parameters and the function's signature denies."""
    try:
        parameters = inspect.signature(resolve(name)).parameters.values()  # type: ignore[arg-type]
    except (ImportError, AttributeError, ValueError):
        return []  # not here, or written in C with no signature
    given = [parameter for parameter in parameters if parameter.name not in ("self", "cls")]
    placed = [parameter.name for parameter in given if parameter.kind <= parameter.POSITIONAL_OR_KEYWORD]
    named = {parameter.name for parameter in given} if all(p.kind is not p.VAR_KEYWORD for p in given) else None
    faults = []
    for argument, position in spoken_parameters(api):
        if argument is not None and named is not None and argument not in named:
            faults.append(f"{name} has no {argument}")
        elif argument is not None and position is not None and placed[position : position + 1] != [argument]:
            faults.append(f"{argument} of {name} is not at {position}")
    return faults


def test_parameters_stand_where_entries_say() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        faults = [fault for file in FILES for api in file.api for name in api.names for fault in misplaced(api, name)]
    assert faults == []


def test_every_stall_of_the_standard_library_says_why() -> None:
    silent = [api.names for file in FILES for api in file.api if api.effect in ("blocks", "cpu-bound") and not api.why]
    assert silent == []


def test_every_handed_over_argument_is_named() -> None:
    effects = ("offloads", "schedules", "spawns", "calls", "defers")
    silent = [api.names for file in FILES for api in file.api if api.effect in effects and not api.argument]
    assert silent == []
