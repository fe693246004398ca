"""The watchdog: sees that an event loop stalls, and samples what it stalls on.

Each loop has a timer, the heartbeat. A thread, the watchdog, looks at the heartbeats; while one is late it samples what that loop's thread
runs. Nothing is done for a callback, a task or a call, and nothing of the process is changed while the monitor is off.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import functools
import inspect
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import FrameType
from typing import IO, Any, Literal

from asyncvet.monitor.attribution import waiting, work_of
from asyncvet.monitor.histogram import Histogram
from asyncvet.monitor.observation import Observation
from asyncvet.monitor.observing import observations
from asyncvet.monitor.stall import Look, Stall, causes, step_of
from asyncvet.monitor.watch import Watch

try:
    import resource
except ImportError:  # Windows
    _USAGE = None
else:
    _USAGE = getattr(resource, "RUSAGE_THREAD", None)  # macOS has none

LOG = logging.getLogger("asyncvet.monitor")

UNTOLD = 1000
"""So many stalls wait at most for being told."""

Sink = Callable[[Observation], None]
"""Told of each observation, in the reporter's thread."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What counts as a stall.

    Attributes:
        bound: A heartbeat that is so many seconds late is a stall.
        hang: After a stall of so many seconds the stacks of all threads are written down while it lasts; 0 for never.
        dump: The open file that they go to; None means standard error.
    """

    bound: float = 0.1
    hang: float = 10.0
    dump: IO[str] | None = None

    def __post_init__(self) -> None:
        if self.bound < 0.01:
            raise ValueError(f"bound={self.bound}: must be 0.01 seconds or more; the strict mode sees shorter stalls")
        if self.hang and self.hang < self.bound:
            raise ValueError(f"hang={self.hang}: must not be below bound={self.bound}; 0 writes no stacks")


Telling = Callable[[], Iterable[Observation]]
"""Gives what there is to tell, in the reporter's thread."""


@dataclass(slots=True)
class _State:
    """What is held while the monitor is on."""

    watches: dict[int, Watch] = field(default_factory=dict)
    lag: Histogram = field(default_factory=Histogram)
    wake: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    reporter: threading.Thread | None = None
    untold: queue.Queue[Telling | None] = field(default_factory=lambda: queue.Queue(UNTOLD))
    look: Look = field(default_factory=lambda: Look(time.monotonic(), 0))
    armed: float | None = None


