"""How the server hands tasks to Celery, off the loop and with a bound on every wait.

With the broker away, `apply_async` waits for it: for many seconds if it refuses, for minutes if it says nothing. So a thread does
all that concerns Celery, and nobody waits for it longer than agreed.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Self, TypeVar

from celery import Task
from celery.result import AsyncResult
from celery.states import SUCCESS

from farm.errors import FarmError, ServiceUnavailable

logger = logging.getLogger(__name__)
T = TypeVar("T")
_POLL = 0.02


class Workers:
    """Publishes tasks, and waits for their results.

    Args:
        thread: the one that talks to the broker.
        timeout: seconds that publishing a task, or one look for a result, may take.
    """

    def __init__(self, thread: ThreadPoolExecutor, timeout: float) -> None:
        self._thread = thread
        self._timeout = timeout

    @classmethod
    @asynccontextmanager
    async def open(cls, timeout: float) -> AsyncGenerator[Self]:
        """Workers to talk to while the block runs."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="celery")
        try:
            yield cls(thread, timeout)
        finally:
            thread.shutdown(wait=False, cancel_futures=True)

    async def publish(self, task: Task, *args: object, expires: float | None = None) -> AsyncResult:
        """Publish a task.

        Raises:
            ServiceUnavailable: the broker refuses.
            TimeoutError: it does not answer.
        """
        return await self._run(lambda: task.apply_async(args=args, expires=expires))

    async def call(self, task: Task, *args: object, timeout: float) -> Any:  # noqa: ANN401
        """Publish a task and wait for its result.

        Raises:
            FarmError: the task failed, or the broker refuses.
            TimeoutError: what the task waited for took too long, or there was no result within `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            result = await self.publish(task, *args, expires=timeout)
            while (outcome := await self._run(partial(_outcome, result))) is None:
                await asyncio.sleep(_POLL)
        state, value = outcome
        if state == SUCCESS:
            return value
        if isinstance(value, FarmError | TimeoutError):
            raise value
        logger.error("a task failed", extra={"task": task.name, "error": repr(value)})
        raise ServiceUnavailable("the worker failed; its log says why")

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except TimeoutError:
            raise
        except Exception as error:  # Celery, kombu and the clients of brokers have no error in common
            raise ServiceUnavailable("the broker does not answer") from error


def _outcome(result: AsyncResult) -> tuple[str, Any] | None:
    """State and value of a task that has come to an end; they are then forgotten."""
    if not result.ready():
        return None
    outcome = result.state, result.result
    result.forget()
    return outcome
