"""Facts of files, kept from run to run by what the files hold: a distribution's source is read once for all projects that use it.

One SQLite file in the user's cache folder. A cache is never needed: what is wrong with it costs time, and is told, and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec

from asyncvet import facts
from asyncvet.facts import extract
from asyncvet.facts.tree import ModuleFacts

_TABLE = "create table if not exists facts (key blob primary key, value blob not null) without rowid"
_DECODER = msgspec.msgpack.Decoder(ModuleFacts)
_ENCODER = msgspec.msgpack.Encoder()


def default_file() -> Path:
    """Where facts are kept: in `ASYNCVET_CACHE_DIR`, else in the user's cache folder."""
    named = os.environ.get("ASYNCVET_CACHE_DIR")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(named) if named else base / "asyncvet") / "facts.sqlite"


class FactsCache:
    """Facts by the content of files.

    Attributes:
        hits: Files whose facts were there.
        problem: What was wrong with the file, in a sentence; None if nothing was.
    """

    def __init__(self, file: Path | None) -> None:
        """Keep facts in a file, or, if it is None, nowhere."""
        self.hits = 0
        self.problem: str | None = None
        self._file = file
        self._database = self._open() if file is not None else None

    def facts(self, content: bytes) -> ModuleFacts:
        """What a file of this content says."""
        key = _key(content)
        found = self._get(key)
        if found is not None:
            self.hits += 1
            return found
        made = extract(content)
        self._put(key, made)
        return made

    def close(self) -> None:
        """Write what is new."""
        if self._database is not None:
            try:
                self._database.commit()
            except sqlite3.Error as error:
                self._give_up(error)
        if self._database is not None:
            self._database.close()
            self._database = None

    def _open(self) -> sqlite3.Connection | None:
        assert self._file is not None
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            return _connected(self._file)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                self._give_up(error)
                return None
            return self._anew(error)
        except OSError as error:
            self._give_up(error)
            return None

    def _anew(self, error: Exception) -> sqlite3.Connection | None:
        """Start again where the file is no database any more."""
        assert self._file is not None
        self.problem = f"the cache {self._file} was damaged ({error}) and is made anew"
        try:
            self._file.unlink()
            return _connected(self._file)
        except (OSError, sqlite3.Error) as second:
            self._give_up(second)
            return None

    def _get(self, key: bytes) -> ModuleFacts | None:
        if self._database is None:
            return None
        try:
            row = self._database.execute("select value from facts where key = ?", (key,)).fetchone()
            return _DECODER.decode(row[0]) if row is not None else None
        except sqlite3.DatabaseError as error:
            self._give_up(error)
        except (msgspec.DecodeError, RecursionError, TypeError) as error:
            self.problem = f"the cache {self._file} held what could not be read ({error}); that is read anew"
        return None

    def _put(self, key: bytes, made: ModuleFacts) -> None:
        if self._database is None:
            return
        try:
            self._database.execute("insert or replace into facts values (?, ?)", (key, _ENCODER.encode(made)))
        except (sqlite3.Error, RecursionError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Go on without the file: a full disk, a lock that another run holds, a folder that cannot be written."""
        self.problem = (
            f"the cache {self._file} cannot be used ({error}); name another folder in ASYNCVET_CACHE_DIR, or say --no-cache"
        )
        database, self._database = getattr(self, "_database", None), None
        if database is not None:
            with suppress(sqlite3.Error):
                database.close()


def _connected(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=5)
    database.execute("pragma journal_mode = wal")
    database.execute(_TABLE)
    database.execute("select key from facts limit 1").fetchone()
    return database


def _key(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=20, key=_version()).digest()


@cache
def _version() -> bytes:
    """Identity of the code that makes facts: what another one has made is not looked at."""
    digest = hashlib.blake2b(digest_size=32)
    for file in sorted(Path(facts.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.digest()
