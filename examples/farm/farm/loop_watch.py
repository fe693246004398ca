"""How long the event loop stood still, measured by a task that wants to run every few milliseconds."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from prometheus_client import Gauge

_PAUSE = 0.01
_WORST = Gauge("farm_loop_worst_stall_seconds", "Longest time that the event loop stood still since the service started")


@asynccontextmanager
async def loop_watch() -> AsyncGenerator[None]:
    """Measure the loop's stalls while the block runs."""
    watch = asyncio.create_task(_watch())
    try:
        yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


async def _watch() -> None:
    worst = 0.0
    while True:
        before = time.monotonic()
        await asyncio.sleep(_PAUSE)
        worst = max(worst, time.monotonic() - before - _PAUSE)
        _WORST.set(worst)
