"""multiprocessing: workers, queues, connections, locks and managers, with real processes where it takes two."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import multiprocessing.managers
import os
import queue
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from verification.observing import NEW_PROCESS, Call
from verification.standard_library.registry import SECONDS, Setup, ends, exhaust, on_disk, returns, waits

ZERO = "timeout=0"
LARGE = b"x" * (1 << 20)
"""More than a pipe holds."""


def gate(directory: Path) -> tuple[Path, Call]:
    """A path that can be read once the second is called: what workers wait for."""
    path = directory / "gate"
    os.mkfifo(path)
    return path, lambda: path.write_text("open")


# --- processes -----------------------------------------------------------------------------------


def process(directory: Path) -> tuple[Any, Call]:
    """A process, and its end."""
    path, end = gate(directory)
    made = multiprocessing.Process(target=Path.read_text, args=(path,))
    made.start()
    return made, end


def joining(directory: Path) -> tuple[Call, Call]:
    """The end of a process."""
    made, end = process(directory)
    return made.join, end


on_disk("multiprocessing.Process.start", lambda _: multiprocessing.Process(target=int).start, through=NEW_PROCESS)
waits("multiprocessing.Process.join", joining)
returns("multiprocessing.Process.join", ZERO, lambda d: partial(process(d)[0].join, 0))
ends("multiprocessing.Process.join", lambda d: partial(process(d)[0].join, SECONDS))

# --- pools ---------------------------------------------------------------------------------------

POOL = "multiprocessing.pool.Pool"


def pooled(call: Callable[[Any, Path], object]) -> Setup:
    """What waits for a worker of a pool, and the end of the work."""

    def setup(directory: Path) -> tuple[Call, Call]:
        path, end = gate(directory)
        pool = multiprocessing.Pool(1)
        return partial(call, pool, path), end

    return setup


def pending(method: str, then: Callable[[Any], object]) -> Callable[[Any, Path], object]:
    """What is done with the result of a pool's method."""
    return lambda pool, path: then(getattr(pool, method)(Path.read_text, (path,) if method == "apply_async" else [path]))


def stopped(pool: Any, path: Path) -> None:  # noqa: ANN401 - a pool
    """The end of a pool whose worker still works."""
    pool.apply_async(Path.read_text, (path,))
    pool.close()
    pool.join()


for _name in ("multiprocessing.Pool", POOL, "multiprocessing.context.BaseContext.Pool"):
    _make = (
        multiprocessing.get_context().Pool
        if "Base" in _name
        else multiprocessing.pool.Pool
        if _name == POOL
        else multiprocessing.Pool
    )
    on_disk(_name, lambda _, make=_make: partial(make, 1), through=NEW_PROCESS)  # type: ignore[misc]
waits(f"{POOL}.apply", pooled(lambda pool, path: pool.apply(Path.read_text, (path,))))
waits(f"{POOL}.map", pooled(lambda pool, path: pool.map(Path.read_text, [path])))
waits(f"{POOL}.starmap", pooled(lambda pool, path: pool.starmap(Path.read_text, [(path,)])))
waits(f"{POOL}.join", pooled(stopped))

ITERATOR = "multiprocessing.pool.IMapIterator"
TIMED: dict[str, tuple[str, Callable[..., Any]]] = {
    "multiprocessing.pool.AsyncResult.get": ("apply_async", lambda result, *given: result.get(*given)),
    "multiprocessing.pool.AsyncResult.wait": ("apply_async", lambda result, *given: result.wait(*given)),
    f"{ITERATOR}.next": ("imap", lambda result, *given: result.next(*given)),
}
for _name, (_method, _then) in TIMED.items():
    waits(_name, pooled(pending(_method, _then)))
    for _given in (0, SECONDS):
        _call = lambda d, method=_method, then=_then, given=_given: pooled(pending(method, lambda got: then(got, given)))(d)[0]  # noqa: E731
        if _given:
            ends(_name, _call, raises=multiprocessing.TimeoutError)
        else:
            returns(_name, ZERO, _call, raises=multiprocessing.TimeoutError)
