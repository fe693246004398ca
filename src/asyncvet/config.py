"""Read and check the configuration: `asyncvet.toml`, or `[tool.asyncvet]` of `pyproject.toml`."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from asyncvet.model import Severity


class UsageError(Exception):
    """The tool cannot do its work with what it was given; the message is one for the user."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a review looks at and what it reports.

    Attributes:
        select: Codes, names or prefixes of codes (``AV1``) of the rules to run. A preview rule needs its whole code or name.
        ignore: The same for rules not to run. Where both match, the longer one decides; at equal length the rule does not run.
        min_severity: Lighter findings are left out.
        exclude: Patterns in the form of `.gitignore`, relative to `base`, for files and folders not to read.
        include_tests: Report findings in test files as well. They are read in any case.
        jobs: Number of processes that read files; 0 means as many as there are processors to use.
        catalogue: Further files in the form of the catalogue's own.
        python: Folder or interpreter of the virtual environment whose packages are read; None means a `.venv` beside or above the code.
        cache: Keep what is read and what comes out for later reviews.
        base: Folder of the configuration, to which `exclude` is relative; None means the root of the review.
    """

    select: tuple[str, ...] = ("AV",)
    ignore: tuple[str, ...] = ()
    min_severity: Severity = Severity.LOW
    exclude: tuple[str, ...] = ()
    include_tests: bool = False
    jobs: int = 0
    catalogue: tuple[Path, ...] = ()
    python: Path | None = None
    cache: bool = True
    base: Path | None = None


def load(path: Path) -> Settings:
    """The settings for a file or folder: those of the nearest configuration in it or above it, else the defaults.

    A `pyproject.toml` that has no table `[tool.asyncvet]` does not count; beside one that has, `asyncvet.toml` goes first.

    Raises:
        UsageError: The configuration cannot be read, or says something that is not valid.
    """
    start = path.absolute()
    for folder in (start, *start.parents):
        for name in ("asyncvet.toml", "pyproject.toml"):
            file = folder / name
            if file.is_file() and (table := _table(file)) is not None:
                return _settings(table, file)
    return Settings()


def load_file(file: Path) -> Settings:
    """The settings that this very file gives. A file named `pyproject.toml` gives its table `[tool.asyncvet]`.

    Raises:
        UsageError: The file cannot be read, has no such table, or says something that is not valid.
    """
    table = _table(file)
    if table is None:
        raise UsageError(f"{file}: there is no table [tool.asyncvet]")
    return _settings(table, file.absolute())


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like another one; empty if none is like it."""
    by_lower = {name.lower(): name for name in sorted(known)}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[close[0]] if close else ""


def hint(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the known one that was meant, else all of them."""
    names = sorted(known)
    close = nearest(word, names)
    return f"did you mean `{close}`?" if close else f"known are {', '.join(names)}"


def severity(word: str) -> Severity:
    """The severity that a word names.

    Raises:
        UsageError: There is no such severity.
    """
    known = {level.word: level for level in Severity}
    if word.lower() not in known:
        words = ", ".join(known)
        raise UsageError(f"there is no severity `{word}`; the severities are {words}")
    return known[word.lower()]


def _table(file: Path) -> Mapping[str, object] | None:
    """The table of a file that is about asyncvet; None if a `pyproject.toml` has none."""
    try:
        text = file.read_bytes().decode("utf-8")
        content: dict[str, object] = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: is not UTF-8, as TOML must be (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(_toml_message(file, text, str(error))) from error
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


def _settings(table: Mapping[str, object], file: Path) -> Settings:
    values: dict[str, object] = {"base": file.parent}
    for key, value in table.items():
        reader = _READERS.get(key)
        if reader is None:
            raise UsageError(f"{file}: there is no setting `{key}`; {hint(key, _READERS)}")
        try:
            values[key.replace("-", "_")] = reader(value)
        except UsageError as error:
            raise UsageError(f"{file}: `{key}`: {error}") from None
    settings = msgspec.convert(values, Settings)
    return msgspec.structs.replace(
        settings,
        catalogue=tuple(file.parent / path for path in settings.catalogue),
        python=file.parent / settings.python if settings.python is not None else None,
    )


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"must be a list of strings, not {_kind(value)}")
    return tuple(value)


def _paths(value: object) -> tuple[Path, ...]:
    return tuple(Path(item) for item in _strings(value))


def _path(value: object) -> Path:
    if not isinstance(value, str):
        raise UsageError(f"must be a string, not {_kind(value)}")
    return Path(value)


def _severity(value: object) -> Severity:
    if not isinstance(value, str):
        raise UsageError(f"must be a string, not {_kind(value)}")
    return severity(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"must be true or false, not {_kind(value)}")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"must be a whole number, not {_kind(value)}")
    if value < 0:
        raise UsageError("must not be negative")
    return value


def _kind(value: object) -> str:
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a string", dict: "a table"}
    return kinds.get(type(value), "a list of other things" if isinstance(value, list) else "a date or time")


_READERS: Mapping[str, Callable[[object], object]] = {
    "select": _strings,
    "ignore": _strings,
    "min-severity": _severity,
    "exclude": _strings,
    "include-tests": _flag,
    "jobs": _count,
    "catalogue": _paths,
    "python": _path,
    "cache": _flag,
}
