"""Threads, and what one thread waits for another with: locks, queues, futures, executors. And plain sleep."""

from __future__ import annotations

import concurrent.futures
import logging.handlers
import queue
import sched
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from verification.observing import Call
from verification.standard_library.registry import SECONDS, ends, exhaust, returns, waits

ZERO = "timeout=0"

# --- threads -------------------------------------------------------------------------------------


def busy(_: Path | None = None) -> tuple[threading.Thread, threading.Event]:
    """A thread that ends when the event is set."""
    event = threading.Event()
    thread = threading.Thread(target=event.wait, daemon=True)
    thread.start()
    return thread, event


def joining(_: Path) -> tuple[Call, Call]:
    """The end of a thread."""
    thread, event = busy()
    return thread.join, event.set


waits("threading.Thread.join", joining)
returns("threading.Thread.join", ZERO, lambda _: partial(busy()[0].join, 0))
ends("threading.Thread.join", lambda _: partial(busy()[0].join, SECONDS))

# --- locks ---------------------------------------------------------------------------------------

LOCKS = ("Lock", "RLock", "Condition", "Semaphore")


def held(kind: str) -> Any:  # noqa: ANN401 - any kind of lock
    """A lock that this thread holds."""
    lock = getattr(threading, kind)()
    lock.acquire()
    return lock


def acquiring(kind: str, method: str) -> Callable[[Path], tuple[Call, Call]]:
    """A held lock, and its release."""

    def setup(_: Path) -> tuple[Call, Call]:
        lock = held(kind)
        return getattr(lock, method), lock.release

    return setup


for _kind in LOCKS:
    _name = f"threading.{_kind}.acquire"
    waits(_name, acquiring(_kind, "acquire"))
    returns(_name, "blocking=False", lambda _, kind=_kind: partial(held(kind).acquire, False))  # type: ignore[misc]
    ends(_name, lambda _, kind=_kind: partial(held(kind).acquire, timeout=SECONDS))  # type: ignore[misc]
    returns(_name, ZERO, lambda _, kind=_kind: partial(held(kind).acquire, True, 0))  # type: ignore[misc]
waits("threading.Semaphore.__enter__", acquiring("Semaphore", "__enter__"))


def waiting(method: str, *arguments: object) -> Callable[[Path], tuple[Call, Call]]:
    """A condition, and its notification."""

    def setup(_: Path) -> tuple[Call, Call]:
        condition, told = threading.Condition(), threading.Event()

        def call() -> object:
            with condition:
                return getattr(condition, method)(*([told.is_set] if method == "wait_for" else []), *arguments)

        def notify() -> None:
            told.set()
            with condition:
                condition.notify_all()

        return call, notify

    return setup


for _method in ("wait", "wait_for"):
    _name = f"threading.Condition.{_method}"
    waits(_name, waiting(_method))
    returns(_name, ZERO, lambda d, method=_method: waiting(method, 0)(d)[0])  # type: ignore[misc]
    ends(_name, lambda d, method=_method: waiting(method, SECONDS)(d)[0])  # type: ignore[misc]


def event(_: Path) -> tuple[Call, Call]:
    """An event, and its setting."""
    made = threading.Event()
    return made.wait, made.set


waits("threading.Event.wait", event)
returns("threading.Event.wait", ZERO, lambda _: partial(threading.Event().wait, 0))
ends("threading.Event.wait", lambda _: partial(threading.Event().wait, SECONDS))


def barrier(_: Path) -> tuple[Call, Call]:
    """A barrier of two, and the coming of the second."""
    made = threading.Barrier(2)
    return made.wait, made.wait


waits("threading.Barrier.wait", barrier)
ends("threading.Barrier.wait", lambda _: partial(threading.Barrier(2).wait, SECONDS), raises=threading.BrokenBarrierError)

# --- queues --------------------------------------------------------------------------------------


def full() -> queue.Queue[int]:
    """A queue that holds one item, and does."""
    made: queue.Queue[int] = queue.Queue(1)
    made.put(1)
    return made


def getting(kind: Callable[[], Any]) -> Callable[[Path], tuple[Call, Call]]:
    """An empty queue, and an item for it."""

    def setup(_: Path) -> tuple[Call, Call]:
        made = kind()
        return made.get, partial(made.put, 1)

    return setup


def putting(_: Path) -> tuple[Call, Call]:
    """A full queue, and room in it."""
    made = full()
    return partial(made.put, 2), made.get


def worked_off(_: Path) -> tuple[Call, Call]:
    """An item to work off, and its end."""
    made = full()
    return made.join, made.task_done


for _queue in (queue.Queue, queue.SimpleQueue):
    _name = f"queue.{_queue.__name__}.get"
    waits(_name, getting(_queue))
    returns(_name, "block=False", lambda _, kind=_queue: partial(kind().get, False), raises=queue.Empty)  # type: ignore[misc]
    returns(_name, ZERO, lambda _, kind=_queue: partial(kind().get, True, 0), raises=queue.Empty)  # type: ignore[misc]
    ends(_name, lambda _, kind=_queue: partial(kind().get, timeout=SECONDS), raises=queue.Empty)  # type: ignore[misc]

