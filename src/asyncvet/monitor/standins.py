"""Classes that stand in for those of the interpreter that are written in C and cannot be changed: files, databases, locks.

Each does what the original does, is an instance of it where it can be, and records where it waits. Objects that were made before
stay what they were.
"""

from __future__ import annotations

import _thread
import builtins
import functools
import io
import mmap
import os
import queue
import sys
import threading
import time
from asyncio.events import _get_running_loop
from collections.abc import Callable
from typing import Any

from asyncvet.monitor.rebinding import Pair
from asyncvet.monitor.recording import RECORDER, Primitive
from asyncvet.monitor.waiting import is_blocking_file

LOCK_PATIENCE = 0.001
"""Seconds that a lock may be waited for: a short critical section is what a thread lock is for, on the loop as well."""

_OPEN = Primitive("builtins.open", "file")
_LOCK = "threading.Lock.acquire"


class _Kin(type):
    """Makes objects of the original class, and of its subclasses, pass for instances of what stands in for it."""

    _stands_for: type

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls._stands_for) if "_stands_for" in vars(cls) else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls._stands_for) if "_stands_for" in vars(cls) else super().__subclasscheck__(subclass)


def _disguised(cls: Any, original: type) -> Any:  # noqa: ANN401
    """The class under the original's name: what it prints, and what is printed of it, stays the same."""
    cls.__name__, cls.__qualname__, cls.__module__, cls.__doc__ = (
        original.__name__,
        original.__qualname__,
        original.__module__,
        original.__doc__,
    )
    cls._stands_for = original
    return cls


def _method(name: str, category: str, original: Callable[..., Any], waits: Callable[[Any], bool]) -> Callable[..., Any]:
    """A method that is recorded where its object can wait."""
    primitive = Primitive(name, category)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if _get_running_loop() is None or not waits(self):
            return original(self, *args, **kwargs)
        return RECORDER.watch(primitive, original, (self, *args), kwargs)

    return functools.update_wrapper(method, original)


# --- files ---------------------------------------------------------------------------------------


