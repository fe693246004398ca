"""Strict mode sees what blocks, where, and nothing else; and leaves the program as it was."""

import asyncio
import contextlib
import functools
import gc
import io
import os
import queue
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from asyncvet.monitor import strict
from asyncvet.monitor.allowing import AllowError
from asyncvet.monitor.observation import Observation
from asyncvet.monitor.session import BlockingError, BlockingWarning

HERE = "tests/monitor/test_strict.py"


def seen(main: Callable[[], Coroutine[Any, Any, object]], **settings: Any) -> list[Observation]:
    """What strict mode sees of a coroutine function, run in a loop of its own."""
    with strict(then="record", **settings) as session:
        asyncio.run(main())
    found: list[Observation] = session.observations
    return found


def line_of(function: Callable[..., object], words: str) -> int:
    """The number of the line of this file that holds these words, after the function begins."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    first = function.__code__.co_firstlineno
    return next(number for number, line in enumerate(lines[first:], start=first + 1) if words in line)


def blocking() -> None:
    time.sleep(0.002)


def test_an_observation() -> None:
    """An observation says what waited, how long, in whose stack, task and thread."""

    async def main() -> None:
        blocking()

    before = time.time()
    (one,) = seen(main)
    assert (one.kind, one.primitive, one.category, one.call, one.calls) == (
        "blocking-call",
        "time.sleep",
        "sleep",
        "time.sleep",
        1,
    )
    assert one.seconds is not None
    assert one.seconds >= 0.002
    assert before <= one.time <= time.time()
    assert [(frame.path.endswith(HERE), frame.function) for frame in one.stack[-2:]] == [
        (True, "test_an_observation.<locals>.main"),
        (True, "blocking"),
    ]
    assert one.stack[-1].line == line_of(blocking, "time.sleep(0.002)")
    assert (one.process, one.thread, one.loop, one.callback) == (
        os.getpid(),
        "MainThread",
        "asyncio",
        "test_an_observation.<locals>.main",
    )
    assert one.task.startswith("Task-")


BOUND = [sleep]
PARTIAL = functools.partial(sleep, 0.001)


class Holder:
    wait = sleep

    def __init__(self) -> None:
        self.own = sleep


HOLDER = Holder()


def by_default(wait: Callable[[float], object] = sleep) -> None:
    wait(0.001)


def test_names_that_are_bound_early() -> None:
    """A primitive is seen through every name that was bound before, and is none of strict mode's afterwards."""
    gc.freeze()  # as servers do before they fork; it hides what it freezes from a search
    closed = sleep
    ways: list[Callable[[], object]] = [
        lambda: sleep(0.001),
        lambda: closed(0.001),
        lambda: BOUND[0](0.001),
        PARTIAL,
        lambda: Holder.wait(0.001),
        lambda: HOLDER.own(0.001),
        by_default,
        lambda: list(map(sleep, [0.001])),
    ]

    async def main() -> None:
        for way in ways:
            way()

    assert [(each.primitive, each.calls) for each in seen(main)] == [("time.sleep", 1)] * len(ways)
    assert {id(each) for each in (sleep, closed, BOUND[0], PARTIAL.func, Holder.wait, HOLDER.own)} == {id(time.sleep)}
    assert by_default.__defaults__ == (time.sleep,)
    assert type(time.sleep).__name__ == "builtin_function_or_method"
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


def names() -> dict[str, int]:
    """Each name of modules and classes that strict mode may touch, and what it is bound to."""
    holders: list[Any] = [
        *(module for name, module in list(sys.modules.items()) if not name.startswith(("asyncvet.monitor", "hypothesis"))),
        socket.socket,
        ssl.SSLContext,
        ssl.SSLSocket,
        threading.Condition,
        threading.Thread,
        subprocess.Popen,
        asyncio.Handle,
    ]
    return {f"{holder!r}.{name}": id(value) for holder in holders for name, value in list(vars(holder).items())}


def test_every_name_is_as_before() -> None:
    """Switched off, each name is bound to what it was bound to, and no stand-in is left in a module that was imported meanwhile."""
    import select  # noqa: F401, PLC0415

    strict(then="record").start()
    strict_ended = strict(then="record")  # what is imported and made at the first time is there now
    strict_ended.start()
    strict_ended.stop()
    for session in list(_open_sessions()):
        session()
    before = names()
    with strict(then="record"):
        changed = {name for name, value in names().items() if before.get(name, value) != value}
    after = names()
    assert len(changed) > 100
    assert {name for name, value in after.items() if before.get(name) != value} == set()


