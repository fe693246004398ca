"""Run a command from a small process: `launch.py SECONDS COMMAND...` prints what it took as JSON.

A process counts as its own the memory of the one that it was forked from. This one is small, and imports nothing that is large.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time


def main() -> None:
    """Run it, and stop it after so many seconds."""
    timeout = float(sys.argv[1])
    quiet = subprocess.DEVNULL
    started = time.perf_counter()
    process = subprocess.Popen(sys.argv[2:], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    timer = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    figures = {"wall": wall, "user": usage.ru_utime, "peak": usage.ru_maxrss / 1024, "status": process.returncode}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
