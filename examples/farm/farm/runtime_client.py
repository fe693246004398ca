"""How the other services call the runtime."""

import asyncio
import json
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

import httpx

import farm.late_imports  # noqa: F401
from farm.errors import BadInput, FarmError, ServiceUnavailable
from farm.settings import FarmSettings

Messages = list[dict[str, str]]


class RuntimeClient:
    """Calls the runtime; every call has a bound, and every failure is one of the farm's errors or a `TimeoutError`."""

    def __init__(self, client: httpx.AsyncClient, settings: FarmSettings) -> None:
        self._client = client
        self._settings = settings

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: FarmSettings) -> AsyncGenerator[Self]:
        """A client, and the connections that it keeps, while the block runs."""
        timeout = httpx.Timeout(settings.request_timeout, connect=settings.connect_timeout)
        made = asyncio.to_thread(  # certificates are read
            httpx.AsyncClient, base_url=settings.runtime_address, timeout=timeout, headers=settings.authorization
        )
        async with await made as client:
            yield cls(client, settings)

    async def check(self) -> None:
        """Raise unless the runtime answers."""
        with _mapped_errors():
            await _raise_for_status(await self._client.get("/health"))

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector of length 1 for each text."""
        body = {"model": self._settings.encoder_model, "input": list(texts)}
        with _mapped_errors():
            response = await self._client.post("/v1/embeddings", json=body)
            await _raise_for_status(response)
            return [each["embedding"] for each in response.json()["data"]]

    async def stream_chat(self, messages: Messages, max_tokens: int) -> AsyncGenerator[str]:
        """The answer's tokens as they come. Closing the generator stops the generation."""
        body = {"model": self._settings.language_model, "messages": messages, "max_tokens": max_tokens, "stream": True}
        with _mapped_errors():
            async with self._client.stream("POST", "/v1/chat/completions", json=body) as response:
                await _raise_for_status(response)
                async for line in response.aiter_lines():
                    if line.startswith("data: {"):
                        token = _token(json.loads(line.removeprefix("data: ")))
                        if token:
                            yield token


def _token(chunk: dict[str, Any]) -> str:
    if "error" in chunk:
        raise ServiceUnavailable(chunk["error"]["message"])
    return "".join(choice["delta"].get("content") or "" for choice in chunk["choices"])


async def _raise_for_status(response: httpx.Response) -> None:
    if response.is_success:
        return
    await response.aread()
    try:
        reason = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        reason = f"the runtime answered {response.status_code}"
    if response.status_code == httpx.codes.GATEWAY_TIMEOUT:
        raise TimeoutError(reason)
    raise BadInput(reason) if response.is_client_error else ServiceUnavailable(reason)


@contextmanager
def _mapped_errors() -> Generator[None]:
    try:
        yield
    except FarmError:
        raise
    except httpx.TimeoutException as error:
        raise TimeoutError("the runtime took too long") from error
    except httpx.HTTPError as error:
        raise ServiceUnavailable("the runtime does not answer") from error