def _open_sessions() -> list[Callable[[], None]]:
    from asyncvet.monitor.recording import RECORDER  # noqa: PLC0415
    from asyncvet.monitor.session import _SWITCH  # noqa: PLC0415

    return [functools.partial(_SWITCH.off, session) for session in RECORDER.sessions]


def test_files(tmp_path: Path) -> None:
    """Opening is seen, and each read and write that reaches the file; what the buffer answers is not."""
    path = tmp_path / "file"

    async def main() -> None:
        file = path.open("w")
        file.write("a\n")
        file.close()
        with open(path) as file:
            file.readline()
            file.readline()
        os.stat(path)

    assert [(each.primitive, each.calls) for each in seen(main)] == [
        ("builtins.open", 1),
        ("io.FileIO.write", 1),
        ("builtins.open", 1),
        ("io.FileIO.readinto", 1),
        ("io.FileIO.readinto", 1),
        ("os.stat", 1),
    ]


def test_files_that_are_open(tmp_path: Path) -> None:
    """A file that was opened off the loop is seen to be read on it."""
    path = tmp_path / "file"
    path.write_text("text")
    with strict(then="record") as session, open(path) as file:

        async def main() -> None:
            file.read()

        asyncio.run(main())
    assert [each.primitive for each in session.observations] == ["io.FileIO.readall"]


def test_a_database(tmp_path: Path) -> None:
    """Statements on an open connection are seen; a database in memory is not waited for."""
    with strict(then="record") as session:
        connection = sqlite3.connect(tmp_path / "a.db")
        connection.execute("CREATE TABLE t (x)")
        memory = sqlite3.connect(":memory:")

        async def main() -> None:
            connection.execute("INSERT INTO t VALUES (1)")
            connection.commit()
            connection.cursor().execute("SELECT * FROM t").fetchall()
            memory.execute("SELECT 1").fetchall()

        asyncio.run(main())
        assert isinstance(connection, sqlite3.Connection)
        connection.close()
        memory.close()
    assert [each.primitive for each in session.observations] == [
        "sqlite3.Connection.execute",
        "sqlite3.Connection.commit",
        "sqlite3.Cursor.execute",
        "sqlite3.Cursor.fetchall",
    ]


def test_locks() -> None:
    """A lock, a queue and an event are seen when they are waited for, and not when they are to be had."""

    async def main() -> None:
        lock, items, event = threading.Lock(), queue.Queue[int](), threading.Event()
        with lock:
            pass
        items.put(1)
        items.get()
        lock.acquire()
        threading.Timer(0.01, lock.release).start()
        with lock:
            pass
        threading.Timer(0.01, lambda: items.put(1)).start()
        items.get()
        threading.Timer(0.01, event.set).start()
        event.wait()
        event.wait()

    assert [(each.primitive, each.call) for each in seen(main)] == [
        ("threading.Lock.acquire", "threading.Lock.acquire"),
        ("threading.Condition.wait", "queue.Queue.get"),
        ("threading.Condition.wait", "threading.Event.wait"),
    ]


def test_sockets() -> None:
    """A socket that blocks is seen; one that does not, and those of the loop, are not."""
    ours, theirs = socket.socketpair()

    async def main() -> None:
        theirs.send(b"1")
        ours.recv(1)
        ours.setblocking(False)
        await asyncio.get_running_loop().sock_sendall(ours, b"2")
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await reader.read()
        writer.close()
        server.close()

    with ours, theirs:
        assert [each.primitive for each in seen(main)] == ["socket.socket.send", "socket.socket.recv"]


