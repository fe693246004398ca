"""Ask for `/health` every few milliseconds, whether earlier answers have come or not: `python -m harm.health URL SECONDS`.

A process of its own, so that nothing but the service delays an answer. Prints a line when it begins, then, as JSON, when each
request was sent and how long its answer took, in seconds.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress

import httpx

_PAUSE = 0.025
_TIMEOUT = 20.0


async def ask(url: str, seconds: float) -> list[tuple[float, float]]:
    """When each request was sent and how long it took, in seconds; one that is not answered counts as long as it waited."""
    answers: list[tuple[float, float]] = []

    async def one(client: httpx.AsyncClient, sent: float) -> None:
        with suppress(httpx.HTTPError):
            await client.get(url)
        answers.append((sent - started, time.perf_counter() - sent))

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=_TIMEOUT, limits=limits) as client:
        await client.get(url)
        print("begun", flush=True)
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            while time.perf_counter() - started < seconds:
                group.create_task(one(client, time.perf_counter()))
                await asyncio.sleep(_PAUSE)
    return sorted(answers)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ask(sys.argv[1], float(sys.argv[2])))))
