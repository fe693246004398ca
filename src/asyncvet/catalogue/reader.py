"""Reads one file of the catalogue, strictly: what the schema does not know is an error, said in full."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import msgspec

from asyncvet.catalogue.notation import parse_type
from asyncvet.catalogue.schema import Api, CatalogueFile, Category, Condition, Effect, Stall, Type

is_dotted_name = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*").fullmatch
_TESTS = ("equals", "is_none", "present", "literal", "starts_with")
_OTHERS = ("names", "bases", "attributes", "binds_loop", "closed_by", "timeout", "bound")
PROTOCOLS = tuple(field for field in Type.__struct_fields__ if field not in _OTHERS)
"""The keys of a type that say what syntax over an instance gives."""

_WORDS = {
    "effect": get_args(Effect),
    "category": get_args(Category),
    "stall": get_args(Stall),
    "of": ("call", "constructor"),
    "timeout": ("none", "a number of seconds"),
}


class CatalogueError(ValueError):
    """A catalogue file that cannot be used. The text names the file, the entry and what is wrong with it."""


def read_catalogue(path: Path) -> CatalogueFile:
    """Read and check one file.

    Raises:
        CatalogueError: The file cannot be read, is not TOML, or does not follow the schema.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path}: not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{path}: not valid TOML: {error}") from error
    return checked(raw, str(path))


def checked(raw: dict[str, Any], place: str) -> CatalogueFile:
    """Check what was read from TOML.

    Args:
        raw: The content, as a file of the catalogue has it.
        place: Where it stands, for messages.

    Raises:
        CatalogueError: It does not follow the schema.
    """
    try:
        file = msgspec.convert(raw, CatalogueFile)
    except msgspec.ValidationError as error:
        raise CatalogueError(f"{place}: {_explain(str(error), raw)}") from error
    for fault in _faults(file):
        raise CatalogueError(f"{place}: {fault}")
    return file


def _explain(text: str, raw: dict[str, Any]) -> str:
    """Say in the file's own words what msgspec found, with the nearest valid key or word."""
    what, _, where = text.partition(" - at `$")
    where = where.rstrip("`").lstrip(".")
    entry = re.match(r"(api|type)\[(\d+)\]\.?", where)
    key = where[entry.end() :] if entry else where
    place = ", ".join(part for part in (_entry_name(raw, entry), f'key "{key}"' if key else "") if part)
    prefix = f"{place}: " if place else ""
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", what):
        return f'{prefix}unknown key "{unknown[1]}"{_nearest(unknown[1], _fields(entry, key))}'
    if wrong := re.fullmatch(r"Invalid enum value '(.*)'", what):
        return f'{prefix}"{wrong[1]}" is not one of its words{_nearest(wrong[1], _WORDS[key.rpartition(".")[2]])}'
    if missing := re.fullmatch(r"Object missing required field `(.*)`", what):
        return f'{prefix}the key "{missing[1]}" is missing'
    return f"{prefix}{what[0].lower()}{what[1:].replace('`', '')}"


def _entry_name(raw: dict[str, Any], entry: re.Match[str] | None) -> str:
    if entry is None:
        return ""
    table, index = entry[1], int(entry[2])
    content = raw[table][index]
    names = content.get("names") if isinstance(content, dict) else None
    name = f' ("{names[0]}")' if isinstance(names, list) and names and isinstance(names[0], str) else ""
    return f"{table} entry {index + 1}{name}"


def _fields(entry: re.Match[str] | None, key: str) -> tuple[str, ...]:
    if entry is None:
        return CatalogueFile.__struct_fields__
    if key:
        return Condition.__struct_fields__
    return Api.__struct_fields__ if entry[1] == "api" else Type.__struct_fields__


def _nearest(word: str, valid: tuple[str, ...]) -> str:
    near = get_close_matches(word, valid, n=1)
    return f'; did you mean "{near[0]}"?' if near else f"; valid are {', '.join(valid)}"


def _faults(file: CatalogueFile) -> list[str]:
    """What the types of the schema cannot say, first entry first."""
    faults: list[str] = []
    for index, api in enumerate(file.api, 1):
        faults += [f"api entry {index}{_title(api.names)}: {fault}" for fault in _api_faults(api)]
    for index, kind in enumerate(file.type, 1):
        faults += [f"type entry {index}{_title(kind.names)}: {fault}" for fault in _type_faults(kind)]
    faults += _repeats(file)
    for name, target in file.alias.items():
        faults += [f'alias "{name}": {fault}' for fault in _name_faults((name, target))]
    return faults


def _repeats(file: CatalogueFile) -> list[str]:
    """Entries that a lookup could never tell apart, or never reach."""
    classes = [("type", name, None) for kind in file.type for name in kind.names]
    calls = [("api", name, (api.unless, api.only_if)) for api in file.api for name in api.names]
    seen = Counter([*classes, *calls])
    return [
        f'{table} "{name}" is there {count} times with the same conditions'
        for (table, name, _), count in seen.items()
        if count > 1
    ]


def _title(names: tuple[str, ...]) -> str:
    return f' ("{names[0]}")' if names else ""


def _api_faults(api: Api) -> list[str]:
    faults = _name_faults(tuple(name.removesuffix(".*") for name in api.names))
    if api.effect in ("blocks", "cpu-bound"):
        faults += [f'effect "{api.effect}" needs the key "{key}"' for key in ("category", "why") if not getattr(api, key)]
    for key in ("unless", "only_if"):
        for condition in getattr(api, key):
            faults += [f'key "{key}": {fault}' for fault in _condition_faults(condition)]
    return faults + _notation_faults({"returns": api.returns})


def _type_faults(kind: Type) -> list[str]:
    written = {f"attributes.{name}": notation for name, notation in kind.attributes.items()}
    written |= {key: getattr(kind, key) for key in PROTOCOLS}
    return _name_faults(kind.names) + _name_faults(kind.bases, needed=False) + _notation_faults(written)


def _condition_faults(condition: Condition) -> list[str]:
    tests = [test for test in _TESTS if getattr(condition, test) is not None]
    faults = []
    if len(tests) != 1:
        found = " and ".join(tests) or "none"
        faults.append(f"a condition needs exactly one of {', '.join(_TESTS)}, but has {found}")
    if condition.argument is None and condition.position is None:
        faults.append('a condition needs "argument", "position" or both')
    return faults


def _name_faults(names: tuple[str, ...], needed: bool = True) -> list[str]:
    if needed and not names:
        return ['"names" is empty']
    return [f'"{name}" is not a dotted name' for name in names if not is_dotted_name(name)]


def _notation_faults(written: dict[str, str]) -> list[str]:
    faults = []
    for key, notation in written.items():
        if notation:
            try:
                parse_type(notation)
            except ValueError as error:
                faults.append(f'key "{key}": {error}')
    return faults
