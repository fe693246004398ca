"""What both forms of a pattern have to live with: faults and delays of others, put into the service at its start."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

from celery import Task
from celery.result import AsyncResult

from farm.errors import ServiceUnavailable
from farm.rag.ledger import Ingestion, Ledger
from farm.server.workers import Workers

SEARCH_SECONDS = 0.1
REFUSED = 10
"""How many messages the broker refuses before it takes any."""


def slow_search() -> None:
    """Every search of a collection takes a tenth of a second and finds nothing."""

    async def call(self: Workers, task: Task, *args: object, timeout: float) -> list[Any]:
        await asyncio.sleep(SEARCH_SECONDS)
        return []

    Workers.call = call  # type: ignore[method-assign]


def passing_faults() -> None:
    """The broker refuses its first messages, and the ledger is locked when it is first asked what to publish again."""
    publish, due = Workers.publish, Ledger.due
    refused: list[Task] = []
    failures: list[sqlite3.OperationalError] = []

    async def refusing(self: Workers, task: Task, *args: object, expires: float | None = None) -> AsyncResult:
        if len(refused) < REFUSED:
            refused.append(task)
            raise ServiceUnavailable("the broker does not answer")
        return await publish(self, task, *args, expires=expires)

    def locked(self: Ledger, limit: int = 100) -> list[Ingestion]:
        found = due(self, limit)
        if found and not failures:
            failures.append(sqlite3.OperationalError("database is locked"))
            raise failures[0]
        return found

    Workers.publish = refusing  # type: ignore[method-assign]
    Ledger.due = locked  # type: ignore[method-assign]


CONDITIONS: dict[str, Callable[[], None]] = {"slow-search": slow_search, "passing-faults": passing_faults}
