"""Chats with a language model: whole answers, and streams of chunks."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.exceptions import HTTPException

from farm.runtime.metrics import GENERATING, TOKENS
from farm.runtime.schemas import AnswerMessage, ChatRequest, ChatResponse, Choice, Usage
from farm.runtime.services import Services
from farm.streams import event

Chunk = dict[str, Any]
_SENT = ("id", "object", "created", "model", "choices", "usage")


async def chat_chunks(services: Services, request: ChatRequest) -> AsyncGenerator[Chunk]:
    """The chunks of an answer, in OpenAI's form; the last one has no choices but the usage."""
    async with services.chats.enter(), services.languages.lease(request.model) as model:
        with GENERATING.labels(request.model).track_inprogress():
            async with aclosing(model.stream(request.for_engine())) as chunks:
                async for chunk in chunks:
                    if "prompt_progress" not in chunk:
                        TOKENS.labels(request.model).inc(len(chunk["choices"]))
                        yield {key: chunk[key] for key in _SENT if key in chunk} | {"model": request.model}


async def chat_answer(services: Services, request: ChatRequest) -> ChatResponse:
    """The whole answer."""
    parts: list[str] = []
    finish_reason, last = None, None
    async with aclosing(chat_chunks(services, request)) as chunks:
        async for last in chunks:
            for choice in last["choices"]:
                parts.append(choice["delta"].get("content") or "")
                finish_reason = choice["finish_reason"]
    assert last is not None  # noqa: S101
    return ChatResponse(
        id=last["id"],
        created=last["created"],
        model=request.model,
        choices=[Choice(message=AnswerMessage(content="".join(parts)), finish_reason=finish_reason)],
        usage=Usage.model_validate(last["usage"]),
    )


async def chat_events(chunks: AsyncGenerator[Chunk], include_usage: bool) -> AsyncGenerator[str]:
    """The chunks as server-sent events. An error at this point has no status any more; it is the last event."""
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                if chunk["choices"] or include_usage:
                    yield event(chunk)
        yield "data: [DONE]\n\n"
    except HTTPException as error:
        yield event({"error": {"message": str(error.detail), "type": "stream_error"}})
    except TimeoutError:
        yield event({"error": {"message": "the next token took too long", "type": "timeout_error"}})
