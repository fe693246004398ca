"""`asyncvet baseline`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from msgspec.structs import replace

from asyncvet.cli import configuring
from asyncvet.cli.command import Command, common_folder
from asyncvet.config import BASELINE, Settings, UsageError
from asyncvet.engine.accepting import Acceptance, accept
from asyncvet.engine.baseline import Entry
from asyncvet.report import harmless
from asyncvet.report.text import counted

_SHOWN = 10
"""So many findings are named, the others counted, unless all are asked for."""


def _add_baseline_arguments(parser: argparse.ArgumentParser) -> None:
    configuring.add_rule_arguments(parser)
    add = parser.add_argument
    add("--accept-new", action="store_true", help="accept what stands and is not in the baseline yet")
    add("--baseline", type=Path, metavar="FILE", help=f"the baseline (default: the configured one, or {BASELINE})")
    configuring.add_reading_arguments(parser)
    add("--verbose", action="store_true", help="name every finding that comes in or drops out")


def _baseline(options: argparse.Namespace) -> int:
    settings = configuring.settings(options)
    file = options.baseline or settings.baseline or _default(settings, options)
    outcome = accept(options.paths, replace(settings, baseline=None), file, with_new=options.accept_new)
    _tell(outcome, file, options.verbose)
    if outcome.failed_rules:
        raise UsageError(f"rules broke down, and their findings are missing: {', '.join(outcome.failed_rules)}")
    return 0


def _default(settings: Settings, options: argparse.Namespace) -> Path:
    """Where `check` looks for a baseline that is not configured."""
    folder = common_folder(options.paths)
    return (settings.base or (folder if folder.is_dir() else folder.parent)) / BASELINE


def _tell(outcome: Acceptance, file: Path, is_verbose: bool) -> None:
    shown = None if is_verbose else _SHOWN
    counts = [f"{counted(outcome.entries, 'finding')} accepted"]
    counts += [f"{len(outcome.added):,} of them new"] if outcome.added and len(outcome.added) < outcome.entries else []
    counts += [f"{len(outcome.gone):,} gone and dropped"] if outcome.gone else []
    print(f"{harmless(os.path.relpath(file))}: {', '.join(counts)}")
    if outcome.gone or is_verbose:
        _list("dropped", outcome.gone, shown)
    if is_verbose:
        _list("accepted", outcome.added, shown)
    if outcome.refused:
        print(
            f"{counted(len(outcome.refused), 'finding')} not accepted, as a baseline only shrinks; --accept-new accepts what stands now:"
        )
        _list("new", outcome.refused, shown)
    sys.stdout.flush()


def _list(word: str, entries: tuple[Entry, ...], shown: int | None) -> None:
    for entry in entries[:shown]:
        print(harmless(f"  {word}: {entry.path}: {entry.code} in {entry.function}: {entry.message.partition('; ')[0]}"))
    if shown is not None and len(entries) > shown:
        print(f"  and {len(entries) - shown:,} more (--verbose names them)")


COMMANDS = {
    "baseline": Command(
        "Accept the findings that stand, so that only new ones are reported.",
        _add_baseline_arguments,
        _baseline,
        {
            "asyncvet baseline": "accept what stands, or let what is fixed drop out",
            "asyncvet baseline --accept-new": "accept what is new too",
        },
    ),
}
