"""`asyncvet monitor-report`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asyncvet.cli.command import Command, write
from asyncvet.engine.observed import read
from asyncvet.report import harmless
from asyncvet.report.observations import page, render


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="files of observations, as `asyncvet monitor` and the monitor in production write them",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write a page of HTML, with a time line and flame graphs (default: text)"
    )


def _report(options: argparse.Namespace) -> int:
    observed = read(options.files)
    for error in observed.errors:
        print(f"asyncvet: {harmless(error.path)}: {harmless(error.message)}", file=sys.stderr)
    if options.output:
        write(page.render(observed.observations), options.output)
    else:
        sys.stdout.write(render(observed.observations))
    return 0


COMMANDS = {
    "monitor-report": Command(
        "Show what was seen at run time, as text or as a page.",
        _add_arguments,
        _report,
        {"asyncvet monitor-report observations.jsonl --output stalls.html": "as a page, with a time line and flame graphs"},
    ),
}
