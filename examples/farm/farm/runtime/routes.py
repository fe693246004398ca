"""The runtime's endpoints."""

import asyncio
import base64
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from farm.errors import NotFound
from farm.runtime.chat import chat_answer, chat_chunks, chat_events
from farm.runtime.encoder import Matrix
from farm.runtime.schemas import (
    ChatRequest,
    ChatResponse,
    Embedding,
    EmbeddingRequest,
    EmbeddingResponse,
    Health,
    ModelCard,
    ModelList,
    Prediction,
    PredictRequest,
    Usage,
)
from farm.runtime.services import EncoderDep, ServicesDep
from farm.streams import EVENTS, EventStream, start_stream, while_connected

router = APIRouter()


@router.get("/health")
async def health(services: ServicesDep) -> Health:
    """That the service answers, and which models are in memory."""
    return Health(loaded=[*services.encoders.loaded_names, *services.languages.loaded_names])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics() -> Response:
    """Counters in Prometheus' format."""
    return Response(await asyncio.to_thread(generate_latest), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/models")
async def list_models(services: ServicesDep) -> ModelList:
    """All models there are, loaded or not."""
    return ModelList(data=[ModelCard(id=name) for name in services.languages.names + services.encoders.names])


@router.get("/v1/models/{model}")
async def get_model(model: str, services: ServicesDep) -> ModelCard:
    """One model."""
    if model not in services.languages.names + services.encoders.names:
        raise NotFound(f"there is no model {model!r}")
    return ModelCard(id=model)


@router.post("/v1/embeddings")
async def create_embeddings(body: EmbeddingRequest, services: ServicesDep) -> EmbeddingResponse:
    """A vector of length 1 for each text."""
    async with services.embeddings.enter(), services.encoders.lease(body.model) as encoder:
        async with asyncio.timeout(services.settings.request_timeout):
            vectors, tokens = await encoder.embed(body.texts)
    written = _as_base64(vectors) if body.encoding_format == "base64" else vectors.tolist()
    return EmbeddingResponse(
        model=body.model,
        data=[Embedding(index=index, embedding=each) for index, each in enumerate(written)],
        usage=Usage(prompt_tokens=tokens, total_tokens=tokens),
    )


@router.post("/v1/chat/completions", response_model=ChatResponse, responses=EVENTS)
async def create_chat_completion(body: ChatRequest, request: Request, services: ServicesDep) -> Any:  # noqa: ANN401
    """The model's answer, whole or streamed. When the client goes away, the generation stops."""
    if not body.stream:
        return await while_connected(request, chat_answer(services, body))
    chunks = await while_connected(request, start_stream(chat_chunks(services, body)))
    return EventStream(chat_events(chunks, body.include_usage))


@router.post("/predict")
async def predict(body: PredictRequest, encoder: EncoderDep, services: ServicesDep) -> Prediction:
    """Which of the labels fits the text best."""
    async with asyncio.timeout(services.settings.request_timeout):
        vectors, _ = await encoder.embed([body.text, *body.labels])
    scores = dict(zip(body.labels, (vectors[1:] @ vectors[0]).tolist(), strict=True))
    return Prediction(label=max(scores, key=lambda label: scores[label]), scores=scores)


def _as_base64(vectors: Matrix) -> list[str]:
    return [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in vectors]
