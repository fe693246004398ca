"""A way to see that an awaited call leaves the event loop to others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from verification.kernel import PATIENCE
from verification.observing import Call, Errors, NotObservedError, observe_bound

TURNS = 10
"""Turns of the loop, a hundredth of a second each, that others must get while the call waits."""


def observe_await(call: Callable[[], Awaitable[object]], release: Call, *, raises: Errors = ()) -> Any:  # noqa: ANN401 - whatever it gives
    """See that the loop serves others while `call`, awaited in a task, waits until `release`, made by this thread, lets it go on.

    Errors of `raises` end it as well as a result.

    Returns:
        What the call gave.

    Raises:
        NotObservedError: The call ended before anybody answered, held the loop, or did not end after its release.
    """
    waiting = threading.Event()
    outcome: Future[object] = Future()

    async def serve_others() -> object:
        task = asyncio.ensure_future(call())
        for _ in range(TURNS):
            await asyncio.sleep(0.01)
            if task.done():
                raise NotObservedError(f"the call ended before anybody answered: {await task!r}")
        waiting.set()
        return await task

    def run_loop() -> None:
        try:
            outcome.set_result(asyncio.run(serve_others()))
        except BaseException as error:  # whatever it is, the observer tells it
            outcome.set_exception(error)
        finally:
            waiting.set()

    threading.Thread(target=run_loop, daemon=True).start()
    if not waiting.wait(PATIENCE):
        raise NotObservedError("the call kept the loop from serving others")
    try:
        if not outcome.done():
            release()
        return outcome.result(PATIENCE)
    except TimeoutError as error:
        if outcome.done() and isinstance(error, raises):
            return error
        raise NotObservedError("the call did not end after its release") from error
    except raises as error:
        return error


def observe_await_bound(call: Callable[[], Coroutine[Any, Any, object]], seconds: float) -> Any:  # noqa: ANN401 - whatever it gives
    """See that `call`, told to wait for `seconds` at most, ends after them though nobody answers; give what it gave."""
    return observe_bound(lambda: asyncio.run(call()), seconds)
