"""The options that go before the configuration, and the settings that both give; `asyncvet schema`."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from asyncvet import config
from asyncvet.cli.command import Command, common_folder, level, selectors, whole_number
from asyncvet.config import Settings, UsageError
from asyncvet.engine import selection

if TYPE_CHECKING:
    from asyncvet.rules import Rule


def add_rule_arguments(parser: argparse.ArgumentParser) -> None:
    """What is read, and which findings count."""
    add = parser.add_argument
    add("paths", nargs="*", type=Path, default=[Path()], metavar="PATH", help="files and folders (default: this folder)")
    kinds = "codes, names, prefixes (AV1), separated by commas"
    add("--select", action="append", type=selectors, metavar="RULES", help=f"rules to run, not the configured ones: {kinds}")
    add("--ignore", action="append", type=selectors, metavar="RULES", help="rules not to run, besides the configured")
    levels = "low, medium, high or critical"
    add("--min-severity", type=level, metavar="SEVERITY", help=f"leave out lighter findings: {levels}")
    add("--include-tests", action="store_true", default=None, help="report findings in test files too")


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """How files are read, and which configuration counts."""
    add = parser.add_argument
    where = "(default: a .venv beside the code)"
    add("--python", type=Path, metavar="ENV", help=f"virtual environment whose packages are read {where}")
    add("--config", type=Path, metavar="FILE", help="configuration to use for all files, instead of the nearest one of each")
    add("--jobs", type=whole_number, metavar="N", help="processes that read files (default: one for each processor)")
    add("--no-cache", action="store_true", help="keep nothing for later reviews, and use nothing kept")


def settings(options: argparse.Namespace) -> Settings:
    """The configuration, with what the command line says in its place; configurations of folders below are changed alike.

    Raises:
        UsageError: The configuration cannot be used, or an option names a rule that does not exist.
    """
    for selector in (*_given(options.select), *_given(options.ignore)):
        known = _rules()
        if not any(selection.fits(rule, (selector,)) for rule in known):
            raise UsageError(selection.unknown_rule(selector, known))
    written = config.load_file(options.config) if options.config else config.load(common_folder(options.paths))
    changed = partial(_changed, options)
    return replace(changed(written), nested=None if options.config else changed)


def _changed(options: argparse.Namespace, settings: Settings) -> Settings:
    select, ignore = _given(options.select), _given(options.ignore)
    changes: dict[str, object] = {}
    if select:
        # What is asked for by name on the command line is wanted even where the configuration ignores it.
        codes = {rule.name: rule.code for rule in _rules()}
        wanted = {codes.get(selector, selector) for selector in select}
        ignore += tuple(selector for selector in settings.ignore if codes.get(selector, selector) not in wanted)
        changes["select"] = select
        changes["per_path"] = tuple(replace(one, select=()) for one in settings.per_path)
    else:
        ignore += settings.ignore
    changes["ignore"] = ignore
    for name in ("min_severity", "include_tests", "jobs", "python"):
        if (value := getattr(options, name)) is not None:
            changes[name] = value
    if options.no_cache:
        changes["cache"] = False
    return replace(settings, **changes)


def _rules() -> tuple[Rule, ...]:
    from asyncvet import rules  # noqa: PLC0415  # slow to import, and most runs name none

    return rules.load()


def _given(groups: list[list[str]] | None) -> tuple[str, ...]:
    return tuple(selector for group in groups or () for selector in group)


def _schema(options: argparse.Namespace) -> int:  # noqa: ARG001
    from asyncvet.config import schema  # noqa: PLC0415  # knows the catalogue, and checks take options from this module

    sys.stdout.write(schema.text())
    return 0


COMMANDS = {
    "schema": Command(
        "Print the JSON schema of the configuration.",
        lambda parser: None,  # noqa: ARG005
        _schema,
        {"asyncvet schema > asyncvet.schema.json": "for an editor that checks TOML"},
    ),
}
