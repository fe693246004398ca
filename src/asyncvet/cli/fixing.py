"""`asyncvet fix`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from msgspec.structs import replace

from asyncvet.cli import configuring
from asyncvet.cli.command import FOUND, UNABLE, Command
from asyncvet.cli.reviewing import progress_bar
from asyncvet.engine import fixing, git
from asyncvet.engine.replacing import replace_file
from asyncvet.report import fixes
from asyncvet.report.fixes import Fixing


def _add_fix_arguments(parser: argparse.ArgumentParser) -> None:
    configuring.add_rule_arguments(parser)
    configuring.add_reading_arguments(parser)
    add = parser.add_argument
    add("--unsafe", action="store_true", help="apply the fixes too that may change what the program does; read them")
    add("--diff", action="store_true", help="show the edits and change nothing; exit with 1 if there are any")
    add("--allow-dirty", action="store_true", help="edit files too that git could not give back as they are now")
    add("--verbose", action="store_true", help="name every finding that stands, with the reason")


def _fix(options: argparse.Namespace) -> int:
    keep = None if options.diff or options.allow_dirty else git.unrecoverable
    settings = replace(configuring.settings(options), baseline=None)  # what is accepted for now may well be mended
    with progress_bar() as progress:
        outcome = fixing.fix(options.paths, settings, unsafe=options.unsafe, protect=keep, progress=progress)
    if options.diff:
        sys.stdout.buffer.write(fixes.diff(outcome))
        sys.stdout.buffer.flush()
        sys.stderr.write(fixes.summary(outcome, verbose=options.verbose, would=True))
        return UNABLE if outcome.failed_rules else FOUND if outcome.files else 0
    outcome = _written(outcome)
    sys.stdout.write(fixes.summary(outcome, verbose=options.verbose, would=False))
    return UNABLE if outcome.failed_rules or outcome.unwritten else 0 if outcome.is_complete else FOUND


def _written(outcome: Fixing) -> Fixing:
    """The outcome with its files written, without what could not be."""
    failed: dict[str, str] = {}
    for file in outcome.files:
        try:
            replace_file(Path(file.path), file.before, file.after)
        except OSError as error:
            failed[file.path] = error.strerror or str(error)
    return outcome.without(failed)


COMMANDS = {
    "fix": Command(
        "Apply the fixes of findings: safe ones, or all.",
        _add_fix_arguments,
        _fix,
        {
            "asyncvet fix src --diff": "show what the safe fixes change",
            "asyncvet fix src --unsafe --select AV1": "apply all fixes of one category",
        },
    ),
}
