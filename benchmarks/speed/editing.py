"""Edits as an editor server sees them: `python -m benchmarks.speed.editing FOLDER EDITS` prints the seconds until each has its findings."""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

LONGEST = 40
"""Seconds after which no more edits are made."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from an edit to fresh findings."""

    median: float
    last_percent: float


def measure(folder: Path, edits: int) -> Latency | None:
    """Edit files of a tree in a process of its own; None if this asyncvet serves no editor."""
    if find_spec("asyncvet.engine.workspace") is None:
        return None
    command = [sys.executable, "-m", "benchmarks.speed.editing", str(folder.absolute()), str(edits)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = sorted(json.loads(done.stdout))
    return Latency(1000 * statistics.median(seconds), 1000 * seconds[int(0.99 * (len(seconds) - 1))])


def main() -> None:
    """Add a line to one file after another, a hundred of them all over the tree."""
    from asyncvet.engine.workspace import Workspace  # noqa: PLC0415  # measured only where it is there

    folder, edits = Path(sys.argv[1]), int(sys.argv[2])
    workspace = Workspace(folder)
    workspace.report()
    files = [file for file in sorted(folder.rglob("*.py")) if file.stat().st_size > 1000]
    taken = []
    for number, file in zip(range(edits), itertools.cycle(files[:: max(1, len(files) // 100)]), strict=False):
        text = file.read_text(encoding="utf-8", errors="replace") + f"\nbenchmark_edit_{number} = {number}\n"
        started = time.perf_counter()
        workspace.update(file, text)
        workspace.report()
        taken.append(time.perf_counter() - started)
        if sum(taken) > LONGEST:
            break
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
