"""How long each callback of the loop keeps its thread, and where: for what computes, and for what waits in C extensions.

The wall time of every callback is taken. Above the bound it is reported if the thread used as much processor time, or if the
sampling thread, itself on time, saw the thread asleep in it. So neither a stopped process nor a busy machine is taken for a fault of
the program.
"""

from __future__ import annotations

import sys
import threading
import time
from asyncio.events import Handle
from collections.abc import Callable
from types import FrameType
from typing import Any

from asyncvet.monitor import stacks
from asyncvet.monitor.observation import Observation, Sample
from asyncvet.monitor.recording import RECORDER, ThreadState, beginning_of, caller_of, places_of, request_of, surroundings

PERIOD = 0.01
"""Seconds between two looks of the sampling thread."""
_PUNCTUAL = 0.004
"""Seconds by which it may be late and still prove that the process ran and that the interpreter's lock was free."""
_STALE = 0.005
"""Seconds for which a reading of a thread's processor time serves: to take it costs more than all the rest of a callback."""
_MOST_STACKS = 100
"""Different stacks that are kept of one callback."""

_CALLBACKS = {"call_soon": 0, "call_soon_threadsafe": 0, "call_later": 1, "call_at": 1, "add_reader": 1, "add_writer": 1}
"""Methods of uvloop's loop that take a callback, and at which position."""


class Sampled:
    """Where a callback was seen, and for how many seconds."""

    __slots__ = ("called", "innermost", "is_own", "places", "request", "seconds", "stack")

    def __init__(self, frame: FrameType) -> None:
        self.stack, self.called = stacks.cut(frame)
        shown = next((each for each in stacks.frames_of(frame) if stacks.origin(each.f_code.co_filename) != "monitor"), frame)
        self.innermost = stacks.function_name(shown)
        self.is_own = caller_of(frame) is None
        self.places = places_of(frame)
        self.request = request_of(frame)
        self.seconds = 0.0


class Timing:
    """Takes the time of callbacks while strict mode is on.

    Attributes:
        bound: Seconds that a callback may keep its thread.
    """

    def __init__(self) -> None:
        self.bound = 0.1
        self._ended = threading.Event()
        self._sampler: threading.Thread | None = None

    def start_sampling(self) -> None:
        """Start the thread that looks where callbacks are."""
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, args=(self._ended,), name="asyncvet-monitor", daemon=True)
        self._sampler.start()

    def stop_sampling(self) -> None:
        """End it."""
        self._ended.set()
        if self._sampler is not None:
            self._sampler.join(1)
        self._sampler = None

    def timed(self, handle: Any, call: Callable[..., Any], args: tuple[Any, ...]) -> Any:  # noqa: ANN401
        """Make a call of the loop's. What it gives or raises is left as it is."""
        state = RECORDER.state()
        outer = state.handle, state.started, state.own, state.cpu, state.cpu_read
        state.serial += 1
        started = time.perf_counter()
        if started - state.cpu_read > _STALE:
            state.cpu, state.cpu_read = time.thread_time(), started
        state.started, state.own, state.handle = started, 0.0, handle
        try:
            return call(*args)
        finally:
            elapsed = time.perf_counter() - started
            if elapsed >= self.bound:
                self._look_at(state, elapsed)
            if state.samples:
                state.samples, state.waited, state.scheduled = {}, 0.0, None
            if state.seen:
                RECORDER.flush(state)
            state.handle, state.started, state.own, *read = outer
            if outer[0] is not None:
                state.cpu, state.cpu_read = read

    def _look_at(self, state: ThreadState, elapsed: float) -> None:
        """Report the callback that has ended if it kept its thread for longer than the bound by what was not recorded yet."""
        computed = time.thread_time() - state.cpu
        explained = state.own + sum(seen.seconds or 0.0 for seen in state.seen.values())
        is_long = elapsed - explained >= self.bound and (computed >= self.bound or state.waited >= self.bound / 2)
        if not is_long or state.depth or not RECORDER.sessions:
            return
        state.depth += 1
        try:
            self._report(state, elapsed - explained, computed)
        finally:
            state.depth -= 1

    def _report(self, state: ThreadState, seconds: float, computed: float) -> None:
        samples = sorted(state.samples.values(), key=lambda each: -each.seconds)
        worst = samples[0] if samples else None
        if worst is not None and worst.is_own and computed < state.waited:
            return  # The loop's own wait, for the threads of its executor at its end.
        around = surroundings(state.handle)
        primitive = worst.innermost if worst is not None else around["callback"]
        observation = Observation(
            kind="long-callback",
            primitive=primitive,
            category="cpu" if computed >= state.waited else "wait",
            stack=worst.stack if worst is not None else beginning_of(state.handle),
            call=worst.called or primitive if worst is not None else primitive,
            seconds=seconds,
            cpu_seconds=computed,
            time=time.time() - seconds,
            request=worst.request if worst is not None else "",
            samples=tuple(Sample(stack, round(seen.seconds / PERIOD) or 1) for stack, seen in state.samples.items()),
            **around,
        )
        if not RECORDER.is_allowed(observation, worst.places if worst is not None else ()):
            RECORDER.hand_over(observation)

    def _sample(self, ended: threading.Event) -> None:
        before = time.perf_counter()
        while not ended.wait(PERIOD):
            now = time.perf_counter()
            busy = [
                (state, state.serial)
                for state in list(RECORDER.states.values())
                if state.handle is not None and now - state.started > 2 * PERIOD
            ]
            if busy:
                frames = sys._current_frames()
                for state, serial in busy:
                    frame = frames.get(state.ident)
                    if frame is not None and state.serial == serial:
                        _note(state, frame, min(now - before, now - state.started), now - before < PERIOD + _PUNCTUAL)
                del frames
            before = time.perf_counter()


