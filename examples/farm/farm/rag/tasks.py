"""The tasks. They run in worker processes and are synchronous; where something asynchronous is to be done, they run it once."""

import asyncio
import logging
from functools import cache
from typing import Any

from celery import Task
from celery.exceptions import SoftTimeLimitExceeded

from farm.errors import BadInput, FarmError, ServiceUnavailable, UnsupportedFile
from farm.rag.app import INGEST_QUEUE, SEARCH_QUEUE, celery_app
from farm.rag.embedding import embed_query
from farm.rag.handler import IngestHandler
from farm.rag.ledger import Ledger, SupersededError
from farm.rag.settings import rag_settings
from farm.rag.store import VectorStore, open_store

logger = logging.getLogger(__name__)


class IngestTask(Task):
    """Tells the ledger what becomes of a task. Its failure stays a failure: nothing is returned in place of an error."""

    def on_retry(self, exc: Exception, task_id: str, args: tuple[str], kwargs: dict[str, Any], einfo: object) -> None:
        """It will be tried again."""
        _ledger().requeue(args[0], _reason(exc))

    def on_failure(self, exc: Exception, task_id: str, args: tuple[str], kwargs: dict[str, Any], einfo: object) -> None:
        """It will not be tried again."""
        if not isinstance(exc, SupersededError):
            _ledger().fail(args[0], _reason(exc))


def _reason(error: Exception) -> str:
    if isinstance(error, SoftTimeLimitExceeded):
        return f"not done within {rag_settings().ingest_time_limit} seconds"
    return str(error.detail) if isinstance(error, FarmError) else f"{type(error).__name__}: {error}"


@cache
def _ledger() -> Ledger:
    return Ledger.open(rag_settings())


@cache
def _store() -> VectorStore:
    return open_store(rag_settings())


@celery_app.task(
    bind=True,
    base=IngestTask,
    name="ingest_file_with_rag_task",
    queue=INGEST_QUEUE,
    throws=(FarmError, SupersededError),
    autoretry_for=(ServiceUnavailable, TimeoutError, OSError),
    dont_autoretry_for=(BadInput, UnsupportedFile, FileNotFoundError),
    max_retries=rag_settings().ingest_attempts - 1,
    retry_backoff=1,
    retry_backoff_max=60,
    soft_time_limit=rag_settings().ingest_time_limit,
    time_limit=rag_settings().ingest_time_limit + 30,
)
def ingest_file_with_rag_task(self: Task, entry_id: str) -> dict[str, str]:
    """Ingest the file of an entry of the ledger."""
    return IngestHandler.create(rag_settings()).ingest_file(entry_id)


@celery_app.task(name="search_with_rag_task", queue=SEARCH_QUEUE, soft_time_limit=60, time_limit=70)
def search_with_rag_task(collection: str, query: str, limit: int) -> list[dict[str, Any]]:
    """The passages of a collection that are nearest to a question."""
    vector = asyncio.run(embed_query(query, rag_settings()))
    return [passage.model_dump() for passage in _store().search(collection, vector, limit)]


@celery_app.task(name="list_documents_with_rag_task", queue=SEARCH_QUEUE, soft_time_limit=60, time_limit=70)
def list_documents_with_rag_task(collection: str) -> list[dict[str, Any]]:
    """The documents of a collection."""
    return [document.model_dump() for document in _store().documents(collection)]


@celery_app.task(name="delete_document_with_rag_task", queue=SEARCH_QUEUE, soft_time_limit=60, time_limit=70)
def delete_document_with_rag_task(collection: str, document_id: str) -> bool:
    """Remove a document; whether it was there."""
    return _store().delete(collection, document_id)


@celery_app.task(name="ping_with_rag_task", queue=SEARCH_QUEUE)
def ping_with_rag_task() -> str:
    """Show that a worker is there."""
    return "pong"
