"""What the tasks do: parse, cut, embed, store; find; delete."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import Self

from farm.documents import Section, sections
from farm.errors import UnsupportedFile
from farm.rag.chunks import Chunk, chunked
from farm.rag.embedding import embed
from farm.rag.ledger import Ingestion, Ledger
from farm.rag.settings import RagSettings
from farm.rag.store import Document, Matrix, VectorStore, open_store

logger = logging.getLogger(__name__)


class IngestHandler:
    """Ingests files as a worker does: synchronously, with one event loop for the calls to the runtime."""

    def __init__(self, settings: RagSettings, ledger: Ledger, store: VectorStore) -> None:
        self._settings = settings
        self._ledger = ledger
        self._store = store

    @classmethod
    def create(cls, settings: RagSettings) -> Self:
        """A handler with the ledger and the store that the settings name."""
        return cls(settings, Ledger.open(settings), open_store(settings))

    def ingest_file(self, entry_id: str) -> dict[str, str]:
        """Ingest the file of an entry of the ledger, unless that is done or being done.

        Raises:
            FarmError, TimeoutError: the file cannot be ingested, or the runtime is away.
            SupersededError: another worker took over.
        """
        claim = self._ledger.claim(entry_id)
        if claim is None:
            return {"ingestion": entry_id, "outcome": "nothing to do"}
        with self._ledger.kept(claim):
            return {"ingestion": entry_id, "outcome": self._ingest(claim)}

    def _ingest(self, claim: Ingestion) -> str:
        document = Document(claim.content_hash, claim.collection, claim.name)
        if self._store.has(document):
            self._ledger.finish(claim, "this content was there already", 0)
            return "was there already"
        chunks = self._chunks(claim)
        vectors = asyncio.run(self._vectors(claim, chunks))
        self._ledger.show_progress(claim, "storing", 0.95)
        self._store.put(document, chunks, vectors)
        self._ledger.finish(claim, "stored", len(chunks))
        logger.info("ingested", extra={"ingestion": claim.id, "file": claim.name, "chunks": len(chunks)})
        return "stored"

    def _chunks(self, claim: Ingestion) -> list[Chunk]:
        chunks = list(chunked(self._sections(claim), self._settings.chunk_characters))
        if not chunks:
            raise UnsupportedFile("there is no text in the file")
        return chunks

    def _sections(self, claim: Ingestion) -> Iterator[Section]:
        for number, section in enumerate(sections(claim.path, claim.path.suffix), 1):
            self._ledger.show_progress(claim, f"reading part {number}", 0.05)
            yield section

    async def _vectors(self, claim: Ingestion, chunks: Sequence[Chunk]) -> Matrix:
        done = 0

        async def report(count: int) -> None:
            nonlocal done
            done += count
            stage = f"embedding {done} of {len(chunks)}"
            await asyncio.to_thread(self._ledger.show_progress, claim, stage, 0.1 + 0.8 * done / len(chunks))

        return await embed([chunk.text for chunk in chunks], self._settings, report)
