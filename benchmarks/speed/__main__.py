"""Measure, and write the page: `python -m benchmarks.speed --peers FOLDER [--full] [--only NAME] [--repeats N] [--timeout SECONDS]`."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from benchmarks.speed import plots
from benchmarks.speed.editing import measure
from benchmarks.speed.measuring import NOT_RUN, Sample, median
from benchmarks.speed.packages import ALL, SHORT, VERSIONS, Tree, fetch
from benchmarks.speed.page import Session, write
from benchmarks.speed.ways import CHANGED, COLD, FILLING, FLAKE8, HYDROID, ONE_PROCESS, PYLINT, RUFF, WARM, Bench

ROOT = Path(__file__).resolve().parents[2]
WAYS = (COLD, RUFF, ONE_PROCESS, HYDROID, FILLING, WARM, CHANGED)
EDITS = 100
SHOWN_RULES = 10
SLOW = (FLAKE8, PYLINT)
"""Run once only, and on small trees: they take minutes."""
SMALL = 100_000
"""Lines of such a tree."""


def main() -> None:
    """Fetch, measure, write."""
    options = _options()
    build = ROOT / "build" / "bench"
    names = [options.only] if options.only else [*VERSIONS, ALL] if options.full else list(SHORT)
    trees = fetch(names, build)
    bench = Bench(options.peers.absolute(), build, options.timeout)
    figures = {(tree.name, way): sample for tree in trees for way, sample in measured(bench, tree, options.repeats).items()}
    form = "in its full form" if options.full else f"on {options.only} alone" if options.only else "in its short form"
    profile = _profile(trees[-1])
    edits = {tree.name: measure(tree.folder, EDITS) for tree in trees}
    session = Session(trees, figures, edits, options.repeats, form, _machine(), _versions(options.peers), profile)
    plots.draw(trees, figures, ROOT / "docs" / "performance")
    (ROOT / "docs" / "performance.md").write_text(write(session), encoding="utf-8")


def measured(bench: Bench, tree: Tree, repeats: int) -> dict[str, Sample]:
    """The median of each way, in runs that alternate; a tool that was stopped or failed is not run again."""
    samples: defaultdict[str, list[Sample]] = defaultdict(list)
    bench.measure(WARM, tree)  # the disk's own cache is filled for all
    for repeat in range(repeats):
        for way in (*WAYS, *(SLOW if repeat == 0 and tree.lines < SMALL else ())):
            if not samples[way] or samples[way][-1].fault is None:
                samples[way].append(bench.measure(way, tree))
                print(tree.name, repeat, way, samples[way][-1], flush=True)
    left_out = {way: Sample(0, 0, 0, NOT_RUN) for way in SLOW}
    return left_out | {way: median(known) for way, known in samples.items()}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.speed", description=__doc__)
    parser.add_argument("--peers", type=Path, required=True, help="virtual environment of the other tools")
    parser.add_argument("--full", action="store_true", help="all packages, and one tree of them and more")
    parser.add_argument("--only", choices=VERSIONS, help="this package alone")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--timeout", type=float, default=120, help="seconds after which a run is stopped (default: 120)")
    return parser.parse_args()


def _profile(tree: Tree) -> str:
    command = [sys.executable, "-m", "asyncvet", "check", ".", "--exit-zero", "--no-cache", "--verbose", "--output", os.devnull]
    lines = subprocess.run(command, cwd=tree.folder, stderr=subprocess.PIPE, text=True, check=True).stderr.splitlines()
    rules = [line for line in lines if line[9:13] == "    "]
    return "".join(f"{line}\n" for line in lines if line not in rules[SHOWN_RULES:])


def _machine() -> str:
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text(encoding="utf-8").splitlines() if cpus.exists() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    return f"{len(os.sched_getaffinity(0))} × {model}, {platform.system()}, Python {platform.python_version()}"


def _versions(peers: Path) -> str:
    command = [str(peers / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "freeze"]
    frozen = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    of = dict(line.split("==") for line in frozen if "==" in line)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    peers_shown = ", ".join(f"{name} {of[name]}" for name in (RUFF, HYDROID, FLAKE8, PYLINT) if name in of)
    return f"asyncvet at {commit.strip()}, {peers_shown}."


if __name__ == "__main__":
    main()
