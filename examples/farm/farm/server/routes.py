"""The server's endpoints."""

import asyncio
import mimetypes
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from farm.errors import NotFound
from farm.rag.ledger import Ingestion
from farm.rag.tasks import delete_document_with_rag_task, list_documents_with_rag_task, ping_with_rag_task
from farm.server.schemas import (
    ChatAnswer,
    ChatChunk,
    ChatRequest,
    CollectionName,
    DocumentId,
    DocumentList,
    DocumentSummary,
    Health,
    IngestionList,
    IngestionRequest,
    IngestionStatus,
    Readiness,
    StoredFile,
)
from farm.server.services import AgentDep, ServicesDep
from farm.server.uploads import receive_file
from farm.streams import EVENTS, EventStream, event, start_stream, while_connected

PAGE = FilePath(__file__).parent / "page"
mimetypes.init()  # reads files, and a response that sends one would do it on the loop
router = APIRouter()
uploads = APIRouter()


@router.get("/", response_class=FileResponse)
async def page() -> FileResponse:
    """The chat page."""
    return FileResponse(PAGE / "index.html")


@router.get("/health")
async def health() -> Health:
    """That the server answers."""
    return Health()


@router.get("/ready", responses={503: {"model": Readiness}})
async def ready(services: ServicesDep, response: Response) -> Readiness:
    """Whether everything that the server needs answers too."""
    timeout = services.settings.connect_timeout
    checks = services.runtime.check(), services.workers.call(ping_with_rag_task, timeout=timeout)
    results = await asyncio.gather(*checks, return_exceptions=True)
    runtime, workers = ("ok" if not isinstance(each, BaseException) else _reason(each) for each in results)
    if (runtime, workers) != ("ok", "ok"):
        response.status_code = 503
    return Readiness(runtime=runtime, workers=workers)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics() -> Response:
    """Counters in Prometheus' format."""
    return Response(await asyncio.to_thread(generate_latest), media_type=CONTENT_TYPE_LATEST)


@router.post("/v1/chat", response_model=ChatAnswer, responses=EVENTS)
async def chat(body: ChatRequest, request: Request, agent: AgentDep) -> Any:  # noqa: ANN401
    """An answer from the documents of some collections, whole or streamed, with its sources."""
    if not body.stream:
        return await while_connected(request, agent.run_async(body.message, body.collections))
    chunks = await while_connected(request, start_stream(agent.run_async_stream(body.message, body.collections)))
    return EventStream(_chat_events(chunks))


async def _chat_events(chunks: AsyncGenerator[ChatChunk]) -> AsyncGenerator[str]:
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                yield event(chunk.model_dump(), chunk.type)
        yield event({}, "done")
    except (HTTPException, TimeoutError) as error:
        yield event({"reason": _reason(error)}, "error")


@uploads.post("/v1/files", status_code=201, openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}}})
async def upload_file(
    name: Annotated[str, Query(min_length=1, max_length=200)], request: Request, services: ServicesDep
) -> StoredFile:
    """Store a file, which is the body of the request."""
    settings = services.settings
    async with asyncio.timeout(settings.upload_timeout):
        return await receive_file(request.stream(), name, settings.files_dir, settings.max_upload_bytes)


@router.post("/v1/ingestions", status_code=202)
async def start_ingestion(body: IngestionRequest, services: ServicesDep) -> IngestionList:
    """Begin to ingest uploaded files; what becomes of each can be asked for or watched."""
    entries = await services.ingestions.start_ingestion(body.collection, body.files)
    return IngestionList(ingestions=[_status(entry) for entry in entries])


@router.get("/v1/ingestions/{ingestion_id}")
async def get_ingestion(ingestion_id: str, services: ServicesDep) -> IngestionStatus:
    """What has become of an ingestion."""
    return _status(await services.ingestions.get(ingestion_id))


@router.get("/v1/ingestions/{ingestion_id}/events", response_class=StreamingResponse, responses=EVENTS)
async def watch_ingestion(ingestion_id: str, services: ServicesDep) -> EventStream:
    """What becomes of an ingestion, as events, until it has come to an end."""
    return EventStream(_status_events(await start_stream(services.ingestions.watch(ingestion_id))))


async def _status_events(entries: AsyncGenerator[Ingestion]) -> AsyncGenerator[str]:
    async with aclosing(entries):
        async for entry in entries:
            yield event(_status(entry).model_dump(mode="json"), "status")


@router.get("/v1/collections/{collection}/ingestions")
async def list_ingestions(collection: CollectionName, services: ServicesDep) -> IngestionList:
    """The latest ingestions into a collection."""
    return IngestionList(ingestions=[_status(entry) for entry in await services.ingestions.recent(collection)])


@router.get("/v1/collections/{collection}/documents")
async def list_documents(collection: CollectionName, services: ServicesDep) -> DocumentList:
    """The documents of a collection."""
    timeout = services.settings.search_timeout
    found = await services.workers.call(list_documents_with_rag_task, collection, timeout=timeout)
    return DocumentList(documents=[DocumentSummary.model_validate(each) for each in found])


@router.delete("/v1/collections/{collection}/documents/{document_id}", status_code=204)
async def delete_document(collection: CollectionName, document_id: DocumentId, services: ServicesDep) -> None:
    """Remove a document from a collection."""
    timeout = services.settings.search_timeout
    if not await services.workers.call(delete_document_with_rag_task, collection, document_id, timeout=timeout):
        raise NotFound(f"there is no document {document_id!r} in the collection {collection!r}")


def _status(entry: Ingestion) -> IngestionStatus:
    return IngestionStatus.model_validate(entry.model_dump())


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    return str(error.detail) if isinstance(error, HTTPException) else "it failed"
