"""The monitor for production: switched on and off in a running process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable
from types import FrameType
from typing import IO

from asyncvet.monitor.exporters import COUNTS, JsonLines, log
from asyncvet.monitor.watchdog import MONITOR, Settings, Sink

VARIABLE = "ASYNCVET_MONITOR"
"""The environment variable that keeps the monitor off where it is ``off`` or ``0``, until a signal switches it on."""


def start(
    *,
    bound: float = 0.1,
    hang: float = 10.0,
    dump: IO[str] | None = None,
    output: str | os.PathLike[str] | None = None,
    sinks: Iterable[Sink] = (),
    switch: int | None = None,
) -> None:
    """Watch the event loop that runs here, and every one that is run from now on in any thread of the process.

    Stalls are logged as warnings of the logger ``asyncvet.monitor`` and counted. Called a second time, it goes on with the new settings.

    Args:
        bound: Seconds from which on a loop that does not turn is a stall.
        hang: After so many seconds of a stall the stacks of all threads are written down while it lasts; 0 for never.
        dump: The open file that these stacks go to; None means standard error.
        output: File to which observations are added, as lines of JSON.
        sinks: Called with each observation, in the watchdog's thread.
        switch: A signal that switches the monitor off, and on again. Only the main thread can have that set.

    Raises:
        ValueError: A bound makes no sense, or the signal cannot be set here.
        OSError: The output cannot be written.
    """
    settings = Settings(bound, hang, dump)
    chosen: list[Sink] = [COUNTS.add, log, *sinks]
    if output is not None:
        chosen.append(JsonLines(output))

    def turn(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if MONITOR.is_on:
            MONITOR.switch_off()
        else:
            MONITOR.switch_on(settings, chosen)

    if switch is not None:
        if threading.current_thread() is not threading.main_thread():
            raise ValueError("switch: only the main thread can set a signal; call `start` there, or leave `switch` out")
        signal.signal(switch, turn)
    if os.environ.get(VARIABLE, "").lower() not in ("off", "0"):
        MONITOR.switch_on(settings, chosen)


def stop() -> None:
    """Watch nothing any more, and put back what was changed. What was counted stays."""
    MONITOR.switch_off()