def test_an_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import is seen the first time, with what the module does to be imported; an error in it is the same as ever."""
    (tmp_path / "strictly_imported.py").write_text("import time\ntime.sleep(0.001)\n")
    (tmp_path / "strictly_broken.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)

    async def main() -> str:
        import json  # noqa: F401, PLC0415

        import strictly_imported  # type: ignore[import-not-found]  # noqa: F401, PLC0415

        try:
            import strictly_broken  # type: ignore[import-not-found]  # noqa: F401, PLC0415
        except ZeroDivisionError as error:
            assert error.__traceback__ is not None
            frames = [error.__traceback__, error.__traceback__.tb_next]
            return str([frame.tb_frame.f_code.co_name for frame in frames if frame is not None])
        return ""

    with strict(then="record") as session:
        assert asyncio.run(main()) == "['main', '<module>']"
    assert [(each.primitive, each.calls) for each in session.observations] == [
        ("builtins.__import__", 1),
        ("builtins.__import__", 1),
    ]


def test_an_import_of_what_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for an optional module costs next to nothing; a module that itself wants one that is missing was read."""
    (tmp_path / "strictly_wanting.py").write_text("import strictly_missing\n")
    monkeypatch.syspath_prepend(tmp_path)

    async def main() -> None:
        for name in ("strictly_missing", "strictly_wanting"):
            with contextlib.suppress(ModuleNotFoundError):
                __import__(name)

    with strict(then="record") as session:
        asyncio.run(main())
    assert [(each.primitive, each.calls) for each in session.observations] == [("builtins.__import__", 1)]


def test_the_end_of_a_loop() -> None:
    """That the loop waits for its executor's last thread when it ends is its own doing."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        original = loop.call_soon_threadsafe

        def call_late(*args: Any) -> asyncio.Handle:
            handle = original(*args)
            time.sleep(0.25)  # the thread ends that much later than what it says
            return handle

        await loop.run_in_executor(None, time.sleep, 0)
        loop.call_soon_threadsafe = call_late  # type: ignore[method-assign, assignment]

    with strict(then="record") as session:
        asyncio.run(main())
    assert session.observations == []


def test_computing() -> None:
    """A callback that computes for longer than the bound is reported with the line where it did."""

    def compute() -> int:
        return sum(number * number for number in range(2_000_000))

    async def main() -> None:
        compute()

    (one,) = seen(main, callback_bound=0.03)
    assert (one.kind, one.category, one.callback) == ("long-callback", "cpu", "test_computing.<locals>.main")
    assert [frame.function for frame in one.stack[-2:]] == [
        "test_computing.<locals>.compute",
        "test_computing.<locals>.compute.<locals>.<genexpr>",
    ]
    assert one.samples


def test_what_is_fine() -> None:
    """Threads, subprocesses and sleeps of the loop are no business of strict mode."""

    async def main() -> None:
        await asyncio.sleep(0.01)
        await asyncio.to_thread(sleep, 0.01)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
        await process.wait()
        await asyncio.get_running_loop().getaddrinfo("localhost", 80)
        time.sleep(0)

    assert seen(main) == []


def test_off_the_loop() -> None:
    """Where no loop runs, nothing is recorded."""
    with strict(then="record") as session:
        sleep(0.001)
    assert session.observations == []


def test_the_loops_of_threads() -> None:
    """Loops in several threads at once: each call is put down to its own thread."""

    async def main() -> None:
        for _ in range(20):
            sleep(0.0005)
            await asyncio.sleep(0)

    with strict(then="record") as session:
        threads = [threading.Thread(target=lambda: asyncio.run(main()), name=f"loop-{number}") for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    counts = {name: sum(each.calls for each in session.observations if each.thread == name) for name in ("loop-0", "loop-3")}
    assert (len(session.observations), counts) == (80, {"loop-0": 20, "loop-3": 20})


def test_a_loop_within_a_loop() -> None:
    """A loop that is run within a callback of another one: both are watched, and neither's own waiting is reported."""

    async def inner() -> None:
        sleep(0.001)
        await asyncio.sleep(0.01)

    async def main() -> None:
        outer = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(inner())
        loop.close()
        asyncio._set_running_loop(outer)
        sleep(0.001)

    assert [each.callback for each in seen(main)] == [
        "test_a_loop_within_a_loop.<locals>.inner",
        "test_a_loop_within_a_loop.<locals>.main",
    ]


def test_exceptions_are_left_alone() -> None:
    """What a call raises is raised, whoever catches it, and its traceback begins where it did."""

    async def main() -> list[str]:
        caught = []
        for call in (lambda: open("/nowhere/file"), lambda: time.sleep("long"), lambda: os.stat("/nowhere")):  # type: ignore[arg-type]
            try:
                call()
            except Exception as error:
                caught.append(f"{type(error).__name__}: {error}")
        return caught

    plain = asyncio.run(main())
    with strict(then="record") as session:
        assert asyncio.run(main()) == plain
    assert len(session.observations) == 3


