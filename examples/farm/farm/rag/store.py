"""Where passages and their vectors are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from farm.rag.chunks import Chunk
from farm.rag.settings import RagSettings

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Document:
    """A file in a collection. The same content has the same id, under whatever name."""

    id: str
    collection: str
    name: str


class Passage(BaseModel):
    """A piece of a document, and how near it is to what was asked (cosine)."""

    document_id: str
    document: str
    place: str
    text: str
    score: float


class StoredDocument(BaseModel):
    """A document and how many pieces it has."""

    id: str
    name: str
    chunks: int


class VectorStore(Protocol):
    """What a store has to do. Vectors have length 1. Methods wait, so they do not belong on the loop."""

    def has(self, document: Document) -> bool:
        """Whether the document is there, whole."""
        ...

    def put(self, document: Document, chunks: Sequence[Chunk], vectors: Matrix) -> None:
        """Store a document in place of an earlier one with its id; wholly or not at all."""
        ...

    def search(self, collection: str, vector: Matrix, limit: int) -> list[Passage]:
        """The nearest passages, nearest first."""
        ...

    def documents(self, collection: str) -> list[StoredDocument]:
        """The documents of a collection, by name."""
        ...

    def delete(self, collection: str, document_id: str) -> bool:
        """Remove a document; whether it was there."""
        ...


def open_store(settings: RagSettings) -> VectorStore:
    """The store that the settings ask for."""
    if settings.qdrant_url is not None:
        from farm.rag.qdrant_store import QdrantStore

        return QdrantStore.connect(settings.qdrant_url, settings.request_timeout)
    from farm.rag.sqlite_store import SqliteStore

    return SqliteStore(settings.vectors_path)