PUT = "queue.Queue.put"
waits(PUT, putting)
returns(PUT, "block=False", lambda _: partial(full().put, 2, False), raises=queue.Full)
returns(PUT, ZERO, lambda _: partial(full().put, 2, True, 0), raises=queue.Full)
returns(PUT, "constructor maxsize absent", lambda _: partial(queue.Queue[int]().put, 2))
returns(PUT, "constructor maxsize=0", lambda _: partial(queue.Queue[int](0).put, 2))
ends(PUT, lambda _: partial(full().put, 2, timeout=SECONDS), raises=queue.Full)
waits("queue.Queue.join", worked_off)


def listening(_: Path) -> tuple[Call, Call]:
    """A listener that still handles a record, and the end of that."""
    may_end = threading.Event()
    handler = logging.Handler()
    handler.emit = lambda _: may_end.wait()  # type: ignore[assignment, method-assign]
    records: queue.Queue[object] = queue.Queue()
    records.put(logging.makeLogRecord({}))
    listener = logging.handlers.QueueListener(records, handler)
    listener.start()
    return listener.stop, may_end.set


waits("logging.handlers.QueueListener.stop", listening)

# --- concurrent.futures --------------------------------------------------------------------------


def unfinished() -> Future[int]:
    """A future that nothing has finished."""
    return Future()


def finishing(call: Callable[[Future[int]], object]) -> Callable[[Path], tuple[Call, Call]]:
    """What waits for a future, and its result."""

    def setup(_: Path) -> tuple[Call, Call]:
        future = unfinished()
        return partial(call, future), partial(future.set_result, 1)

    return setup


FUTURE = "concurrent.futures.Future"
for _method in ("result", "exception"):
    _name = f"{FUTURE}.{_method}"
    waits(_name, finishing(lambda future, method=_method: getattr(future, method)()))  # type: ignore[misc]
    returns(_name, ZERO, lambda _, method=_method: partial(getattr(unfinished(), method), 0), raises=TimeoutError)  # type: ignore[misc]
    ends(_name, lambda _, method=_method: partial(getattr(unfinished(), method), SECONDS), raises=TimeoutError)  # type: ignore[misc]

waits("concurrent.futures.wait", finishing(lambda future: concurrent.futures.wait([future])))
returns("concurrent.futures.wait", ZERO, lambda _: partial(concurrent.futures.wait, [unfinished()], 0))
ends("concurrent.futures.wait", lambda _: partial(concurrent.futures.wait, [unfinished()], SECONDS))
# A generator: the loop over it waits.
waits("concurrent.futures.as_completed", finishing(lambda future: exhaust(concurrent.futures.as_completed([future]))))
ends(
    "concurrent.futures.as_completed",
    lambda _: lambda: exhaust(concurrent.futures.as_completed([unfinished()], SECONDS)),
    raises=TimeoutError,
)

EXECUTOR = "concurrent.futures.Executor"


def executing(call: Callable[[ThreadPoolExecutor], object]) -> Callable[[Path], tuple[Call, Call]]:
    """An executor whose worker is busy, and the end of its work."""

    def setup(_: Path) -> tuple[Call, Call]:
        may_end = threading.Event()
        executor = ThreadPoolExecutor(1)
        executor.submit(may_end.wait)
        return partial(call, executor), may_end.set

    return setup


waits(f"{EXECUTOR}.shutdown", executing(lambda executor: executor.shutdown()))
waits(f"{EXECUTOR}.__exit__", executing(lambda executor: executor.__exit__(None, None, None)))
returns(f"{EXECUTOR}.shutdown", "wait=False", lambda d: executing(lambda executor: executor.shutdown(False))(d)[0])
waits(f"{EXECUTOR}.map.__iter__", executing(lambda executor: exhaust(executor.map(abs, [1]))))
waits(f"{EXECUTOR}.map.__next__", executing(lambda executor: next(executor.map(abs, [1]))))

# --- sleep ---------------------------------------------------------------------------------------


def nothing() -> None:
    """Nobody can end a sleep: it ends by itself."""


waits("time.sleep", lambda _: (partial(time.sleep, 1), nothing))
returns("time.sleep", "#0=0", lambda _: partial(time.sleep, 0))
ends("time.sleep", lambda _: partial(time.sleep, SECONDS))


def scheduled() -> sched.scheduler:
    """A scheduler with an event that is due in a second."""
    made = sched.scheduler()
    made.enter(1, 0, nothing)
    return made


waits("sched.scheduler.run", lambda _: (scheduled().run, nothing))
returns("sched.scheduler.run", "blocking=False", lambda _: partial(scheduled().run, False))
