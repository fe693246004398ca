"""Tries one tool on all cases, in this process and with one kind of loop, and prints a line of JSON for each case.

    python -m verification.monitor.trial TOOL asyncio|uvloop [--pauses] [GROUP...]

With `--pauses`, another process stops this one for 120 ms, three times a second, as a busy machine or a debugger does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from verification.monitor.detectors import DETECTORS, Reports, watched
from verification.monitor.stalls import CASES, Case, Ground, ground

_PAUSING = """
import os, signal, sys, time
victim = int(sys.argv[1])
try:
    while os.getppid() == victim:
        time.sleep(0.3)
        os.kill(victim, signal.SIGSTOP)
        time.sleep(0.12)
        os.kill(victim, signal.SIGCONT)
except ProcessLookupError:
    pass
"""


def tried(name: str, case: Case, place: Ground, loop_factory: Any) -> Reports:  # noqa: ANN401
    """What a tool reports of a case."""
    detector = DETECTORS[name]
    reports: Reports = []
    run = case.make(place) if case.early else None
    with detector.around(reports):
        run = run or case.make(place)
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(watched(detector, run, reports))
    return reports


@contextlib.contextmanager
def pauses() -> Iterator[None]:
    """Have this process stopped again and again."""
    process = subprocess.Popen([sys.executable, "-c", _PAUSING, str(os.getpid())])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Run the trial that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool", choices=DETECTORS)
    parser.add_argument("loop", choices=("asyncio", "uvloop"))
    parser.add_argument("groups", nargs="*", default=["stall", "short", "fine", "evasive"])
    parser.add_argument("--pauses", action="store_true")
    options = parser.parse_args()
    loop_factory = None
    if options.loop == "uvloop":
        import uvloop

        loop_factory = uvloop.new_event_loop
    with ground() as place, pauses() if options.pauses else contextlib.nullcontext():
        for case in CASES:
            if case.group in options.groups:
                try:
                    reports = tried(options.tool, case, place, loop_factory)
                    error = ""
                except Exception as failure:  # noqa: BLE001: a tool that breaks the case is a result, too
                    reports, error = [], f"{type(failure).__name__}: {failure}"
                print(json.dumps({"group": case.group, "name": case.name, "reports": reports, "error": error}), flush=True)


if __name__ == "__main__":
    main()
