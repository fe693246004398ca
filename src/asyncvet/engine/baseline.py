"""The baseline: a file of the findings that are accepted as they stand, so that only new ones are reported.

It is JSON with one finding a line, sorted by place; the version comes last, so that every line of a finding ends in a comma and two
branches merge line by line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import msgspec

from asyncvet.config import UsageError
from asyncvet.engine.files import write_text
from asyncvet.engine.findings import Key, key
from asyncvet.engine.fingerprints import Identity
from asyncvet.model import Finding

VERSION = 1
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?: |$)")


class Entry(msgspec.Struct, frozen=True, order=True):
    """One accepted finding.

    Attributes:
        path: Its file, relative to the folder of the baseline.
        function: Qualified name of the function that holds it.
        code: Of the rule.
        fingerprint: See `Identity`.
        message: What was said of it; for those who read the file.
    """

    path: str
    function: str
    code: str
    fingerprint: str
    message: str = ""


class Standing(NamedTuple):
    """A finding that stands, as the baseline looks at it.

    Attributes:
        entry: What accepts it at its place.
        inside: Name of its function in its module; empty for code outside functions.
    """

    finding: Finding
    identity: Identity
    entry: Entry
    inside: str


class Baseline(msgspec.Struct, frozen=True):
    """What a file accepts."""

    file: Path
    entries: tuple[Entry, ...] = ()

    def matched(self, standing: Sequence[Standing]) -> dict[Key, Entry]:
        """The findings that are accepted, each with the entry that accepts it; an entry accepts one finding.

        What has moved is known again: in another file under the same names, or in a file, and so a module, of another name.
        """
        left = set(self.entries)
        found: dict[Key, Entry] = {}
        for find in (_at_their_place, _elsewhere, _in_renamed_modules):
            open_ones = [one for one in standing if key(one.finding) not in found]
            for one, entry in find(sorted(left), open_ones):
                if entry in left and key(one.finding) not in found:
                    left.remove(entry)
                    found[key(one.finding)] = entry
        return found


def read(file: Path) -> Baseline:
    """Read a baseline.

    Raises:
        UsageError: There is none, or it is not one that can be used.
    """
    try:
        text = file.read_bytes().decode("utf-8")
        content = json.loads(text)
    except FileNotFoundError as error:
        raise UsageError(f"{file}: there is no such baseline; `asyncvet baseline` writes it") from error
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: is not UTF-8 text, so no baseline of asyncvet") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file}{_broken(text, error)}") from error
    if not isinstance(content, dict) or "version" not in content:
        raise UsageError(f"{file}: is no baseline of asyncvet: there is no `version` in it")
    version = content.pop("version")
    if version != VERSION:
        raise UsageError(
            f"{file}: is a baseline of version {json.dumps(version)}, and this asyncvet reads version {VERSION}; "
            "take the release that wrote it, or move the file away and write another by `asyncvet baseline`"
        )
    return Baseline(file, tuple(_entry(file, fingerprint, value) for fingerprint, value in content.items()))


def write(baseline: Baseline) -> None:
    """Write a baseline, in one step.

    Raises:
        UsageError: It cannot be written.
    """
    lines = [f"{json.dumps(entry.fingerprint)}: {_written(entry)},\n" for entry in sorted(set(baseline.entries))]
    write_text(baseline.file, "{\n" + "".join(lines) + f'"version": {VERSION}\n}}\n')


_Pairs = Iterator[tuple[Standing, Entry]]


def _at_their_place(entries: Sequence[Entry], standing: Sequence[Standing]) -> _Pairs:
    known = {(entry.path, entry.fingerprint): entry for entry in entries}
    for one in standing:
        if entry := known.get((one.entry.path, one.entry.fingerprint)):
            yield one, entry


def _elsewhere(entries: Sequence[Entry], standing: Sequence[Standing]) -> _Pairs:
    known = {entry.fingerprint: entry for entry in entries}
    for one in standing:
        if entry := known.get(one.entry.fingerprint):
            yield one, entry


def _in_renamed_modules(entries: Sequence[Entry], standing: Sequence[Standing]) -> _Pairs:
    known: dict[tuple[str, str | None], list[Entry]] = {}
    for entry in entries:
        known.setdefault((entry.code, _inside(entry)), []).append(entry)
    for one in standing:
        for entry in known.get((one.entry.code, one.inside), ()):
            if one.identity._replace(function=entry.function).fingerprint == entry.fingerprint:
                yield one, entry


def _inside(entry: Entry) -> str | None:
    """The name of an entry's function in its module, whose name the path tells; None if it does not."""
    path = PurePosixPath(entry.path)
    *folders, stem = (path.parent if path.stem == "__init__" else path.with_suffix("")).parts or ("",)
    names = entry.function.split(".")
    for index, name in enumerate(names):
        if name == stem and names[:index] == folders[len(folders) - index :]:
            return ".".join(names[index + 1 :])
    return None


def _entry(file: Path, fingerprint: str, value: object) -> Entry:
    try:
        return msgspec.convert({**value, "fingerprint": fingerprint} if isinstance(value, dict) else value, Entry)
    except msgspec.ValidationError as error:
        raise UsageError(f"{file}: the entry `{fingerprint}` is not one of a baseline: {error}") from error


def _written(entry: Entry) -> str:
    content = {"code": entry.code, "path": entry.path, "function": entry.function, "message": entry.message}
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def _broken(text: str, error: Exception) -> str:
    """Where and why a file is no JSON."""
    for number, line in enumerate(text.splitlines(), 1):
        if _CONFLICT.match(line):
            return (
                f":{number}: has a conflict of a merge in it; keep the lines of both sides, take the markers away, and let "
                "`asyncvet baseline` drop what is fixed"
            )
    place = f":{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else ""
    return f"{place}: is not JSON, so no baseline of asyncvet: {getattr(error, 'msg', 'it is nested too deeply')}"
