"""What happens on each thread while strict mode is on, and what becomes of a blocking call that was seen.

One `Recorder` serves the whole process. Sessions of strict mode stand on it like a stack: what is seen goes to the innermost.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import threading
import time
from asyncio import Task, current_task
from asyncio.events import _get_running_loop
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import Any, NamedTuple

from asyncvet.monitor import stacks
from asyncvet.monitor.allowing import Allowance
from asyncvet.monitor.observation import Observation, StackFrame

MOST = 10_000
"""Observations that a session keeps; further ones are counted only."""

# Functions of the standard library whose waits are none of the program's: what shows source, as tracebacks do, reads it, what logs
# writes, and a thread that is started is waited for until it runs.
_OWN_DOINGS = {
    ("linecache.py", None),
    ("traceback.py", None),
    ("warnings.py", None),
    ("inspect.py", "findsource"),
    ("inspect.py", "getsourcefile"),
    (f"logging{os.sep}__init__.py", None),
    (f"logging{os.sep}handlers.py", None),
    ("threading.py", "Thread.start"),
}
_RUNNERS = tuple(f"{os.sep}site-packages{os.sep}{name}{os.sep}" for name in ("_pytest", "pluggy", "coverage"))


class Primitive(NamedTuple):
    """What the catalogue says of a call that waits: its name there, and its category."""

    name: str
    category: str


class Seen:
    """A blocking call of the callback that runs, and its repetitions from the same place."""

    __slots__ = ("calls", "observation", "seconds")

    def __init__(self, observation: Observation) -> None:
        self.observation = observation
        self.seconds: float | None = None
        self.calls = 0


class ThreadState:
    """What one thread is at.

    Attributes:
        depth: Above 0 within a primitive or within the monitor: what happens there belongs to it.
        handle: What the loop called, and is not done with; None between callbacks.
        started: When it was called, by `time.perf_counter`.
        own: Seconds that the monitor has taken in it for its own work.
        cpu: Processor time of the thread at `cpu_read`, which is before `started` by a few milliseconds at most.
        cpu_read: See `cpu`.
        serial: Number of the callback, for whoever looks on from another thread.
        seen: What was seen in it so far, by place and primitive.
        samples: Where the sampling thread saw it, and for how many seconds each.
        waited: Seconds for which it slept in this callback while the sampling thread was on time.
        scheduled: Seconds for which it had run or waited for a processor when it was last sampled; None before that.
    """

    def __init__(self) -> None:
        self.ident = threading.get_ident()
        self.native = threading.get_native_id()
        self.depth = 0
        self.handle: Any = None
        self.started = 0.0
        self.own = 0.0
        self.cpu = 0.0
        self.cpu_read = 0.0
        self.serial = 0
        self.seen: dict[Any, Seen] = {}
        self.samples: dict[Any, Any] = {}
        self.waited = 0.0
        self.scheduled: float | None = None


class Session(NamedTuple):
    """Where observations go: a list, rules, and who is told of each (an output file)."""

    observations: list[Observation]
    allowances: list[Allowance]
    tell: Callable[[Observation], None]
    label: Callable[[], str]


class Recorder:
    """The state of strict mode in this process."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.dropped = 0
        self.states: dict[int, ThreadState] = {}
        self._local = threading.local()
        self._lock = threading.RLock()

    def state(self) -> ThreadState:
        """The state of the thread that asks."""
        try:
            found: ThreadState = self._local.state
        except AttributeError:
            found = self._local.state = ThreadState()
            self.states[found.ident] = found
        return found

    def forget_threads(self) -> None:
        """Start anew in a forked child: its only thread is the one that forked, and no lock of others is held."""
        self._local = threading.local()
        self._lock = threading.RLock()
        self.states = {}

    def watch(self, primitive: Primitive, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
        """Make a call that waits, on a thread whose loop is running, and record it. What it gives or raises is left as it is."""
        state = self.state()
        if state.depth or not self.sessions:
            return call(*args, **kwargs)
        process = os.getpid()
        state.depth += 1
        began = time.perf_counter()
        try:
            return call(*args, **kwargs)
        finally:
            seconds = time.perf_counter() - began
            state.depth -= 1
            if os.getpid() == process:
                self.saw(primitive, seconds, sys._getframe(1))

    def saw(self, primitive: Primitive, seconds: float | None, frame: FrameType) -> None:
        """Note a blocking call that was made from a frame. Never raises, and nothing that it does itself is recorded."""
        state = self.state()
        if state.depth or not self.sessions:
            return
        state.depth += 1
        try:
            self._note(state, primitive, seconds, frame)
        except Exception as error:  # a fault here must not become one of the program
            sys.stderr.write(f"asyncvet monitor: this is a fault of asyncvet: {type(error).__name__}: {error}\n")
        finally:
            state.depth -= 1

    def _note(self, state: ThreadState, primitive: Primitive, seconds: float | None, frame: FrameType) -> None:
        caller = caller_of(frame)
        if caller is None:
            return
        key = (primitive.name, caller.f_code, caller.f_lasti, frame.f_code, frame.f_lasti)
        seen = state.seen.get(key)
        if seen is None:
            observation = self._observation(primitive, frame)
            if self.is_allowed(observation, places_of(frame)):
                return
            seen = state.seen[key] = Seen(observation)
        seen.calls += 1
        if seconds is not None:
            seen.seconds = (seen.seconds or 0.0) + seconds
        if state.handle is None:
            self.flush(state)

    def _observation(self, primitive: Primitive, frame: FrameType) -> Observation:
        stack, called = stacks.cut(frame)
        return Observation(
            kind="blocking-call",
            primitive=primitive.name,
            category=primitive.category,
            stack=stack,
            call=called or primitive.name,
            time=time.time(),
            request=request_of(frame) or self.sessions[-1].label(),
            **surroundings(self.state().handle),
        )

    def is_allowed(self, observation: Observation, places: Iterable[str]) -> bool:
        """Whether a rule leaves it alone. Each rule is asked, so that none seems to be unused beside another."""
        names = (observation.primitive, observation.call, observation.category)
        found = [rule.allows(names, places) for session in self.sessions for rule in session.allowances]
        return any(found)

    def flush(self, state: ThreadState) -> None:
        """Hand over what was seen in the callback that has ended."""
        pending, state.seen = state.seen, {}
        for seen in pending.values():
            self.hand_over(dataclasses.replace(seen.observation, calls=seen.calls, seconds=seen.seconds))

    def hand_over(self, observation: Observation) -> None:
        """Give an observation to the innermost session."""
        with self._lock:
            if not self.sessions:
                return
            session = self.sessions[-1]
            if len(session.observations) < MOST:
                session.observations.append(observation)
            else:
                self.dropped += 1
        state = self.state()
        state.depth += 1
        try:
            session.tell(observation)
        finally:
            state.depth -= 1

    def flush_all(self) -> None:
        """Hand over what threads have seen in callbacks that are not done."""
        for state in list(self.states.values()):
            if state.seen:
                self.flush(state)


def caller_of(frame: FrameType) -> FrameType | None:
    """The frame that a call is put down to: the innermost that belongs to the user or to a library.

    None where it is the doing of the event loop itself, of what runs tests, or of what the standard library does to show errors.
    A callback that is a primitive itself was given to the loop by somebody: the loop's frame stands for it.
    """
    for each in stacks.frames_of(frame):
        code = each.f_code
        kind = stacks.origin(code.co_filename)
        if kind in ("user", "library"):
            return None if any(part in code.co_filename for part in _RUNNERS) else each
        if kind == "event-loop":
            return each if code.co_qualname == "Handle._run" else None
        if kind == "monitor" and code.co_qualname == "TimedCallback.__call__":
            return each
        if kind == "standard-library" and _is_own_doing(code):
            return None
    return None if frame is None else frame


def places_of(frame: FrameType) -> tuple[str, ...]:
    """What allow rules may call the frames that made a call: up to the innermost of the user's, each by its path and by its name."""
    found: list[str] = []
    for each in stacks.frames_of(frame):
        kind = stacks.origin(each.f_code.co_filename)
        if kind != "monitor":
            found += (stacks.displayed(each.f_code.co_filename), stacks.function_name(each))
        if kind == "user":
            break
    return tuple(found)


def _is_own_doing(code: CodeType) -> bool:
    return any(
        code.co_filename.endswith(os.sep + path) and (name is None or code.co_qualname.startswith(name))
        for path, name in _OWN_DOINGS
    )


def surroundings(handle: Any) -> dict[str, Any]:  # noqa: ANN401
    """The thread, the loop, the task and the callback that run now; `handle` is what the loop called."""
    loop = _get_running_loop()
    task = current_task() if loop is not None else None
    return {
        "process": os.getpid(),
        "thread": threading.current_thread().name,
        "loop": loop_kind(loop),
        "task": task.get_name() if task is not None else "",
        "callback": callback_name(task, handle),
    }


def loop_kind(loop: object) -> str:
    """The kind of an event loop: ``asyncio``, ``uvloop`` or the name of its class."""
    if loop is None:
        return ""
    home = type(loop).__module__
    if home == "asyncio" or home.startswith("asyncio."):
        return "asyncio"
    return "uvloop" if home.partition(".")[0] == "uvloop" else f"{home}.{type(loop).__qualname__}"


def beginning_of(handle: Any) -> tuple[StackFrame, ...]:  # noqa: ANN401
    """Where the coroutine or function begins that the loop called: for a callback of which nothing else was seen."""
    called = _called(handle)
    code = getattr(called, "cr_code", None) or getattr(called, "__code__", None)
    if not isinstance(code, CodeType):
        return ()
    return (StackFrame(stacks.displayed(code.co_filename), code.co_firstlineno, code.co_qualname),)


def _called(handle: Any) -> Any:  # noqa: ANN401
    """The coroutine of the task that a handle runs, or the function that it calls."""
    called = getattr(handle, "_callback", handle)
    owner = getattr(called, "__self__", None)
    return owner.get_coro() if isinstance(owner, Task) else called


def callback_name(task: Task[Any] | None, handle: Any) -> str:  # noqa: ANN401
    """The name of what the loop called: of the coroutine that a task runs, or of a function."""
    called = task.get_coro() if task is not None else _called(handle)
    name = getattr(called, "__qualname__", None) or getattr(called, "__name__", None)
    return name if isinstance(name, str) else type(called).__name__ if called is not None else ""


def request_of(frame: FrameType) -> str:
    """The ASGI request that a frame serves, such as ``GET /items``; empty if it serves none."""
    for each in stacks.frames_of(frame):
        if "scope" in each.f_code.co_varnames[: each.f_code.co_argcount]:
            scope = each.f_locals.get("scope")
            if isinstance(scope, dict) and scope.get("type") in ("http", "websocket"):
                method = scope.get("method", "WEBSOCKET")
                return f"{method} {scope.get('path', '')}"
    return ""


RECORDER = Recorder()
"""The only one of this process."""