class FileIO(io.FileIO, metaclass=_Kin):  # type: ignore[metaclass]  # in C it is no abstract class
    """A raw file whose reads and writes are seen; buffered and text files stand upon it."""

    _is_waited_for: bool | None = None

    def __init__(self, file: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        if _get_running_loop() is None or not _is_opened(file):
            super().__init__(file, *args, **kwargs)
        else:
            RECORDER.watch(Primitive("io.FileIO", "file"), super().__init__, (file, *args), kwargs)

    def _waits(self) -> bool:
        if self._is_waited_for is None:
            self._is_waited_for = not self.closed and is_blocking_file(self.fileno())
        return self._is_waited_for


for _name in ("read", "readall", "readinto", "write", "truncate"):
    setattr(FileIO, _name, _method(f"io.FileIO.{_name}", "file", getattr(io.FileIO, _name), FileIO._waits))


def _is_opened(file: object) -> bool:
    """Whether a file has to be looked up on a disk: not one that is open already, nor the one that is never there."""
    return not isinstance(file, int) and file != os.devnull


def _opening(original: Callable[..., Any]) -> Callable[..., Any]:
    """`open`, whose files read and write by way of `FileIO`. What is wrong with the arguments, the original says."""

    def open(  # noqa: A001, PLR0913, PLR0917  # the signature for which it stands in
        file: Any,  # noqa: ANN401
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        kinds = _kinds(mode, buffering, (encoding, errors, newline))
        if kinds is None or not isinstance(file, str | bytes | int | os.PathLike):
            return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
        name = file if isinstance(file, int) else os.fspath(file)
        if encoding is None and "b" not in kinds:
            encoding = io.text_encoding(encoding, 2)

        def make() -> Any:  # noqa: ANN401
            raw = FileIO(name, "".join(kinds - set("bt")), closefd, opener)
            try:
                return _layers(raw, mode, kinds, buffering, (encoding, errors, newline))
            except BaseException:
                raw.close()
                raise

        if _get_running_loop() is None or not _is_opened(file):
            return make()
        return RECORDER.watch(_OPEN, make, (), {})

    return functools.update_wrapper(open, original)


def _kinds(mode: object, buffering: object, text: tuple[str | None, str | None, str | None]) -> set[str] | None:
    """The letters of a mode; None if something about it, or about what goes with it, is wrong or to be warned of."""
    if not isinstance(mode, str) or not isinstance(buffering, int) or buffering < -1:
        return None
    kinds = set(mode)
    if len(kinds) != len(mode) or not kinds <= set("rwxab+t") or len(kinds & set("rwxa")) != 1 or kinds >= set("bt"):
        return None
    if "b" in kinds:
        return None if buffering == 1 or text != (None, None, None) else kinds
    return None if buffering == 0 else kinds


def _layers(raw: FileIO, mode: str, kinds: set[str], buffering: int, text: tuple[str | None, str | None, str | None]) -> Any:  # noqa: ANN401
    """The buffer and the text layer that `open` puts upon a raw file."""
    is_line_buffered = buffering == 1 or (buffering < 0 and raw.isatty())
    if buffering == 0:
        return raw
    size = buffering if buffering > 1 else _buffer_size(raw)
    buffer: Any
    if "+" in kinds:
        buffer = io.BufferedRandom(raw, size)
    elif "r" in kinds:
        buffer = io.BufferedReader(raw, size)
    else:
        buffer = io.BufferedWriter(raw, size)
    if "b" in kinds:
        return buffer
    encoding, errors, newline = text
    wrapper = io.TextIOWrapper(buffer, encoding, errors, newline, is_line_buffered)
    wrapper.mode = mode  # type: ignore[misc]
    return wrapper


def _buffer_size(raw: io.FileIO) -> int:
    block = getattr(raw, "_blksize", 0)
    if sys.version_info >= (3, 14):
        return max(min(block, 8192 * 1024), io.DEFAULT_BUFFER_SIZE)
    return block if block > 1 else io.DEFAULT_BUFFER_SIZE


class Map(mmap.mmap, metaclass=_Kin):
    """A memory map whose making and writing back are seen."""

    def __new__(cls, fileno: int, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, D102
        if _get_running_loop() is None or fileno == -1:
            return super().__new__(cls, fileno, *args, **kwargs)
        return RECORDER.watch(Primitive("mmap.mmap", "file"), super().__new__, (cls, fileno, *args), kwargs)


Map.flush = _method("mmap.mmap.flush", "file", mmap.mmap.flush, lambda _: True)  # type: ignore[method-assign]


# --- databases -----------------------------------------------------------------------------------


def _database_classes(sqlite3: Any) -> tuple[type, type]:  # noqa: ANN401
    """Connections and cursors of SQLite that record where they wait: not for a database in memory."""

    class Connection(sqlite3.Connection, metaclass=_Kin):  # type: ignore[misc]
        waits = True

        def __init__(self, database: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            name = os.fsdecode(database) if isinstance(database, str | bytes | os.PathLike) else ""
            self.waits = name != ":memory:" and not (name.startswith("file:") and ("memory" in name))
            if self.waits and _get_running_loop() is not None:
                RECORDER.watch(Primitive("sqlite3.connect", "database"), super().__init__, (database, *args), kwargs)
            else:
                super().__init__(database, *args, **kwargs)

        def cursor(self, factory: Any = None) -> Any:  # noqa: ANN401
            return super().cursor(factory or Cursor)

    class Cursor(sqlite3.Cursor, metaclass=_Kin):  # type: ignore[misc]
        pass

    for name in ("execute", "executemany", "executescript", "commit", "rollback", "backup", "__exit__"):
        original = _by_cursor(name) if name.startswith("execute") else getattr(sqlite3.Connection, name)
        setattr(Connection, name, _method(f"sqlite3.Connection.{name}", "database", original, lambda own: own.waits))
    for name in ("execute", "executemany", "executescript", "fetchone", "fetchmany", "fetchall", "__next__"):
        original = getattr(sqlite3.Cursor, name)
        setattr(Cursor, name, _method(f"sqlite3.Cursor.{name}", "database", original, _is_on_disk))
    return Connection, Cursor


def _by_cursor(name: str) -> Callable[..., Any]:
    """A connection's method that makes a cursor for its caller: one that is seen. The original makes one of its own class."""

    def method(self: Any, *args: Any) -> Any:  # noqa: ANN401
        return getattr(self.cursor(), name)(*args)

    return method


def _is_on_disk(cursor: Any) -> bool:  # noqa: ANN401
    return bool(getattr(cursor.connection, "waits", True))


def _connecting(original: Callable[..., Any], connection: type) -> Callable[..., Any]:
    """`sqlite3.connect`, which makes connections that are seen unless it is told of which class they are to be."""

    def connect(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if "factory" not in kwargs and len(args) < 6:
            kwargs["factory"] = connection
        return original(*args, **kwargs)

    return functools.update_wrapper(connect, original)


# --- locks ---------------------------------------------------------------------------------------


def _acquired(lock: Any, name: str, blocking: bool, timeout: float) -> bool:  # noqa: ANN401
    """Take a lock of which another thread may hold; recorded if it was waited for."""
    if lock.acquire(False):
        return True
    if not blocking:
        return False
    if _get_running_loop() is None or timeout == 0:
        return bool(lock.acquire(blocking, timeout))
    began = time.perf_counter()
    try:
        return bool(lock.acquire(blocking, timeout))
    finally:
        seconds = time.perf_counter() - began
        if seconds >= LOCK_PATIENCE:
            RECORDER.saw(Primitive(name, "lock"), seconds, sys._getframe(1))


class Lock(metaclass=_Kin):
    """A lock that is seen to be waited for."""

    __slots__ = ("__weakref__", "_at_fork_reinit", "_lock", "locked", "locked_lock", "release", "release_lock")

    def __init__(self) -> None:
        lock = self._lock = _thread.allocate_lock()
        self.release = self.release_lock = lock.release
        self.locked = self.locked_lock = lock.locked
        self._at_fork_reinit = lock._at_fork_reinit  # type: ignore[attr-defined]

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As of the original; a wait is recorded."""
        if timeout != -1 and (not blocking or timeout < 0):
            return self._lock.acquire(blocking, timeout)  # which says what is wrong
        return _acquired(self._lock, _LOCK, blocking, timeout)

    acquire_lock = acquire

    def __enter__(self) -> bool:
        return _acquired(self._lock, _LOCK, True, -1)

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return _thread.LockType

    def __reduce__(self) -> Any:  # noqa: ANN401
        raise TypeError("cannot pickle '_thread.lock' object")

    def __repr__(self) -> str:
        return repr(self._lock)


class RLock(_thread.RLock, metaclass=_Kin):  # type: ignore[misc]  # it is not final where it is in C
    """A lock that its holder may take again, seen to be waited for."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As of the original; a wait is recorded."""
        if timeout != -1 and (not blocking or timeout < 0):
            return super().acquire(blocking, timeout)
        return _acquired(super(), "threading.RLock.acquire", blocking, timeout)

    def __enter__(self) -> bool:  # type: ignore[override]
        return _acquired(super(), "threading.RLock.acquire", True, -1)


class SimpleQueue(queue.SimpleQueue, metaclass=_Kin):  # type: ignore[type-arg]
    """A queue that is seen to be waited for."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401
        """As of the original; a wait is recorded."""
        if not block or _get_running_loop() is None or timeout == 0:
            return super().get(block, timeout)
        try:
            return super().get_nowait()
        except queue.Empty:
            return RECORDER.watch(Primitive("queue.SimpleQueue.get", "queue"), super().get, (block, timeout), {})


# --- putting them in place -----------------------------------------------------------------------


def stand_ins() -> list[Pair]:
    """What stands in for what of the modules that are loaded, anew each time."""
    pairs = [
        Pair(builtins.open, _opening(builtins.open)),
        Pair(io.FileIO, _disguised(FileIO, io.FileIO)),
        Pair(mmap.mmap, _disguised(Map, mmap.mmap)),
        Pair(_thread.allocate_lock, _disguised(Lock, _thread.LockType)),
        Pair(_thread.RLock, _disguised(RLock, _thread.RLock)),
        Pair(queue.SimpleQueue, _disguised(SimpleQueue, queue.SimpleQueue)),
    ]
    if threading.Lock is not _thread.allocate_lock:  # since Python 3.13, where it is the class itself
        pairs.append(Pair(threading.Lock, Lock))
    return pairs


def database_stand_ins(sqlite3: Any) -> list[Pair]:  # noqa: ANN401
    """The same for SQLite, once it has been imported."""
    connection, cursor = _database_classes(sqlite3)
    return [
        Pair(sqlite3.connect, _connecting(sqlite3.connect, connection)),
        Pair(sqlite3.Connection, _disguised(connection, sqlite3.Connection)),
        Pair(sqlite3.Cursor, _disguised(cursor, sqlite3.Cursor)),
    ]
