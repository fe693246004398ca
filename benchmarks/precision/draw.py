"""Draw a sample of findings to judge by hand: `draw.py REPORT.json... --each 10 --seed 20261124`.

A report is what ``asyncvet check . --format json`` prints; a package is called by the name of its report's file. The same reports,
options and seed give the same lines in the same order, in any order of the reports.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Place = tuple[str, dict[str, Any]]
"""The name of a package and a finding in it, as its report has it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the sample, one line a finding; exit status 2 if a report cannot be read."""
    options = _parser().parse_args(arguments)
    try:
        packages = [[(path.stem, found) for found in _findings(path, options.code)] for path in sorted(options.reports)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"draw: not a report of asyncvet: {error}\n")
        return 2
    if options.together is None:
        drawn = draw(packages, options.each, options.seed)
    else:
        drawn = draw([[place for package in packages for place in package]], options.together, options.seed)
    sys.stdout.writelines(f"{shown(place)}\n" for place in drawn)
    return 0


def draw(groups: Sequence[Sequence[Place]], count: int, seed: int) -> list[Place]:
    """`count` places of every group, or all if it has fewer, each group drawn by a generator of its own from the same seed."""
    return [place for group in groups for place in random.Random(seed).sample(group, min(count, len(group)))]


def shown(place: Place) -> str:
    """One line: package, place, code, severity and message."""
    package, found = place
    where = f"{found['path']}:{found['line']}:{found['column']}"
    return f"{package} | {where} | {found['code']} | {found['severity']} | {found['message']}"


def _findings(path: Path, codes: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["findings"]
    wanted = [finding for finding in found if not codes or finding["code"] in codes]
    return sorted(wanted, key=lambda finding: (finding["path"], finding["line"], finding["column"], finding["code"]))


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"not a number of findings: {text!r}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Draw a sample of findings to judge by hand.")
    parser.add_argument("reports", nargs="+", type=Path, metavar="REPORT", help="a report, named NAME.json after its package")
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--each", type=_count, default=10, metavar="N", help="so many findings of each package (default 10)")
    amount.add_argument("--together", type=_count, metavar="N", help="so many findings of all packages together")
    parser.add_argument("--seed", type=int, default=0, help="seed of the drawing (default 0)")
    parser.add_argument("--code", action="append", default=[], help="draw only findings of this rule; may be repeated")
    return parser


if __name__ == "__main__":
    sys.exit(main())
