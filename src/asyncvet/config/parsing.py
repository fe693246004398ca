"""Makes settings of what a configuration says, strictly: what its form does not know is an error, said in the words of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar, get_args

import msgspec

from asyncvet.catalogue.reader import CatalogueError, checked, is_dotted_name
from asyncvet.catalogue.schema import Api, CatalogueFile
from asyncvet.config.form import Form, PathForm, SeverityWord
from asyncvet.config.reading import BASELINE
from asyncvet.config.settings import PathSettings, Settings
from asyncvet.config.words import UsageError, hint, severity

_ENTRIES = ("api", "type")
_FIRST = ("func", "function", "fn", "f", "target", 0)
"""The first argument, under the names that it usually has."""

_KINDS = {
    "array": "a list",
    "object": "a table",
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date or time",
    "datetime": "a date or time",
    "time": "a date or time",
}
_Form = TypeVar("_Form", Form, PathForm)


def settings(table: Mapping[str, object], file: Path) -> Settings:
    """The settings that a table of a file gives.

    Raises:
        UsageError: It says something that is not valid.
    """
    entries = _entries(table, file)
    try:
        form, per_path = _form(table)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None
    folder = file.parent
    beside = folder / BASELINE
    return Settings(
        select=form.select,
        ignore=form.ignore,
        min_severity=severity(form.min_severity),
        severity={rule: severity(word) for rule, word in form.severity.items()},
        exclude=form.exclude,
        include_tests=form.include_tests,
        per_path=per_path,
        require_reason=form.require_reason,
        baseline=folder / form.baseline if form.baseline is not None else beside if beside.is_file() else None,
        catalogue=tuple(folder / path for path in form.catalogue),
        entries=_with_offloads(entries, form.offloads, file),
        python=folder / form.python if form.python is not None else None,
        jobs=form.jobs,
        cache=form.cache,
        base=folder,
        file=file,
    )


def _entries(table: Mapping[str, object], file: Path) -> CatalogueFile:
    """The catalogue entries that stand in a configuration, read as strictly as a file of the catalogue."""
    raw = {key: table[key] for key in _ENTRIES if key in table}
    try:
        return checked({"distribution": file.name, "version": "", **raw}, str(file))
    except CatalogueError as error:
        raise UsageError(str(error)) from error


def _with_offloads(entries: CatalogueFile, names: tuple[str, ...], file: Path) -> CatalogueFile | None:
    for name in names:
        if not is_dotted_name(name):
            raise UsageError(f"{file}: `offloads`: `{name}` is not the dotted name of a function")
    calls = tuple(Api(names=(name,), effect="offloads", argument=_FIRST) for name in names)
    return msgspec.structs.replace(entries, api=entries.api + calls) if calls or entries.api or entries.type else None


def _form(table: Mapping[str, object]) -> tuple[Form, tuple[PathSettings, ...]]:
    """The keys of a table, and its overrides by path in their order."""
    form = _converted(table, Form, "")
    per_path = []
    for pattern, values in form.per_path.items():
        lightest = severity(values.min_severity) if values.min_severity is not None else None
        per_path.append(PathSettings(pattern=pattern, select=values.select, ignore=values.ignore, min_severity=lightest))
    return form, tuple(per_path)


def _converted(table: object, kind: type[_Form], place: str) -> _Form:
    """A table in its form. What msgspec finds is said in the words of the file."""
    by_pattern = table.get("per-path") if kind is Form and isinstance(table, dict) else None
    if isinstance(by_pattern, dict):
        for pattern, values in by_pattern.items():  # in a table of tables, msgspec does not name the one that is wrong
            _converted(values, PathForm, f'per-path."{pattern}"')
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        key = ".".join(filter(None, (place, where.rstrip("`").replace("[...]", ""))))
        raise UsageError(_explained(what, key, kind)) from None


def _explained(what: str, key: str, kind: type[_Form]) -> str:
    lead = f"`{key}`: " if key else ""
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", what):
        names = {field.encode_name for field in msgspec.structs.fields(kind)}
        return f"{lead}there is no setting `{unknown[1]}`; {hint(unknown[1], names)}"
    if wrong := re.fullmatch(r"Invalid enum value '(.*)'", what):
        return f"{lead}there is no severity `{wrong[1]}`; {hint(wrong[1], get_args(SeverityWord))}"
    if mismatch := re.fullmatch(r"Expected `([^`]*)`, got `(\w+)`", what):
        wanted = mismatch[1].removesuffix(" | null")
        return f"{lead}must be {_KINDS[wanted]}, not {_KINDS[mismatch[2]]}"
    return f"{lead}must be 0 or more"
