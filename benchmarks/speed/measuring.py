"""Run a command and see what it took."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

LAUNCH = Path(__file__).with_name("launch.py")


NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run took, all of its processes together.

    Attributes:
        wall: Seconds from start to end.
        user: Seconds that processors worked for it, in user mode.
        peak: Megabytes of memory of its largest process.
        fault: Why there is nothing to compare; None if it came to its end.
    """

    wall: float
    user: float
    peak: float
    fault: str | None = None


def run(command: list[str], folder: Path, environment: Mapping[str, str], timeout: float) -> Sample:
    """Run a command in a folder. Exit status 1 says that it found something."""
    launch = [sys.executable, "-S", "-E", str(LAUNCH), str(timeout), *command]
    done = subprocess.run(launch, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    fault = None
    if found["status"] == -signal.SIGKILL and found["wall"] >= timeout:
        fault = f"over {timeout:.0f} s"
    elif found["status"] not in {0, 1}:
        fault = f"ended with status {found['status']}"
    return Sample(found["wall"], found["user"], found["peak"], fault)


def median(samples: Iterable[Sample]) -> Sample:
    """The median of each figure; the fault of one is that of all."""
    known = list(samples)
    fault = next((sample.fault for sample in known if sample.fault is not None), None)
    middle = [statistics.median(getattr(sample, name) for sample in known) for name in ("wall", "user", "peak")]
    return Sample(middle[0], middle[1], middle[2], fault)
