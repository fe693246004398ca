"""What is kept from run to run: values by key, in one SQLite file in the user's cache folder.

A store is never needed: what is wrong with it costs time, is told, and is mended where it can be. Values carry a digest of what they
are and for which key, so that nothing is taken for right that a broken disk, a killed run or another program left there. With a secret
in `ASYNCVET_CACHE_KEY` only who knows it can write what is believed.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FILE = "cache-1.sqlite"
"""The number is that of the form of the file: versions of asyncvet with another one leave it alone."""
_TABLE = "create table if not exists entries (id integer primary key, key blob not null unique, value blob not null, day integer not null)"
_DAMAGED = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_SHORT_READ})
"""Codes of SQLite that say that the file is not what it should be; a table of another form is an `SQLITE_ERROR`."""
_PATIENCE = 5.0
"""Seconds to wait for another run that writes."""
_PENDING = 8_000_000
"""Bytes that are held back to be written together."""
LARGEST = 1_000_000_000
"""Bytes from which on the file is made smaller: what has not been used for the longest time goes."""
_DIGEST = 16


def default_file() -> Path:
    """Where values are kept: in `ASYNCVET_CACHE_DIR`, else in the user's cache folder."""
    named = os.environ.get("ASYNCVET_CACHE_DIR")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(named) if named else base / "asyncvet") / _FILE


class Store:
    """Values by key. After a fault it holds nothing, takes nothing, and says what is wrong.

    Attributes:
        problem: What was wrong with the file, in a sentence; None if nothing was.
    """

    def __init__(self, file: Path | None) -> None:
        """Keep values in a file, or, if it is None, nowhere."""
        self.problem: str | None = None
        self._file = file
        self._secret = hashlib.blake2b(os.environ.get("ASYNCVET_CACHE_KEY", "").encode("utf-8", "surrogateescape")).digest()
        self._day = int(time.time() // 86_400)
        self._pending: dict[bytes, bytes | None] = {}
        self._pending_bytes = 0
        self._touched: list[bytes] = []
        self._database: sqlite3.Connection | None = None
        if file is not None:
            with self._faults():
                file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._database = _connected(file)

    @property
    def is_open(self) -> bool:
        """Whether values can be kept."""
        return self._database is not None

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is kept, so that there is no use in asking."""
        with self._faults():
            if self._database is not None:
                return self._database.execute("select 1 from entries limit 1").fetchone() is None
        return True

    def get(self, kind: str, key: bytes) -> bytes | None:
        """The value of a key; None if there is none, or none that can be believed."""
        row = None
        name = self._name(kind, key)
        with self._faults():
            if self._database is not None:
                row = self._database.execute("select value, day from entries where key = ?", (name,)).fetchone()
        if row is None:
            return None
        value: bytes = row[0]
        content = value[_DIGEST:]
        if value[:_DIGEST] != self._seal(name, content):
            self.spoilt(kind, key, "its digest is another one")
            return None
        if row[1] != self._day:
            self._touched.append(name)
        return content

    def put(self, kind: str, key: bytes, value: bytes) -> None:
        """Keep a value from the next `flush` on."""
        if self._database is not None:
            name = self._name(kind, key)
            self._pending[name] = self._seal(name, value) + value
            self._pending_bytes += len(value)
            if self._pending_bytes > _PENDING:
                self.flush()

    def drop(self, kind: str, key: bytes) -> None:
        """Keep a value no longer."""
        self._pending[self._name(kind, key)] = None

    def spoilt(self, kind: str, key: bytes, reason: str) -> None:
        """Tell that a value cannot be what was kept, and drop it."""
        self.problem = f"the cache {self._file} held what could not be read ({reason}); that is read anew"
        self.drop(kind, key)

    def flush(self) -> None:
        """Write what is new."""
        pending, self._pending, self._pending_bytes = self._pending, {}, 0
        if self._database is None or not (pending or self._touched):
            return
        with self._faults():
            self._database.execute("begin immediate")
            rows = ((key, value, self._day) for key, value in pending.items() if value is not None)
            self._database.executemany("insert or replace into entries (key, value, day) values (?, ?, ?)", rows)
            self._database.executemany("delete from entries where key = ?", ((k,) for k, v in pending.items() if v is None))
            self._database.executemany("update entries set day = ? where key = ?", ((self._day, key) for key in self._touched))
            self._touched = []
            _shrink(self._database)
            self._database.execute("commit")
            self._database.execute("pragma incremental_vacuum")

    def close(self) -> None:
        """Write what is new and let go of the file."""
        self.flush()
        self._release()

    def _name(self, kind: str, key: bytes) -> bytes:
        return hashlib.blake2b(kind.encode() + b"\0" + key, digest_size=20, key=self._secret).digest()

    def _seal(self, name: bytes, content: bytes) -> bytes:
        return hashlib.blake2b(name + content, digest_size=_DIGEST, key=self._secret).digest()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Go on without the file where it fails: a full disk, a lock that another run holds, a folder that cannot be written."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
            if code in _DAMAGED:
                self._anew(error)
            else:
                self._give_up(error)
        except OSError as error:
            self._give_up(error)

    def _anew(self, error: Exception) -> None:
        """Start again with an empty file."""
        assert self._file is not None
        self._release()
        try:
            for end in ("", "-wal", "-shm"):
                self._file.with_name(self._file.name + end).unlink(missing_ok=True)
            self._database = _connected(self._file)
            self.problem = f"the cache {self._file} was damaged ({error}) and is made anew"
        except (OSError, sqlite3.Error) as second:
            self._give_up(second)

    def _give_up(self, error: Exception) -> None:
        why = f"the cache {self._file} cannot be used ({error})"
        self.problem = f"{why}; name another folder in ASYNCVET_CACHE_DIR, or say --no-cache"
        self._release()

    def _release(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with suppress(sqlite3.Error):
                database.close()


def _connected(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)
    try:
        _refuse_strangers(file)
        # A power cut may then spoil the file, which its digests tell; without this each run would wait for the disk.
        database.execute("pragma synchronous = off")
        if database.execute("select 1 from sqlite_master where name = 'entries'").fetchone() is None:
            database.execute("pragma auto_vacuum = incremental")
            database.execute("pragma journal_mode = wal")
            database.execute(_TABLE)
        database.execute("select id, key, value, day from entries limit 1").fetchone()
    except BaseException:
        database.close()
        raise
    return database


def _refuse_strangers(file: Path) -> None:
    """What another user of the machine can write, decides nothing here."""
    if hasattr(os, "geteuid") and file.stat().st_uid != os.geteuid():
        raise PermissionError("it belongs to another user")


def _shrink(database: sqlite3.Connection) -> None:
    """Delete what has not been used for the longest time where the file is too large, so that a quarter of it is free."""
    pages, free, size = (
        database.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    excess = (pages - free) * size - LARGEST
    if excess <= 0:
        return
    excess += LARGEST // 4
    oldest = []
    for row, length in database.execute("select id, length(value) from entries order by day, id"):
        if excess <= 0:
            break
        oldest.append((row,))
        excess -= length
    database.executemany("delete from entries where id = ?", oldest)
