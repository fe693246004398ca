"""One event loop under watch: its heartbeat, the clocks of its thread, and what that thread runs now."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import sys
import threading
import time
from collections import deque
from types import FrameType

from asyncvet.monitor.histogram import Histogram
from asyncvet.monitor.snapshot import Snapshot
from asyncvet.monitor.stall import Clocks, Stall

_HANDLE = asyncio.Handle._run.__code__


class Watch:
    """One loop that is watched. Made in the thread that runs the loop.

    Attributes:
        interval: Seconds between two heartbeats.
        kind: ``asyncio``, ``uvloop``, or the dotted name of the loop's class.
        thread: Name of its thread.
        lag: How late the heartbeats were.
        beats: Number of heartbeats.
        last: When the last one was, by `time.monotonic`.
        late: Of the heartbeats that were late by `bound` or more: number, seconds, and since when, by `time.time`.
        stall: What is known of the stall under way.
        clocks: Readings of the watchdog's last look; None before the first.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, bound: float, outside: FrameType | None) -> None:
        """Set the heartbeat off.

        Args:
            loop: The loop.
            bound: Seconds from which on a late heartbeat is a stall.
            outside: The frame that calls the loop; None to find it.
        """
        self.loop = loop
        self.kind = _kind(loop)
        self.thread = threading.current_thread().name
        self.ident = threading.get_ident()
        self.lag = Histogram()
        self.beats = 0
        self.last = time.monotonic()
        self.late: deque[tuple[int, float, float]] = deque(maxlen=64)
        self.stall: Stall | None = None
        self._bound = bound
        self.interval = bound / 4
        self._outside = outside or _outside(inspect.currentframe())
        self._clock = time.pthread_getcpuclockid(self.ident) if hasattr(time, "pthread_getcpuclockid") else None
        self.clocks: Clocks | None = None
        self._native = threading.get_native_id()
        self._schedule: int | None = None
        self._is_on = True
        self._due = self.last + self.interval
        self._timer = loop.call_later(self.interval, self._beat)

    def _beat(self) -> None:
        """The heartbeat: called by the loop."""
        now = time.monotonic()
        self._count(now)
        self.beats += 1
        self.last = now
        if self._is_on:
            self._due = now + self.interval
            self._timer = self.loop.call_later(self.interval, self._beat)

    def _count(self, now: float) -> None:
        lag = max(now - self._due, 0.0)
        self.lag.add(lag)
        if lag >= self._bound:
            self.late.append((self.beats, lag, time.time() - lag))

    def stop(self) -> None:
        """End the heartbeat. A timer that is set fires once more, unless this is the loop's own thread."""
        self._is_on = False
        if threading.get_ident() == self.ident:
            self._timer.cancel()

    def end(self) -> None:
        """The same for a loop that is not run any more: a heartbeat that is late by now never came."""
        self.stop()
        if (now := time.monotonic()) > self._due:
            self._count(now)

    def is_late(self, now: float) -> bool:
        """Whether the heartbeat is late enough to look at what the loop's thread runs."""
        return now - self.last > 2 * self.interval

    def read_clocks(self, wall: float) -> Clocks:
        """The clocks as they are now; called by the watchdog, as it reads files of the kernel."""
        if self.clocks is None:
            self._schedule = _opened_schedule(self._native)
        own = delay = 0.0
        if self._schedule is not None:
            with contextlib.suppress(OSError):  # the thread has ended
                words = os.pread(self._schedule, 100, 0).split()
                own, delay = int(words[0]) / 1e9, int(words[1]) / 1e9
        elif self._clock is not None:
            with contextlib.suppress(OSError):  # the thread has ended
                own = time.clock_gettime(self._clock)
        return Clocks(wall, own, delay, time.process_time())

    def close(self) -> None:
        """Give back what the system holds for this watch."""
        if self._schedule is not None:
            os.close(self._schedule)
            self._schedule = None

    def running(self) -> tuple[object, Snapshot] | None:
        """What the loop runs now: the task or, of a callback, its outermost frame; and the stack.

        None if it is the loop itself that runs, or waits.
        """
        frame = sys._current_frames().get(self.ident)
        if frame is None:
            return None
        task = asyncio.current_task(self.loop)
        if task is not None:
            return task, Snapshot(frame)
        outer: FrameType | None = frame
        while outer is not None and outer.f_back is not None:
            if outer.f_back.f_code is _HANDLE or (outer.f_back is self._outside and not _is_asyncio(outer)):
                return outer, Snapshot(frame)
            outer = outer.f_back
        return None


_ASYNCIO = asyncio.base_events.__file__.removesuffix("base_events.py")


def _is_asyncio(frame: FrameType) -> bool:
    """Whether a frame is the loop's own: only loops that are written in Python have any."""
    return frame.f_code.co_filename.startswith(_ASYNCIO)


def _opened_schedule(native: int) -> int | None:
    """The kernel's account of a thread's processor time, and of its time in the queue for one; None where there is none."""
    try:
        file = os.open(f"/proc/self/task/{native}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    if len(os.pread(file, 100, 0).split()) == 3:
        return file
    os.close(file)
    return None


def _kind(loop: object) -> str:
    package = type(loop).__module__.partition(".")[0]
    return package if package in ("asyncio", "uvloop") else f"{type(loop).__module__}.{type(loop).__qualname__}"


def _outside(frame: FrameType | None) -> FrameType | None:
    """The frame that calls the loop, seen from a frame that the loop runs: the one outside of the outermost coroutine."""
    found = None
    while frame is not None:
        if frame.f_code.co_flags & inspect.CO_COROUTINE:
            found = frame.f_back
        frame = frame.f_back
    return found