waits(f"{ITERATOR}.__next__", pooled(pending("imap", next)))
waits(f"{ITERATOR}.__iter__", pooled(pending("imap", exhaust)))


def deaf() -> None:
    """Make a worker that does not end when it is asked to."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def terminating(method: str, *arguments: object) -> Setup:
    """The end of a pool whose worker has to be killed, and that."""

    def setup(directory: Path) -> tuple[Call, Call]:
        path, _ = gate(directory)
        pool = multiprocessing.Pool(1, deaf)
        worker = pool.apply(os.getpid)
        pool.apply_async(Path.read_text, (path,))
        os.open(path, os.O_WRONLY)  # comes when the worker has begun to read, which ends never
        return partial(getattr(pool, method), *arguments), partial(os.kill, worker, signal.SIGKILL)

    return setup


waits(f"{POOL}.terminate", terminating("terminate"))
waits(f"{POOL}.__exit__", terminating("__exit__", None, None, None))

# --- queues --------------------------------------------------------------------------------------

QUEUES = "multiprocessing.queues"


def getting(kind: Callable[[], Any]) -> Setup:
    """An empty queue, and an item for it."""

    def setup(_: Path) -> tuple[Call, Call]:
        made = kind()
        return made.get, partial(made.put, 1)

    return setup


def full() -> Any:  # noqa: ANN401 - a queue
    """A queue that holds one item, and does."""
    made: Any = multiprocessing.JoinableQueue(1)
    made.put(1)
    return made


def unbounded(*size: int) -> Any:  # noqa: ANN401 - a queue
    """A queue that is never full."""
    return multiprocessing.Queue(*size)


def from_full(method: str, release: str, *arguments: object) -> Setup:
    """A call of a full queue, and what lets it go on."""

    def setup(_: Path) -> tuple[Call, Call]:
        made = full()
        return partial(getattr(made, method), *arguments), getattr(made, release)

    return setup


def fed(_: Path) -> tuple[Call, Call]:
    """The end of the thread that writes a large item, and the reading of it."""
    made: Any = multiprocessing.Queue()
    made.put(LARGE)
    reader = multiprocessing.connection.Connection(os.dup(made._reader.fileno()), writable=False)
    made.close()  # without it nothing can be joined, and after it nothing can be got
    return made.join_thread, reader.recv_bytes


def piped(_: Path) -> tuple[Call, Call]:
    """A large item for a queue without a thread, and the reading of it."""
    made: Any = multiprocessing.SimpleQueue()
    return partial(made.put, LARGE), made.get


GET, PUT = f"{QUEUES}.Queue.get", f"{QUEUES}.Queue.put"
waits(GET, getting(multiprocessing.Queue))
returns(GET, "block=False", lambda _: partial(multiprocessing.Queue().get, False), raises=queue.Empty)
returns(GET, ZERO, lambda _: partial(multiprocessing.Queue().get, True, 0), raises=queue.Empty)
ends(GET, lambda _: partial(multiprocessing.Queue().get, timeout=SECONDS), raises=queue.Empty)
waits(PUT, from_full("put", "get", 2))
returns(PUT, "block=False", lambda _: partial(full().put, 2, False), raises=queue.Full)
returns(PUT, ZERO, lambda _: partial(full().put, 2, True, 0), raises=queue.Full)
returns(PUT, "constructor maxsize absent", lambda _: partial(unbounded().put, LARGE))
returns(PUT, "constructor maxsize=0", lambda _: partial(unbounded(0).put, LARGE))
ends(PUT, lambda _: partial(full().put, 2, timeout=SECONDS), raises=queue.Full)
waits(f"{QUEUES}.JoinableQueue.join", from_full("join", "task_done"))
waits(f"{QUEUES}.Queue.join_thread", fed)
waits(f"{QUEUES}.SimpleQueue.get", getting(multiprocessing.SimpleQueue))
waits(f"{QUEUES}.SimpleQueue.put", piped)

# --- connections ---------------------------------------------------------------------------------

CONNECTION = "multiprocessing.connection.Connection"


def receiving(method: str, *arguments: object) -> Setup:
    """A pipe, and something sent through it."""

    def setup(_: Path) -> tuple[Call, Call]:
        ours, theirs = multiprocessing.Pipe()
        return partial(getattr(ours, method), *arguments), partial(theirs.send, "sent")

    return setup


def sending(method: str, receive: str) -> Setup:
    """A pipe that holds less than is sent, and the reader of it."""

    def setup(_: Path) -> tuple[Call, Call]:
        ours, theirs = multiprocessing.Pipe()
        return partial(getattr(ours, method), LARGE), getattr(theirs, receive)

    return setup


def end() -> Any:  # noqa: ANN401 - a connection
    """The end of a pipe to which nobody writes; the other end stays open."""
    ours, theirs = multiprocessing.Pipe()
    ours.other = theirs  # type: ignore[attr-defined]
    return ours


def waiting(seconds: float) -> Call:
    """The wait for one of two pipes."""
    return partial(multiprocessing.connection.wait, [end(), end()], seconds)


def waited_for(_: Path) -> tuple[Call, Call]:
    """A pipe to wait for, and something sent through it."""
    ours, theirs = multiprocessing.Pipe()
    return partial(multiprocessing.connection.wait, [ours]), partial(theirs.send, "sent")


waits(f"{CONNECTION}.recv", receiving("recv"))
waits(f"{CONNECTION}.recv_bytes", receiving("recv_bytes"))
waits(f"{CONNECTION}.recv_bytes_into", receiving("recv_bytes_into", bytearray(1000)))
waits(f"{CONNECTION}.send", sending("send", "recv"))
waits(f"{CONNECTION}.send_bytes", sending("send_bytes", "recv_bytes"))
waits(f"{CONNECTION}.poll", receiving("poll", None))
WAIT = "multiprocessing.connection.wait"
waits(WAIT, waited_for)
returns(WAIT, ZERO, lambda _: waiting(0))
ends(WAIT, lambda _: waiting(SECONDS))

KEY = b"key"


def listener(directory: Path) -> multiprocessing.connection.Listener:
    """What listens at a path of the directory, and wants to be shown the key."""
    return multiprocessing.connection.Listener(str(directory / "socket"), authkey=KEY)


def client(directory: Path) -> Call:
    """What connects to it."""
    return partial(multiprocessing.connection.Client, str(directory / "socket"), authkey=KEY)


def accepting(directory: Path) -> tuple[Call, Call]:
    """A listener, and a client that connects."""
    return listener(directory).accept, client(directory)


def connecting(directory: Path) -> tuple[Call, Call]:
    """A client, and the listener's acceptance."""
    return client(directory), listener(directory).accept


