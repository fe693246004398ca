"""`asyncvet init`."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from asyncvet import config
from asyncvet.cli.command import Command
from asyncvet.config import NAMES, UsageError
from asyncvet.engine.files import write_text
from asyncvet.engine.survey import Survey, survey
from asyncvet.report import harmless
from asyncvet.report.text import counted

TABLE = "tool.asyncvet"
_FEW = 3
"""More source roots than these are not named."""


def _add_init_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="folder of the project (default: this one)")
    add("--diff", action="store_true", help="show what would be written, and write nothing")


def _init(options: argparse.Namespace) -> int:
    folder: Path = options.folder
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder")
    if config.load_folder(folder) is not None:
        raise UsageError(f"{_configured(folder)}: there is a configuration of asyncvet already, and it stays as it is")
    seen = survey(folder)
    file, text = _written(folder, seen)
    before = file.read_bytes().decode("utf-8") if file.exists() else ""
    if options.diff:
        sys.stdout.writelines(_difference(before, text, file))
        return 0
    write_text(file, text)
    _tell(seen, file)
    return 0


def _configured(folder: Path) -> Path:
    first, second = (folder / name for name in NAMES)
    return first if first.is_file() else second


def _written(folder: Path, seen: Survey) -> tuple[Path, str]:
    """The file that gets the configuration, and all that is in it then: `pyproject.toml` where that can take a table."""
    file = folder / "pyproject.toml"
    if file.is_file():
        before = file.read_bytes().decode("utf-8")
        newline = "\r\n" if "\r\n" in before else "\n"
        gap = "" if not before else newline if before.endswith("\n") else newline * 2
        text = before + gap + configuration(seen, TABLE).replace("\n", newline)
        try:
            tomllib.loads(text)
        except tomllib.TOMLDecodeError:  # `tool` is an inline table there
            pass
        else:
            return file, text
    return folder / "asyncvet.toml", configuration(seen, "")


def configuration(seen: Survey, table: str) -> str:
    """A configuration that fits a project, with what each setting is for.

    Args:
        seen: The project.
        table: Name of the table that it stands in; empty for a file of its own.
    """
    return "\n".join([*([f"[{table}]"] if table else []), *_head(seen), *_settings(seen), *_tables(seen, table)]) + "\n"


def _head(seen: Survey) -> Iterator[str]:
    yield f"# Made for {_size(seen)}."
    if seen.members:
        yield f"# These folders have a pyproject.toml of their own: {_some(seen.members)}."
        yield "# A [tool.asyncvet] in one of them counts there instead of this one."
    if seen.linters:
        yield f"# {' and '.join(seen.linters)} can go on: docs/how-to/other-linters.md of asyncvet tells which codes report the same."


def _settings(seen: Survey) -> Iterator[str]:
    yield from ("", "# Rules to run: all but those in preview. `asyncvet rule` lists them.")
    yield from ('select = ["AV"]', "ignore = []")
    yield from ("", "# Leave out lighter findings: low, medium, high or critical.", 'min-severity = "low"')
    yield from ("", "# What not to read, beside what .gitignore files leave out; patterns as there.")
    excluded = dict.fromkeys((*seen.excluded, *seen.migrations))
    yield f"exclude = {_list(excluded)}"
    tests = f"{seen.tests:,} of them {'is' if seen.tests == 1 else 'are'} read, as they show how the code is used"
    yield from ("", f"# Report findings in test files too; {tests}.", "include-tests = false")
    yield from ("", "# A comment that accepts a finding has to say why: `# asyncvet: ignore[AV101] runs before the app serves`.")
    yield "require-reason = true"
    yield from ("", "# The virtual environment whose packages are read, to know what their functions do.")
    if seen.environment:
        yield f"python = {_quoted(seen.environment)}"
    else:
        yield f'# python = ".venv"  # {"found by itself" if seen.is_found else "where there is one"}'
    yield from (
        "",
        "# `asyncvet baseline` writes what stands into asyncvet-baseline.json, beside this file; only what is new is reported then.",
    )


def _tables(seen: Survey, table: str) -> Iterator[str]:
    lead = f"{table}." if table else ""
    for folder in seen.aside:
        yield from (
            "",
            "# No requests wait for what runs here.",
            f"[{lead}per-path.{_quoted(folder)}]",
            'min-severity = "high"',
        )
    for folder in seen.vendored:
        yield from (
            "",
            "# Read, as calls may lead there; not reported on.",
            f"[{lead}per-path.{_quoted(folder)}]",
            'ignore = ["AV"]',
        )
    if seen.blocking:
        yield from ("", "# What flake8-async is told to block, in async200-blocking-calls.")
    for index, (name, instead) in enumerate(seen.blocking):
        yield from ([""] if index else [])
        yield from (f"[[{lead}api]]", f"names = {_list([name])}", 'effect = "blocks"', 'category = "network"')
        yield from ('why = "waits for something outside the process"', f"replacement = {_quoted(instead)}")


def _size(seen: Survey) -> str:
    roots = f" below {', '.join(seen.roots)}" if seen.roots[:1] != (".",) and len(seen.roots) <= _FEW else ""
    used = f", with {', '.join(seen.frameworks)}" if seen.frameworks else ""
    return f"{counted(seen.files, 'file')}{roots}, {counted(seen.lines, 'line')}{used}"


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 4 else ""
    return ", ".join(names[:3] if more else names) + more


def _list(items: Iterable[str]) -> str:
    return "[" + ", ".join(map(_quoted, items)) + "]"


def _quoted(text: str) -> str:
    """A string of TOML, which is one of JSON but for characters in pairs of escapes."""
    return json.dumps(text, ensure_ascii=False)


def _difference(before: str, after: str, file: Path) -> Iterator[str]:
    name = file.as_posix()
    old = name if before else "/dev/null"
    for line in difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), old, name):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _tell(seen: Survey, file: Path) -> None:
    print(harmless(f"Found {_size(seen)}."))
    print(harmless(f"Wrote {f'[{TABLE}] into ' if file.name == 'pyproject.toml' else ''}{file}."))
    print(
        "Next: `asyncvet check`. Where that finds much, `asyncvet baseline` accepts what stands: only what is new is reported then."
    )


COMMANDS = {
    "init": Command(
        "Look at a project and write a configuration that fits it.",
        _add_init_arguments,
        _init,
        {"asyncvet init": "write it", "asyncvet init --diff": "show what would be written"},
    )
}