def test_a_signal_in_a_call() -> None:
    """A handler that raises within a watched call ends it, as ever, and what it calls is part of the call."""

    def handler(*_: object) -> None:
        sleep(0.001)
        raise KeyboardInterrupt

    async def main() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        sleep(5)

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with strict(then="record") as session, pytest.raises(KeyboardInterrupt):
            asyncio.run(main())
    finally:
        signal.signal(signal.SIGALRM, before)
    assert [(each.primitive, each.calls) for each in session.observations] == [("time.sleep", 1)]


def test_recording_that_blocks() -> None:
    """Whoever is told of an observation may block: that is not recorded, and does not recur."""
    told = []

    def tell(observation: Observation) -> None:
        sleep(0.001)
        told.append(observation)

    async def main() -> None:
        sleep(0.001)

    assert seen(main, tell=tell) == told
    assert len(told) == 1


def test_repeated_calls() -> None:
    """Calls from one place in one callback are one observation, which counts them and adds up their time."""

    async def main() -> None:
        for _ in range(50):
            sleep(0.0001)

    (one,) = seen(main)
    assert one.calls == 50
    assert one.seconds is not None
    assert one.seconds >= 0.005


def test_rules() -> None:
    """A rule leaves alone what it names, by primitive, category or place; unused ones are told."""

    async def main() -> None:
        blocking()
        os.stat("/")

    rules = ["time.sleep in tests.monitor.*", "metadata", "open", "os.stat in elsewhere.*"]
    with strict(then="record", allow=rules) as session:
        asyncio.run(main())
    assert (session.observations, session.unused_rules) == ([], ["open", "os.stat in elsewhere.*"])


@pytest.mark.parametrize("rule", ["", " in app", "os.stat in ", "os stat"])
def test_a_rule_that_cannot_be_read(rule: str) -> None:
    """The message shows how a rule is written."""
    with pytest.raises(AllowError) as caught:
        strict(allow=[rule])
    assert str(caught.value) == f'allow rule "{rule}": write CALL or CALL in PLACE, for example "os.stat in app.settings.*"'


def test_what_happens_at_the_end() -> None:
    """It raises, warns, or adds a note to the exception that is on its way."""

    async def main() -> None:
        blocking()

    with pytest.raises(BlockingError, match=r"^time.sleep \(sleep\) blocked the event loop for"), strict():
        asyncio.run(main())
    with pytest.warns(BlockingWarning, match="blocked the event loop"), strict(then="warn"):
        asyncio.run(main())
    with pytest.raises(ZeroDivisionError) as caught, strict():
        asyncio.run(main())
        1 / 0  # noqa: B018
    assert [note.partition(" (")[0] for note in caught.value.__notes__] == ["time.sleep"]


def test_a_session_within_a_session() -> None:
    """The innermost session is told, the rules of all count."""

    async def main() -> None:
        blocking()
        os.stat("/")

    with strict(then="record", allow=["os.stat"]) as outer, strict(then="record") as inner:
        asyncio.run(main())
    assert ([each.primitive for each in inner.observations], outer.observations) == (["time.sleep"], [])