waits("multiprocessing.connection.Listener.accept", accepting)
waits("multiprocessing.connection.Client", connecting)

# --- locks ---------------------------------------------------------------------------------------

LOCKS = "multiprocessing.synchronize"


def held(kind: str) -> Any:  # noqa: ANN401 - any kind of lock
    """A lock that this thread holds."""
    lock = getattr(multiprocessing, kind)()
    lock.acquire()
    return lock


def acquiring(kind: str, method: str) -> Setup:
    """A held lock, and its release."""

    def setup(_: Path) -> tuple[Call, Call]:
        lock = held(kind)
        return getattr(lock, method), lock.release

    return setup


for _kind in ("Lock", "RLock", "Semaphore", "Condition"):
    _name = f"{LOCKS}.{_kind}.acquire"
    waits(_name, acquiring(_kind, "acquire"))
    returns(_name, "block=False", lambda _, kind=_kind: partial(held(kind).acquire, False))  # type: ignore[misc]
    returns(_name, ZERO, lambda _, kind=_kind: partial(held(kind).acquire, True, 0))  # type: ignore[misc]
    ends(_name, lambda _, kind=_kind: partial(held(kind).acquire, timeout=SECONDS))  # type: ignore[misc]
waits(f"{LOCKS}.SemLock.__enter__", acquiring("Lock", "__enter__"))


