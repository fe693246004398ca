"""Server-sent events, and generators that are closed as soon as the client is gone."""

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

from fastapi.responses import StreamingResponse
from starlette.requests import Request
from starlette.types import Send

from farm.errors import ClientGone

T = TypeVar("T")
EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}


class EventStream(StreamingResponse):
    """Sends server-sent events, and closes their generator when the client goes away.

    Without that the generator would stand still at its `yield` until it is collected, and hold what it holds till then.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[str]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._events = events

    async def stream_response(self, send: Send) -> None:
        """Send all events; close their generator whatever happens."""
        async with aclosing(self._events):
            await super().stream_response(send)


def event(data: Mapping[str, Any], name: str | None = None) -> str:
    """One server-sent event."""
    return (f"event: {name}\n" if name else "") + f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


async def start_stream(stream: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """`stream`, once it has its first item: an error before that can still become a status."""
    first = await anext(stream)
    return _resumed(first, stream)


async def _resumed(first: T, rest: AsyncGenerator[T]) -> AsyncGenerator[T]:
    async with aclosing(rest):
        yield first
        async for item in rest:
            yield item


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the client goes away.

    Raises:
        ClientGone: it did; nobody reads the answer.
    """
    working = asyncio.create_task(work)
    watching = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone("the client is gone")
        return await working
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
