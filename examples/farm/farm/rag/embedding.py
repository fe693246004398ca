"""Vectors for many texts, by several calls to the runtime at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from farm.rag.settings import RagSettings
from farm.rag.store import Matrix
from farm.runtime_client import RuntimeClient


async def embed(texts: Sequence[str], settings: RagSettings, report: Callable[[int], Awaitable[None]]) -> Matrix:
    """A row of length 1 for each text.

    Args:
        texts: what to embed.
        settings: how many texts a call takes, and how many calls are made at once.
        report: told how many texts more are done.

    Raises:
        FarmError, TimeoutError: a call failed; the others are cancelled then.
    """
    turns = asyncio.Semaphore(settings.embed_parallel)
    async with RuntimeClient.open(settings) as runtime:

        async def embed_batch(batch: Sequence[str]) -> list[list[float]]:
            async with turns:
                vectors = await runtime.embed(batch)
            await report(len(batch))
            return vectors

        try:
            async with asyncio.TaskGroup() as group:
                size = settings.embed_batch
                batches = [group.create_task(embed_batch(texts[start : start + size])) for start in range(0, len(texts), size)]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
    return np.array([vector for batch in batches for vector in batch.result()], np.float32)


async def embed_query(text: str, settings: RagSettings) -> Matrix:
    """The vector of one text.

    Raises:
        FarmError, TimeoutError: the call failed.
    """
    async with RuntimeClient.open(settings) as runtime:
        return np.array((await runtime.embed([text]))[0], np.float32)
