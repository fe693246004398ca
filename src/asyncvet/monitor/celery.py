"""The monitor in Celery workers: stalls of the loops that tasks run, tasks that wait for others, and event loops that tasks handle wrongly.

Celery is never imported where the program has not done so: `connect` takes its signals.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import inspect
import os
import sys
import threading
import time
from collections.abc import Callable
from types import CodeType, FrameType, TracebackType
from typing import Any

from asyncvet.monitor import light
from asyncvet.monitor.attribution import Work
from asyncvet.monitor.observation import Kind, Observation, StackFrame
from asyncvet.monitor.snapshot import Snapshot
from asyncvet.monitor.stacks import displayed, origin
from asyncvet.monitor.watchdog import MONITOR

RUNS = 20
"""That a task starts a loop of its own in each run is told after so many of them."""

TASKS = 1000
"""Of so many tasks the loops are counted."""

READY = 0.001
"""A result that is there takes no longer, in seconds."""

_WAITS = {"AsyncResult": ("get",), "ResultSet": ("join", "join_native")}
_MISUSE = {
    "attached to a different loop": "uses what belongs to the event loop of another run",
    "is bound to a different event loop": "uses what belongs to the event loop of another run",
    "Event loop is closed": "uses what belongs to an event loop that is closed",
    "This event loop is already running": "starts an event loop that runs already",
    "Cannot run the event loop while another loop is running": "starts an event loop while another one runs in its thread",
    "asyncio.run() cannot be called from a running event loop": "starts an event loop while another one runs in its thread",
    "There is no current event loop": "asks for an event loop where there is none",
    "Never call result.get() within a task": "waits for the result of another task",
}


class _Thread(threading.local):
    """What goes on in this thread.

    Attributes:
        works: The runs of tasks that are under way, the innermost last: one can call another one in its own process.
        loops: The event loops that the innermost one has run.
        is_waiting: It waits for a result.
    """

    def __init__(self) -> None:
        self.works: list[Work] = []
        self.loops: list[asyncio.AbstractEventLoop] = []
        self.is_waiting = False


class _Connection:
    """What is connected to Celery.

    Attributes:
        loops: How many event loops of their own runs of a task have made, by its name.
        left: How many of them were not closed.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._thread = _Thread()
        self.loops: dict[str, int] = {}
        self.left: dict[str, int] = {}
        self._undo: list[Callable[[], object]] = []

    def connect(self, signals: Any, results: Any) -> None:  # noqa: ANN401
        """Take the signals, and watch the methods that wait for results."""
        for signal, receiver in (
            (signals.worker_init, self._begin_worker),
            (signals.worker_process_init, self._begin_worker),
            (signals.task_prerun, self._begin_run),
            (signals.task_postrun, self._end_run),
            (signals.task_failure, self._failed),
        ):
            signal.connect(receiver, weak=False)
            self._undo.append(functools.partial(signal.disconnect, receiver))
        for owner, names in _WAITS.items():
            for name in names:
                self._watch_waits(getattr(results, owner), name)
        MONITOR.on_run = self._loop_runs

    def disconnect(self) -> None:
        """Take all of it back."""
        for undo in self._undo:
            undo()
        MONITOR.on_run = None

    # --- what Celery tells ------------------------------------------------------------------------

    def _begin_worker(self, **_: object) -> None:
        light.start(**self._settings)

    def _begin_run(self, task: Any, **_: object) -> None:  # noqa: ANN401
        work = Work(task.name)
        work.begin()
        self._thread.works.append(work)
        self._thread.loops = []

    def _end_run(self, task: Any, **_: object) -> None:  # noqa: ANN401
        if not self._thread.works:
            return
        with contextlib.suppress(ValueError):  # it was begun in another context
            self._thread.works.pop().end()
        loops, self._thread.loops = self._thread.loops, []
        # One loop that stays open may be kept for later runs; a second one tells that each run makes its own.
        if _count(self.left, task.name, sum(not loop.is_closed() for loop in loops)) == 2:
            self._tell(
                "loop-misuse",
                "leaves its event loop open in each run; close it, or use `asyncio.run`",
                task.name,
                _place(task.run),
            )

    def _failed(self, sender: Any, exception: BaseException, traceback: Any, **_: object) -> None:  # noqa: ANN401
        text = str(exception) if isinstance(exception, RuntimeError) else ""
        said = next((what for sign, what in _MISUSE.items() if sign in text), None)
        if said is not None and traceback is not None:
            self._tell("loop-misuse", said, sender.name, _user_frames_of(traceback))

    # --- what tasks do ----------------------------------------------------------------------------

    def _loop_runs(self, loop: asyncio.AbstractEventLoop) -> None:
        """Count a loop that a run of a task starts; called in its thread."""
        thread = self._thread
        if not thread.works or any(loop is known for known in thread.loops):
            return
        thread.loops.append(loop)
        name = thread.works[-1].name
        if _count(self.loops, name, 1) == RUNS:
            said = f"starts event loops of its own: {RUNS} by now; start one for the worker, and hand coroutines to it"
            self._tell("loop-misuse", said, name, _user_frames(sys._getframe()), calls=RUNS)

    def _watch_waits(self, owner: type, name: str) -> None:
        """Tell of calls of a method that a task makes, with the time that they take."""
        original = getattr(owner, name)

        @functools.wraps(original)
        def wait(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            thread = self._thread
            if not thread.works or thread.is_waiting:
                return original(*args, **kwargs)
            thread.is_waiting = True
            began, started = time.time(), time.monotonic()
            try:
                return original(*args, **kwargs)
            finally:
                thread.is_waiting = False
                if (lasted := time.monotonic() - started) > READY:
                    method = f"celery.result.{owner.__name__}.{name}"
                    stack = _user_frames(sys._getframe())
                    told = {"seconds": lasted, "time": began, "category": "celery-result"}
                    self._tell("result-wait", method, thread.works[-1].name, stack, **told)

        setattr(owner, name, wait)
        self._undo.append(functools.partial(setattr, owner, name, original))

    def _tell(self, kind: Kind, what: str, task: str, stack: tuple[StackFrame, ...], **fields: Any) -> None:  # noqa: ANN401
        observation = Observation(
            kind=kind,
            primitive=what,
            **{"category": "", "time": time.time(), **fields},
            stack=stack,
            process=os.getpid(),
            thread=threading.current_thread().name,
            request=task,
        )
        if MONITOR.is_on:
            MONITOR.tell(lambda: [observation])


def _count(counts: dict[str, int], name: str, more: int) -> int:
    """Count what a task did, and give the sum; 0 if nothing was to be counted."""
    if more and (name in counts or len(counts) < TASKS):
        counts[name] = counts.get(name, 0) + more
        return counts[name]
    return 0


def _user_frames(frame: FrameType | None) -> tuple[StackFrame, ...]:
    return () if frame is None else Snapshot(frame).cut()[0]


def _user_frames_of(traceback: TracebackType | None) -> tuple[StackFrame, ...]:
    """The user's frames that an error came through, the outermost first. The frames themselves do not know their callers any more."""
    found = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if origin(code.co_filename) == "user":
            found.append(StackFrame(displayed(code.co_filename), traceback.tb_lineno, code.co_qualname))
        traceback = traceback.tb_next
    return tuple(found)


def _place(function: Callable[..., object]) -> tuple[StackFrame, ...]:
    code: CodeType | None = getattr(function, "__code__", None)
    return () if code is None else (StackFrame(displayed(code.co_filename), code.co_firstlineno, code.co_qualname),)


_connections: list[_Connection] = []


def connect(**settings: Any) -> None:  # noqa: ANN401
    """Watch the tasks of the workers of this program. Called once, where its Celery app is made.

    Args:
        settings: Those of `asyncvet.monitor.start`.

    Raises:
        RuntimeError: The program has not imported Celery.
        TypeError: There is no such setting.
    """
    inspect.signature(light.start).bind(**settings)
    if "celery" not in sys.modules:
        raise RuntimeError("Celery is not imported here: call `connect` below `app = Celery(...)`")
    disconnect()
    connection = _Connection(settings)
    # By name, as asyncvet itself has no part in Celery: it is the program's.
    connection.connect(importlib.import_module("celery.signals"), importlib.import_module("celery.result"))
    _connections.append(connection)


def disconnect() -> None:
    """Take back what `connect` did."""
    while _connections:
        _connections.pop().disconnect()
