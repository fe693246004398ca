"""`asyncvet learn`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asyncvet.cli.command import Command, write
from asyncvet.config import UsageError
from asyncvet.engine import environment, learning
from asyncvet.engine.collector import uncollected


def _add_learn_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("distribution", metavar="DISTRIBUTION", help="name under which it is installed")
    parser.add_argument("--python", type=Path, metavar="ENV", help="environment that holds it (default: a .venv here or above)")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="where to write the catalogue file (default: standard output)"
    )


def _learn(options: argparse.Namespace) -> int:
    library = environment.find(options.python, Path.cwd())
    if library is None:
        raise UsageError("there is no virtual environment here; name one by --python")
    with uncollected():
        text = learning.learn(options.distribution, library)
    if options.output is None:
        sys.stdout.write(text)
        return 0
    write(text, options.output)
    return 0


COMMANDS = {
    "learn": Command(
        "Derive a catalogue file from the source of an installed distribution.",
        _add_learn_arguments,
        _learn,
        {"asyncvet learn acme-client --python .venv --output acme.toml": "from what .venv holds"},
    ),
}