def _note(state: ThreadState, frame: FrameType, seconds: float, is_punctual: bool) -> None:
    """Note where a callback is, and whether its thread has slept since it was last looked at."""
    stack = stacks.whole(frame)
    seen = state.samples.get(stack)
    if seen is None and len(state.samples) < _MOST_STACKS:
        seen = state.samples[stack] = Sampled(frame)
    if seen is not None:
        seen.seconds += seconds
    scheduled = _scheduled(state.native)
    if scheduled is not None and state.scheduled is not None and is_punctual:
        state.waited += max(seconds - (scheduled - state.scheduled), 0.0)
    state.scheduled = scheduled


def _scheduled(thread: int) -> float | None:
    """Seconds for which a thread has run or waited for a processor: for the rest of its life it slept. None where nobody says."""
    try:
        with open(f"/proc/self/task/{thread}/schedstat", encoding="ascii") as file:
            run, queued, _ = file.read().split()
    except (OSError, ValueError):
        return None
    return (int(run) + int(queued)) / 1e9


def timed_run(timing: Timing, original: Callable[[Handle], None]) -> Callable[[Handle], None]:
    """What stands in for `Handle._run`."""
    timed = timing.timed

    def _run(self: Handle) -> None:
        timed(self, original, (self,))

    return _run


class TimedCallback:
    """A callback that uvloop is given in place of another one: its handles are written in C."""

    __slots__ = ("__wrapped__", "_callback", "_timed")

    def __init__(self, callback: Callable[..., Any], timed: Callable[..., Any]) -> None:
        self._callback = self.__wrapped__ = callback
        self._timed = timed

    def __call__(self, *args: Any) -> Any:  # noqa: ANN401, D102
        return self._timed(self._callback, self._callback, args)

    def __repr__(self) -> str:
        return repr(self._callback)


def timed_methods(timing: Timing, loop: type) -> dict[str, Callable[..., Any]]:
    """What stands in for the methods of uvloop's loop that take a callback."""
    return {name: _timed_method(timing, getattr(loop, name), position) for name, position in _CALLBACKS.items()}


def _timed_method(timing: Timing, original: Callable[..., Any], position: int) -> Callable[..., Any]:
    timed = timing.timed

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if len(args) > position and callable(args[position]):
            callback = TimedCallback(args[position], timed)
            args = (*args[:position], callback, *args[position + 1 :])
        return original(self, *args, **kwargs)

    return method
