"""Requests and answers of the server."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from farm.documents import SUFFIXES
from farm.rag.ledger import State

CollectionName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
FileId = Annotated[str, StringConstraints(pattern=rf"^[0-9a-f]{{64}}({'|'.join(SUFFIXES).replace('.', '[.]')})$")]
DocumentId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ChatRequest(BaseModel):
    """A question."""

    message: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    session_id: str | None = Field(None, max_length=64, description="of an earlier answer, to go on with its talk")
    collections: list[CollectionName] = Field(["default"], min_length=1, max_length=8)
    stream: bool = False


class Source(BaseModel):
    """A passage that an answer is based on."""

    number: int
    document: str
    document_id: str
    place: str
    text: str
    score: float


class SourcesChunk(BaseModel):
    """The first chunk of an answer: what it is based on, and which collections could not be searched."""

    type: Literal["sources"] = "sources"
    session_id: str
    sources: list[Source]
    problems: list[str]


class TokenChunk(BaseModel):
    """Some of the answer's text."""

    type: Literal["token"] = "token"
    text: str


ChatChunk = SourcesChunk | TokenChunk


class ChatAnswer(BaseModel):
    """A whole answer."""

    session_id: str
    answer: str
    sources: list[Source]
    problems: list[str]


class StoredFile(BaseModel):
    """A file that was uploaded; its id is the hash of its content, with the suffix of its name."""

    file_id: FileId
    name: str
    size: int


class FileToIngest(BaseModel):
    """An uploaded file, and what it is to be called."""

    file_id: FileId
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class IngestionRequest(BaseModel):
    """Files to be ingested into a collection."""

    collection: CollectionName = "default"
    files: list[FileToIngest] = Field(min_length=1, max_length=100)


class IngestionStatus(BaseModel):
    """What has become of an ingestion; `reason` says why it failed or waits."""

    id: str
    collection: str
    name: str
    state: State
    stage: str
    progress: float
    reason: str | None
    chunks: int
    attempts: int


class IngestionList(BaseModel):
    """Ingestions, newest first."""

    ingestions: list[IngestionStatus]


class DocumentSummary(BaseModel):
    """A document of a collection."""

    id: str
    name: str
    chunks: int


class DocumentList(BaseModel):
    """The documents of a collection, by name."""

    documents: list[DocumentSummary]


class Health(BaseModel):
    """That the server runs."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """What the server needs, and whether it is there: `ok`, or why not."""

    runtime: str
    workers: str
