"""Finds and reads configurations: `asyncvet.toml`, or `[tool.asyncvet]` of `pyproject.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from asyncvet.config.settings import Settings
from asyncvet.config.words import UsageError

NAMES = ("asyncvet.toml", "pyproject.toml")
"""The files that may hold a configuration; in one folder, the first goes before the second."""

BASELINE = "asyncvet-baseline.json"
"""Name of the baseline where the configuration gives none."""


def load(path: Path) -> Settings:
    """The settings for a file or folder: those of the nearest configuration in it or above it, else the defaults.

    A `pyproject.toml` that has no table `[tool.asyncvet]` does not count; beside one that has, `asyncvet.toml` goes first.
    Configurations further down govern the folders in which they stand.

    Raises:
        UsageError: The configuration cannot be read, or says something that is not valid.
    """
    start = path.absolute()
    folders = (start, *start.parents)
    found = next((settings for folder in folders if (settings := load_folder(folder)) is not None), None)
    if found is None:
        found = Settings(baseline=next((file for folder in folders if (file := folder / BASELINE).is_file()), None))
    return msgspec.structs.replace(found, nested=as_written)


def as_written(settings: Settings) -> Settings:
    """Change nothing in a configuration."""
    return settings


def load_folder(folder: Path) -> Settings | None:
    """The settings that a configuration in this very folder gives; None if there is none.

    Raises:
        UsageError: It cannot be read, or says something that is not valid.
    """
    for name in NAMES:
        file = folder / name
        if file.is_file() and (table := _table(file)) is not None:
            return _said(table, file)
    return None


def load_file(file: Path) -> Settings:
    """The settings that this very file gives. A file named `pyproject.toml` gives its table `[tool.asyncvet]`.

    Raises:
        UsageError: The file cannot be read, has no such table, or says something that is not valid.
    """
    table = _table(file)
    if table is None:
        raise UsageError(f"{file}: there is no table [tool.asyncvet]")
    return _said(table, file.absolute())


def parse_toml(file: Path) -> dict[str, Any]:
    """What a TOML file holds.

    Raises:
        UsageError: It cannot be read, or is not TOML.
    """
    try:
        text = file.read_bytes().decode("utf-8")
        return tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: is not UTF-8, as TOML must be (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(_toml_message(file, text, str(error))) from error
    except RecursionError as error:
        raise UsageError(f"{file}: is nested too deeply") from error


def _table(file: Path) -> Mapping[str, object] | None:
    """The table of a file that is about asyncvet; None if a `pyproject.toml` has none."""
    content = parse_toml(file)
    if file.name != "pyproject.toml":
        return content
    tool = content.get("tool", {})
    table = tool.get("asyncvet") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"{file}: `tool.asyncvet` must be a table")
    return table


def _toml_message(file: Path, text: str, message: str) -> str:
    """What the parser says, with the place in front. It names a place in the text, or its end, where the last line must do."""
    what, _, where = message.removesuffix(")").rpartition(" (at ")
    place = re.fullmatch(r"line (\d+), column (\d+)", where)
    line = f"{place[1]}:{place[2]}" if place else str(text.rstrip().count("\n") + 1)
    return f"{file}:{line}: not valid TOML: {what or message}"


def _said(table: Mapping[str, object], file: Path) -> Settings:
    """The settings that a table of a file gives."""
    from asyncvet.config import parsing  # noqa: PLC0415  # knows the catalogue, which most reviews of what has not changed do without

    return parsing.settings(table, file)