PROGRAMS = {
    "a thread that is left at the end of the interpreter": (
        """
        import asyncio, threading, time
        from asyncvet.monitor import strict
        strict(then="record").start()
        async def main():
            while True:
                time.sleep(0.001)
                await asyncio.sleep(0)
        threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
        time.sleep(0.05)
        print("end")
        """,
        "end\n",
    ),
    "a forked child": (
        """
        import asyncio, os, time, warnings
        warnings.simplefilter("ignore")
        from asyncvet.monitor import strict
        with strict(then="record") as seen:
            async def main():
                time.sleep(0.001)
            asyncio.run(main())
            child = os.fork()
            if child == 0:
                asyncio.run(main())
                seen.stop()
                print("child", [(each.primitive, each.process == os.getpid()) for each in seen.observations], flush=True)
                os._exit(0)
            os.waitpid(child, 0)
        print("parent", [each.primitive for each in seen.observations])
        """,
        "child [('time.sleep', True)]\nparent ['time.sleep']\n",
    ),
    "a fork on the loop": (
        """
        import asyncio, os, warnings
        warnings.simplefilter("ignore")
        from asyncvet.monitor import strict
        with strict(then="record") as seen:
            async def main():
                child = os.fork()
                if child == 0:
                    os._exit(0)
                os.waitpid(child, 0)
            asyncio.run(main())
        print([each.primitive for each in seen.observations])
        """,
        "['os.fork', 'os.waitpid']\n",
    ),
    "a process pool that forks while a lock is held": (
        """
        import multiprocessing, threading, time, warnings, logging
        warnings.simplefilter("ignore")
        from asyncvet.monitor import strict
        def work(number):
            logging.getLogger().info("x")
            return number * 2
        if __name__ == "__main__":
            with strict(then="record"):
                lock = threading.Lock()
                threading.Thread(target=lambda: [lock.__enter__(), time.sleep(0.2), lock.release()]).start()
                with multiprocessing.get_context("fork").Pool(2) as pool:
                    print(pool.map(work, range(4)))
        """,
        "[0, 2, 4, 6]\n",
    ),
    "a loop of which the callback never ends by itself": (
        """
        import asyncio, signal, time
        from asyncvet.monitor import strict
        async def main():
            signal.setitimer(signal.ITIMER_VIRTUAL, 0.2)
            while True:
                pass
        def stop(*_):
            raise SystemExit(3)
        signal.signal(signal.SIGVTALRM, stop)
        try:
            with strict(then="record", callback_bound=0.05) as seen:
                asyncio.run(main())
        except SystemExit as error:
            print(error.code, [(each.kind, each.stack[-1].function) for each in seen.observations])
        """,
        "3 [('long-callback', 'main')]\n",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program(name: str, tmp_path: Path) -> None:
    """Threads, forks and the end of the interpreter: the program does what it does without strict mode, and ends."""
    code, output = PROGRAMS[name]
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(code))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", path], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, output, "")


OPENINGS = [
    *((mode,) for mode in ("r", "w", "a", "x", "rb", "wb", "ab", "r+", "w+", "r+b", "rt", "rw", "bt", "", "q", "rr", "U")),
    *((mode, size) for mode in ("r", "rb", "w", "wb") for size in (-2, -1, 0, 1, 2, 100)),
    ("rb", -1, "utf-8"),
    ("r", -1, "nonsense"),
    ("r", -1, "utf-8", "ignore", "\n"),
    ("r", -1, None, None, "x"),
    (7,),
    ("r", "big"),
]


def opened(arguments: tuple[Any, ...], path: Path) -> object:
    """What `open` gives for these arguments: the layers of the file and what they say of themselves, or the error."""
    path.write_bytes(b"one\r\ntwo\n")
    if arguments[0] == "x":
        path.unlink()
    try:
        with open(path, *arguments) as file:
            layers = [file]
            while (inner := getattr(layers[-1], "buffer", getattr(layers[-1], "raw", None))) is not None:
                layers.append(inner)
            says = [
                (type(each).__name__, getattr(each, "mode", None), each.name == path, getattr(each, "encoding", None))
                for each in layers
            ]
            text = getattr(file, "line_buffering", None), getattr(file, "newlines", None), getattr(file, "errors", None)
            return says, text, file.read() if file.readable() else file.write("x" if "b" not in arguments[0] else b"x")
    except Exception as error:
        return type(error).__name__, str(error)


@pytest.mark.filterwarnings("ignore:line buffering")
def test_open_is_open(tmp_path: Path) -> None:
    """What stands in for `open` gives the same files and the same errors."""
    plain = [opened(arguments, tmp_path / "file") for arguments in OPENINGS]
    with strict(then="record"):
        assert [opened(arguments, tmp_path / "file") for arguments in OPENINGS] == plain


def test_stand_ins_pass_for_what_they_stand_for() -> None:
    """Objects made before and during are instances of the classes' names, then and now, and do what they do."""

    def made() -> list[Any]:
        return [threading.Lock(), threading.RLock(), queue.SimpleQueue[int](), io.FileIO("/etc/hostname")]

    before = made()
    plain: list[Any] = [type(before[0]), type(before[1]), queue.SimpleQueue, io.FileIO]
    with strict(then="record"):
        during = made()
        standing: list[Any] = [*plain[:2], queue.SimpleQueue, io.FileIO]
        assert [isinstance(each, kind) for objects in (before, during) for each, kind in zip(objects, standing, strict=True)] == [
            True
        ] * 8
    assert [isinstance(each, kind) for each, kind in zip(during, plain, strict=True)] == [True] * 4
    for lock, again, _, file in (before, during):
        with lock, again:
            assert lock.locked()
        file.close()