def condition(method: str, *arguments: object) -> Setup:
    """A condition, and its notification."""

    def setup(_: Path) -> tuple[Call, Call]:
        made, told = multiprocessing.Condition(), threading.Event()

        def call() -> object:
            with made:
                return getattr(made, method)(*([told.is_set] if method == "wait_for" else []), *arguments)

        def notify() -> None:
            told.set()
            with made:
                made.notify_all()

        return call, notify

    return setup


for _method in ("wait", "wait_for"):
    _name = f"{LOCKS}.Condition.{_method}"
    waits(_name, condition(_method))
    returns(_name, ZERO, lambda d, method=_method: condition(method, 0)(d)[0])  # type: ignore[misc]
    ends(_name, lambda d, method=_method: condition(method, SECONDS)(d)[0])  # type: ignore[misc]


def event(_: Path) -> tuple[Call, Call]:
    """An event, and its setting."""
    made = multiprocessing.Event()
    return made.wait, made.set


def barrier(_: Path) -> tuple[Call, Call]:
    """A barrier of two, and the coming of the second."""
    made = multiprocessing.Barrier(2)
    return made.wait, made.wait


EVENT, BARRIER = f"{LOCKS}.Event.wait", f"{LOCKS}.Barrier.wait"
waits(EVENT, event)
returns(EVENT, ZERO, lambda _: partial(multiprocessing.Event().wait, 0))
ends(EVENT, lambda _: partial(multiprocessing.Event().wait, SECONDS))
waits(BARRIER, barrier)
returns(BARRIER, ZERO, lambda _: partial(multiprocessing.Barrier(2).wait, 0), raises=threading.BrokenBarrierError)
ends(BARRIER, lambda _: partial(multiprocessing.Barrier(2).wait, SECONDS), raises=threading.BrokenBarrierError)
POLL = f"{CONNECTION}.poll"
returns(POLL, ZERO, lambda _: partial(end().poll, 0))
returns(POLL, "timeout present", lambda _: end().poll)
ends(POLL, lambda _: partial(end().poll, SECONDS))

# --- managers ------------------------------------------------------------------------------------

MANAGER = "multiprocessing.managers.BaseManager"


def manager(*arguments: Any, **more: Any) -> multiprocessing.managers.BaseManager:  # noqa: ANN401 - the constructor's
    """A manager that is not started."""
    return multiprocessing.managers.BaseManager(*arguments, **more)


def reaching(directory: Path) -> tuple[Call, Call]:
    """A manager's server that is there and says nothing, and its first answer."""
    server = listener(directory)

    def answer() -> None:
        with server.accept() as connection:
            connection.recv()
            connection.send(("#RETURN", None))

    return manager(str(directory / "socket"), authkey=KEY).connect, answer


def stopping(_: Path) -> Call:
    """The end of a manager's process."""
    made = manager()
    made.start()
    return partial(made.__exit__, None, None, None)


on_disk("multiprocessing.Manager", lambda _: multiprocessing.Manager, through=NEW_PROCESS)
on_disk("multiprocessing.context.BaseContext.Manager", lambda _: multiprocessing.get_context().Manager, through=NEW_PROCESS)
on_disk(f"{MANAGER}.start", lambda _: manager().start, through=NEW_PROCESS)
on_disk(f"{MANAGER}.__enter__", lambda _: manager().__enter__, through=NEW_PROCESS)
on_disk(f"{MANAGER}.__exit__", stopping, through=["connect"])
waits(f"{MANAGER}.connect", reaching)