class Monitor:
    """Watches the loops of this process. There is one, `MONITOR`.

    Attributes:
        on_run: Called, in its thread, with each loop that begins to run.
    """

    def __init__(self) -> None:
        self.settings = Settings()
        self.sinks: tuple[Sink, ...] = ()
        self.is_on = False
        self.on_run: Callable[[asyncio.AbstractEventLoop], None] | None = None
        self._lock = threading.RLock()  # a signal's handler may switch in the midst of switching
        self._state = _State()
        self._patched: list[tuple[type, Callable[..., None]]] = []

    # --- on and off -------------------------------------------------------------------------------

    def switch_on(self, settings: Settings, sinks: Iterable[Sink]) -> None:
        """Watch the loop that runs here, if one does, and every loop that is run from now on."""
        self.switch_off()
        with self._lock:
            self.settings, self.sinks = settings, tuple(sinks)
            self.is_on = True
            self._state = _State()
            self._patch()
            with contextlib.suppress(RuntimeError):
                self.watch(asyncio.get_running_loop())
                self.wake()

    def switch_off(self) -> None:
        """Stop watching, and put back what was changed."""
        with self._lock:
            if not self.is_on:
                return
            self.is_on = False
            state = self._state
            for watch in list(state.watches.values()):
                watch.stop()
                self._forget(state, watch)
            for owner, original in self._patched:
                owner.run_forever = original  # type: ignore[attr-defined]
            self._patched.clear()
            state.wake.set()
            if state.reporter is not None:
                with contextlib.suppress(queue.Full):
                    state.untold.put_nowait(None)
        for thread in (state.thread, state.reporter):
            if thread is not None and thread is not threading.current_thread():
                thread.join(timeout=1.0)

    def _patch(self) -> None:
        """Have every loop be watched while it is run."""
        owners: list[Any] = [asyncio.BaseEventLoop]
        if (uvloop := sys.modules.get("uvloop")) is not None:
            owners.append(uvloop.Loop)
        for owner in owners:
            self._patched.append((owner, owner.run_forever))
            owner.run_forever = self._watching(owner.run_forever)

    def _watching(self, original: Callable[[Any], None]) -> Callable[[Any], None]:
        @functools.wraps(original)
        def run_forever(loop: asyncio.AbstractEventLoop) -> None:
            if not self.is_on:  # a loop that was running when the monitor was switched off
                return original(loop)
            watch = self.watch(loop, inspect.currentframe())
            self.wake()
            if self.on_run is not None:
                self.on_run(loop)
            try:
                original(loop)
            finally:
                self.unwatch(watch)

        return run_forever

    # --- loops ------------------------------------------------------------------------------------

    def watch(self, loop: asyncio.AbstractEventLoop, outside: FrameType | None = None) -> Watch:
        """Watch a loop; called in the thread that runs it.

        Args:
            loop: The loop.
            outside: The frame that calls the loop; None to find it.
        """
        state = self._state
        known = state.watches.get(id(loop))
        if known is not None and known.loop is loop:
            return known
        watch = state.watches[id(loop)] = Watch(loop, self.settings.bound, outside)
        return watch

    @property
    def has_watchdog(self) -> bool:
        """Whether someone looks at the heartbeats."""
        return self._state.wake.is_set() or not self._state.watches

    def wake(self) -> None:
        """Have the watchdog look at the heartbeats; it does not while there is no loop."""
        with self._lock:
            state = self._state
            if state.thread is None:
                state.thread = threading.Thread(target=self._look_after, args=(state,), name="asyncvet-watchdog", daemon=True)
                state.thread.start()
            state.wake.set()

    def unwatch(self, watch: Watch) -> None:
        """End the watch of a loop that is not run any more."""
        watch.end()
        with self._lock:
            if self._forget(self._state, watch):
                self._tell_ended(watch)

    def _forget(self, state: _State, watch: Watch) -> bool:
        """Let go of a watch; whether it was known. The lock is held."""
        if state.watches.get(id(watch.loop)) is not watch:
            return False
        del state.watches[id(watch.loop)]
        state.lag.merge(watch.lag)
        watch.close()
        return True

    def lag(self) -> Histogram:
        """How late the heartbeats of all loops were since the monitor was switched on."""
        with self._lock:
            merged = Histogram()
            merged.merge(self._state.lag)
            for watch in list(self._state.watches.values()):
                merged.merge(watch.lag)
            return merged

    def tell(self, found: Telling) -> None:
        """Have the sinks told of what was observed, in a thread of its own: neither the loop nor the watchdog waits for them."""
        with self._lock:
            state = self._state
            if state.reporter is None:
                state.reporter = threading.Thread(target=self._report, args=(state,), name="asyncvet-reporter", daemon=True)
                state.reporter.start()
        with contextlib.suppress(queue.Full):  # memory is bounded: what is too much is not told
            state.untold.put_nowait(found)

    def _report(self, state: _State) -> None:
        while (found := state.untold.get()) is not None:
            for observation in found():
                for sink in self.sinks:
                    try:
                        sink(observation)
                    except Exception:  # the other sinks shall hear of it
                        LOG.exception("%r could not take an observation", sink)

    # --- the watchdog -----------------------------------------------------------------------------

    def _look_after(self, state: _State) -> None:
        pause = interval = self.settings.bound / 4
        while True:
            if not state.watches:
                self._disarm(state)
                state.wake.clear()
                if not state.watches and self._is_current(
                    state
                ):  # asked once more: both may have changed before the flag was cleared
                    state.wake.wait()
                state.look = _look()
            if not self._is_current(state):
                break
            time.sleep(pause)
            previous, state.look = state.look, _look()
            pause = 2 * interval
            with self._lock:
                for watch in list(state.watches.values()):
                    if watch.late or watch.stall or watch.is_late(state.look.wall):
                        pause = interval
                        self._examine(state, watch, (previous, state.look))
                    else:
                        watch.clocks = watch.read_clocks(state.look.wall)
            self._arm(state)
        self._disarm(state)

    def _is_current(self, state: _State) -> bool:
        return self.is_on and state is self._state

    def _examine(self, state: _State, watch: Watch, looks: tuple[Look, Look]) -> None:
        """Sample a loop that is late; tell of a stall that is over, or has become a hang."""
        now = looks[1].wall
        if watch.late or (watch.stall and watch.stall.turn != watch.beats):
            self._tell_ended(watch)
        if not watch.loop.is_running():
            self._forget(state, watch)
        elif watch.is_late(now):
            stall = watch.stall = watch.stall or Stall(watch.beats)
            lasted = now - watch.last
            if not self._sample(watch, stall, looks):
                watch.stall = None
            elif self.settings.hang and lasted > self.settings.hang and not stall.is_told:
                stall.is_told = True
                self._tell_stall(stall, watch, lasted, time.time() - lasted, "hang")

    def _sample(self, watch: Watch, stall: Stall, looks: tuple[Look, Look]) -> bool:
        """Take a sample; whether it is one of this stall, and the loop has not gone on before."""
        running = watch.running()
        if stall.turn != watch.beats:
            return False
        work = None if running is None else work_of(running[0])
        stall.waiting.update((id(each), each) for each in waiting(watch.loop))
        # Only now may the interpreter be given up: until here the loop could not go on.
        after = watch.read_clocks(looks[1].wall)
        before, watch.clocks = watch.clocks or after, after
        if running is not None:
            identity, snapshot = running
            step = stall.step(identity) or stall.begin(identity, step_of(identity))
            step.work = step.work or work  # a request's task may have been seen before it came to the middleware
            split = causes((before, after), looks, watch.interval)
            # A call in C that holds the interpreter is sampled once, at its end.
            was_held = looks[1].is_late(looks[0], watch.interval) and looks[1].was_held(looks[0])
            step.add(snapshot, split, step is stall.last or (was_held and split["computing"] >= self.settings.bound / 2))
            stall.last = step
        else:
            stall.last = None
        return True

    def _tell_ended(self, watch: Watch) -> None:
        """Tell of stalls that are over. The lock is held."""
        stall, watch.stall = watch.stall, None
        while watch.late:
            turn, seconds, began = watch.late.popleft()
            of_turn = stall if stall is not None and stall.turn == turn else Stall(turn)
            self._tell_stall(of_turn, watch, seconds, began, "stall")

    def _tell_stall(self, stall: Stall, watch: Watch, seconds: float, began: float, kind: Literal["stall", "hang"]) -> None:
        outcome = stall.outcome(seconds, self.settings.bound)
        self.tell(lambda: observations(kind, outcome, watch, seconds, began))

    def _arm(self, state: _State) -> None:
        """Have the interpreter write the stacks down if a loop, or this thread itself, hangs: a thread in C needs no turn for that."""
        hang, now = self.settings.hang, time.monotonic()
        if not hang or (state.armed is not None and now - state.armed < hang / 4):
            return
        if any(watch.is_late(now) for watch in list(state.watches.values())):
            return
        with contextlib.suppress(AttributeError, OSError, ValueError):  # there is no such file in this process
            faulthandler.dump_traceback_later(hang, file=self.settings.dump or sys.stderr)
            state.armed = now

    def _disarm(self, state: _State) -> None:
        if state.armed is not None:
            faulthandler.cancel_dump_traceback_later()
            state.armed = None

    def before_fork(self) -> None:
        """Have no timer of `faulthandler` set: a child would wait for ever for its thread, which it does not have."""
        self._disarm(self._state)

    def after_fork(self) -> None:
        """Begin anew in a child process, which has neither the parent's threads nor its loops."""
        self._lock = threading.RLock()
        for watch in self._state.watches.values():
            watch.close()
        self._state = _State()


def _look() -> Look:
    return Look(time.monotonic(), 0 if _USAGE is None else resource.getrusage(_USAGE).ru_nvcsw)


MONITOR = Monitor()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=MONITOR.before_fork, after_in_child=MONITOR.after_fork)
