"""The ledger of ingestions: what was asked for, and what came of it.

A broker may lose a task, or deliver it twice. The ledger is what counts: a task does nothing unless it can claim its entry,
and an entry that nobody works on is published again. Nothing is lost and nothing is done twice, whichever process dies.
"""

import sqlite3
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel

from farm.rag.settings import RagSettings


class State(StrEnum):
    """What an ingestion has come to."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self in {State.DONE, State.FAILED}


class Ingestion(BaseModel):
    """One entry of the ledger."""

    id: str
    collection: str
    name: str
    path: Path
    content_hash: str
    state: State = State.QUEUED
    stage: str = "waiting for a worker"
    progress: float = 0.0
    reason: str | None = None
    chunks: int = 0
    attempts: int = 0
    publications: int = 0


class SupersededError(Exception):
    """The entry was given to another worker meanwhile; this one must stop."""


_SCHEMA = """
CREATE TABLE IF NOT EXISTS ingestions (
    id TEXT PRIMARY KEY, collection TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL, content_hash TEXT NOT NULL,
    state TEXT NOT NULL, stage TEXT NOT NULL, progress REAL NOT NULL, reason TEXT, chunks INTEGER NOT NULL,
    attempts INTEGER NOT NULL, publications INTEGER NOT NULL, due REAL NOT NULL, created REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS ingestions_by_due ON ingestions (state, due);
"""
_SOON = 1.0
_COLUMNS = ", ".join(Ingestion.model_fields)


class Ledger:
    """A table in SQLite that all processes share. Its methods wait for the disk, so they do not belong on the loop.

    Args:
        path: the database.
        lease: seconds after which a worker that shows no sign of life is taken for dead.
        republish: seconds after which a task that nobody has begun is published again; longer each time.
        max_attempts: how often an ingestion is begun before it is given up.
    """

    def __init__(self, path: Path, *, lease: float, republish: float, max_attempts: int) -> None:
        self._path = path
        self._lease = lease
        self._republish = republish
        self._max_attempts = max_attempts
        with self._transaction() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_SCHEMA)

    @classmethod
    def open(cls, settings: RagSettings) -> Self:
        """The ledger that the settings name."""
        return cls(
            settings.ledger_path,
            lease=settings.lease_seconds,
            republish=settings.republish_seconds,
            max_attempts=settings.ingest_attempts,
        )

    def add(self, entries: Iterable[Ingestion]) -> None:
        """Write new entries, all or none."""
        now = time.time()
        rows = [(*entry.model_dump(mode="json").values(), now + self._republish, now) for entry in entries]
        places = ", ".join("?" * (len(Ingestion.model_fields) + 2))
        with self._transaction() as database:
            database.executemany(f"INSERT INTO ingestions ({_COLUMNS}, due, created) VALUES ({places})", rows)  # noqa: S608

    def get(self, entry_id: str) -> Ingestion | None:
        """An entry, if there is one."""
        return next(self._select("WHERE id = ?", entry_id), None)

    def get_all(self, entry_ids: Sequence[str]) -> list[Ingestion]:
        """The entries with these ids, in the order of the ids."""
        found = {entry.id: entry for entry in self._select(f"WHERE id IN ({', '.join('?' * len(entry_ids))})", *entry_ids)}
        return [found[entry_id] for entry_id in entry_ids if entry_id in found]

    def recent(self, collection: str, limit: int = 100) -> list[Ingestion]:
        """The latest entries of a collection, newest first."""
        return [*self._select("WHERE collection = ? ORDER BY created DESC LIMIT ?", collection, limit)]

    def due(self, limit: int = 100) -> list[Ingestion]:
        """Entries to be published again: nobody has begun them, or who did is dead."""
        return [*self._select("WHERE state IN ('queued', 'running') AND due < ? ORDER BY due LIMIT ?", time.time(), limit)]

    def published(self, entry_id: str) -> None:
        """Note that a task was published for an entry; if nobody begins it, it is due again, later each time."""
        now = time.time()
        self._update(
            "state = 'queued', reason = NULL, publications = publications + 1, due = ? + ? * (1 << min(publications, 5)) "
            "WHERE id = ? AND (state = 'queued' OR (state = 'running' AND due < ?))",
            *(now, self._republish, entry_id, now),
        )

    def postpone(self, entry_id: str, reason: str) -> None:
        """Note why no task can be published for an entry now; it is due again soon."""
        self._update("reason = ?, due = ? WHERE id = ? AND state = 'queued'", reason, time.time() + _SOON, entry_id)

    def claim(self, entry_id: str) -> Ingestion | None:
        """Begin the work on an entry; `None` if another worker is at it, or it has come to an end."""
        now = time.time()
        claimed = self._update(
            "state = 'running', stage = 'reading', progress = 0, attempts = attempts + 1, due = ? "
            "WHERE id = ? AND (state = 'queued' OR (state = 'running' AND due < ?)) AND attempts < ?",
            *(now + self._lease, entry_id, now, self._max_attempts),
        )
        if claimed:
            return self.get(entry_id)
        self._update(
            "state = 'failed', stage = 'failed', reason = ? "
            "WHERE id = ? AND (state = 'queued' OR (state = 'running' AND due < ?)) AND attempts >= ?",
            *(f"given up after {self._max_attempts} attempts", entry_id, now, self._max_attempts),
        )
        return None

    @contextmanager
    def kept(self, claim: Ingestion) -> Generator[None]:
        """Show, by a thread that ends with this process, that the worker lives while the block runs, however slow the work is."""
        ended = threading.Event()
        keeper = threading.Thread(target=self._renew, args=(claim, ended), name="ledger-lease", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join()

    def _renew(self, claim: Ingestion, ended: threading.Event) -> None:
        while not ended.wait(self._lease / 3):
            with suppress(SupersededError, sqlite3.OperationalError):
                self._update_claimed(claim, "due = ?", time.time() + self._lease)

    def show_progress(self, claim: Ingestion, stage: str, progress: float) -> None:
        """Tell how far the work is.

        Raises:
            SupersededError: another worker has the entry now.
        """
        self._update_claimed(claim, "stage = ?, progress = ?", stage, progress)

    def finish(self, claim: Ingestion, stage: str, chunks: int) -> None:
        """Note that the work is done."""
        self._update_claimed(claim, "state = 'done', stage = ?, progress = 1, reason = NULL, chunks = ?", stage, chunks)

    def fail(self, entry_id: str, reason: str) -> None:
        """Note that the work cannot be done."""
        self._update(
            "state = 'failed', stage = 'failed', reason = ? WHERE id = ? AND state IN ('queued', 'running')", reason, entry_id
        )

    def requeue(self, entry_id: str, reason: str) -> None:
        """Note that the work will be tried again."""
        self._update(
            "state = 'queued', stage = 'waiting for another attempt', reason = ?, due = ? WHERE id = ? AND state = 'running'",
            *(reason, time.time() + self._republish, entry_id),
        )

    def _update_claimed(self, claim: Ingestion, change: str, *values: object) -> None:
        if not self._update(f"{change} WHERE id = ? AND state = 'running' AND attempts = ?", *values, claim.id, claim.attempts):
            raise SupersededError(claim.id)

    def _update(self, change: str, *values: object) -> int:
        with self._transaction() as database:
            return database.execute(f"UPDATE ingestions SET {change}", values).rowcount  # noqa: S608

    def _select(self, condition: str, *values: object) -> Iterator[Ingestion]:
        with self._transaction() as database:
            rows = database.execute(f"SELECT {_COLUMNS} FROM ingestions {condition}", values).fetchall()  # noqa: S608
        return (Ingestion.model_validate(dict(row)) for row in rows)

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=5)
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA synchronous = NORMAL")  # safe when a process dies; with WAL no wait for the disk
        try:
            with database:
                yield database
        finally:
            database.close()
