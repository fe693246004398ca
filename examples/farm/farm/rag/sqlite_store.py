"""Vectors in SQLite, compared one by one: exact, and fast enough for some ten thousand passages."""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from farm.rag.chunks import Chunk
from farm.rag.store import Document, Matrix, Passage, StoredDocument

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    collection TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (collection, id)
) STRICT;
CREATE TABLE IF NOT EXISTS chunks (
    number INTEGER PRIMARY KEY, collection TEXT NOT NULL, document_id TEXT NOT NULL, place TEXT NOT NULL, text TEXT NOT NULL,
    vector BLOB NOT NULL, FOREIGN KEY (collection, document_id) REFERENCES documents (collection, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX IF NOT EXISTS chunks_by_document ON chunks (collection, document_id);
"""


class SqliteStore:
    """A store in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._transaction() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_SCHEMA)

    def has(self, document: Document) -> bool:
        """Whether the document is there."""
        with self._transaction() as database:
            key = (document.collection, document.id)
            return database.execute("SELECT 1 FROM documents WHERE collection = ? AND id = ?", key).fetchone() is not None

    def put(self, document: Document, chunks: Sequence[Chunk], vectors: Matrix) -> None:
        """Store a document in one transaction."""
        key = (document.collection, document.id)
        rows = [(*key, chunk.place, chunk.text, vector.tobytes()) for chunk, vector in zip(chunks, vectors, strict=True)]
        with self._transaction() as database:
            database.execute("DELETE FROM documents WHERE collection = ? AND id = ?", key)
            database.execute("INSERT INTO documents VALUES (?, ?, ?)", (*key, document.name))
            database.executemany("INSERT INTO chunks (collection, document_id, place, text, vector) VALUES (?, ?, ?, ?, ?)", rows)

    def search(self, collection: str, vector: Matrix, limit: int) -> list[Passage]:
        """The nearest passages by exact cosine."""
        with self._transaction() as database:
            rows = database.execute("SELECT number, vector FROM chunks WHERE collection = ?", (collection,)).fetchall()
            if not rows:
                return []
            scores = np.frombuffer(b"".join(row["vector"] for row in rows), np.float32).reshape(len(rows), -1) @ vector
            nearest = np.argsort(-scores, kind="stable")[:limit]
            return [self._passage(database, rows[index]["number"], float(scores[index])) for index in nearest]

    def documents(self, collection: str) -> list[StoredDocument]:
        """The documents of a collection, by name."""
        query = (
            "SELECT id, name, count(number) chunks FROM documents"
            " LEFT JOIN chunks ON chunks.collection = documents.collection AND document_id = id"
            " WHERE documents.collection = ? GROUP BY id, name ORDER BY name, id"
        )
        with self._transaction() as database:
            return [StoredDocument.model_validate(dict(row)) for row in database.execute(query, (collection,))]

    def delete(self, collection: str, document_id: str) -> bool:
        """Remove a document and its passages."""
        with self._transaction() as database:
            deleted = database.execute("DELETE FROM documents WHERE collection = ? AND id = ?", (collection, document_id))
            return deleted.rowcount > 0

    @staticmethod
    def _passage(database: sqlite3.Connection, number: int, score: float) -> Passage:
        query = (
            "SELECT chunks.document_id, name document, place, text FROM chunks JOIN documents"
            " ON documents.collection = chunks.collection AND documents.id = document_id WHERE number = ?"
        )
        return Passage.model_validate({**database.execute(query, (number,)).fetchone(), "score": score})

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=5)
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA synchronous = NORMAL")  # safe when a process dies; with WAL no wait for the disk
        database.execute("PRAGMA foreign_keys = ON")
        try:
            with database:
                yield database
        finally:
            database.close()
