"""Load shedding: a few requests work, some wait, the rest is turned away at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from farm.errors import Overloaded
from farm.runtime.metrics import REJECTED, WAITING


class Admission:
    """The queue before a scarce resource.

    Args:
        name: what the metrics call it.
        parallel: how many work at once.
        max_waiting: how many more may wait.
        max_wait: for how many seconds.
    """

    def __init__(self, name: str, parallel: int, max_waiting: int, max_wait: float) -> None:
        self._name = name
        self._turns = asyncio.Semaphore(parallel)
        self._max_waiting = max_waiting
        self._max_wait = max_wait
        self._waiting = 0

    @asynccontextmanager
    async def enter(self) -> AsyncGenerator[None]:
        """Work when it is our turn.

        Raises:
            Overloaded: the queue is full.
            TimeoutError: our turn did not come in time.
        """
        await self._wait()
        try:
            yield
        finally:
            self._turns.release()

    async def _wait(self) -> None:
        if self._turns.locked() and self._waiting >= self._max_waiting:
            REJECTED.labels(self._name).inc()
            raise Overloaded(f"{self._waiting} requests wait already; try again later")
        self._waiting += 1
        try:
            with WAITING.labels(self._name).track_inprogress():
                async with asyncio.timeout(self._max_wait):
                    await self._turns.acquire()
        finally:
            self._waiting -= 1
