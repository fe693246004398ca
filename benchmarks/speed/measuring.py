"""Run a command and see what it took."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


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
    started = time.perf_counter()
    with open(os.devnull, "rb") as nothing, open(os.devnull, "wb") as lost:  # noqa: PTH123  # these are no paths
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=nothing,
            stdout=lost,
            stderr=lost,
            start_new_session=True,
        )
    timer = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    fault = None
    if process.returncode == -signal.SIGKILL and wall >= timeout:
        fault = f"over {timeout:.0f} s"
    elif process.returncode not in {0, 1}:
        fault = f"ended with status {process.returncode}"
    return Sample(wall, usage.ru_utime, usage.ru_maxrss / 1024, fault)


def median(samples: Iterable[Sample]) -> Sample:
    """The median of each figure; the fault of one is that of all."""
    known = list(samples)
    fault = next((sample.fault for sample in known if sample.fault is not None), None)
    middle = [statistics.median(getattr(sample, name) for sample in known) for name in ("wall", "user", "peak")]
    return Sample(middle[0], middle[1], middle[2], fault)
