"""Vectors in Qdrant."""

import math
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Self

from qdrant_client import QdrantClient
from qdrant_client.models import Distance, FieldCondition, Filter, FilterSelector, MatchValue, PointStruct, VectorParams

from farm.rag.chunks import Chunk
from farm.rag.store import Document, Matrix, Passage, StoredDocument

_TABLE = "farm_passages"
_BATCH = 256


class QdrantStore:
    """A store in one collection of Qdrant; the farm's collections are a field of it."""

    def __init__(self, client: QdrantClient) -> None:
        self._client = client

    @classmethod
    def connect(cls, url: str, timeout: float) -> Self:
        """A store on a server; each operation may take `timeout` seconds."""
        return cls(QdrantClient(url=url, timeout=math.ceil(timeout)))

    def has(self, document: Document) -> bool:
        """Whether the last passage of the document, which is stored last, is there."""
        complete = _matching(collection=document.collection, document_id=document.id, is_last=True)
        return self._exists() and self._client.count(_TABLE, complete).count > 0

    def put(self, document: Document, chunks: Sequence[Chunk], vectors: Matrix) -> None:
        """Store a document; until its last passage is there, it counts as missing and is stored again."""
        if not self._exists():
            self._client.create_collection(_TABLE, VectorParams(size=vectors.shape[1], distance=Distance.COSINE))
        self.delete(document.collection, document.id)
        points = [self._point(document, number, len(chunks), each, vectors[number]) for number, each in enumerate(chunks)]
        for start in range(0, len(points), _BATCH):
            self._client.upsert(_TABLE, points[start : start + _BATCH], wait=True)

    def search(self, collection: str, vector: Matrix, limit: int) -> list[Passage]:
        """The nearest passages, as near as Qdrant's index finds them."""
        if not self._exists():
            return []
        found = self._client.query_points(_TABLE, vector.tolist(), query_filter=_matching(collection=collection), limit=limit)
        return [Passage.model_validate({**(each.payload or {}), "score": each.score}) for each in found.points]

    def documents(self, collection: str) -> list[StoredDocument]:
        """The documents of a collection, by name."""
        if not self._exists():
            return []
        counts: Counter[tuple[str, str]] = Counter()
        offset = None
        while True:
            points, offset = self._client.scroll(_TABLE, _matching(collection=collection), limit=_BATCH, offset=offset)
            counts.update((point.payload["document"], point.payload["document_id"]) for point in points if point.payload)
            if offset is None:
                return [StoredDocument(id=key, name=name, chunks=count) for (name, key), count in sorted(counts.items())]

    def delete(self, collection: str, document_id: str) -> bool:
        """Remove all passages of a document."""
        if not self._exists():
            return False
        chosen = _matching(collection=collection, document_id=document_id)
        count = self._client.count(_TABLE, chosen).count
        self._client.delete(_TABLE, FilterSelector(filter=chosen), wait=True)
        return count > 0

    def _exists(self) -> bool:
        return self._client.collection_exists(_TABLE)

    @staticmethod
    def _point(document: Document, number: int, total: int, chunk: Chunk, vector: Matrix) -> PointStruct:
        payload = {"collection": document.collection, "document_id": document.id, "document": document.name, "number": number}
        payload |= {"place": chunk.place, "text": chunk.text, "is_last": number == total - 1}
        key = uuid.uuid5(uuid.NAMESPACE_OID, f"{document.collection}/{document.id}/{number}")
        return PointStruct(id=str(key), vector=vector.tolist(), payload=payload)


def _matching(**values: str | bool) -> Filter:
    return Filter(must=[FieldCondition(key=key, match=MatchValue(value=value)) for key, value in values.items()])
