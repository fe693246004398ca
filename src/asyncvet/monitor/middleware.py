"""The monitor's ASGI middleware: tells which request the loop works at, and switches the monitor on where nothing else does."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from asyncvet.monitor.attribution import Work
from asyncvet.monitor.light import start
from asyncvet.monitor.watchdog import MONITOR

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class MonitorMiddleware:
    """Names the requests that stall the event loop, and those that wait for it.

    `app.add_middleware(MonitorMiddleware)`, or `app = MonitorMiddleware(app)` around any ASGI application. Starts the monitor.
    """

    def __init__(self, app: Application, **settings: Any) -> None:  # noqa: ANN401
        """Wrap an application.

        Args:
            app: The application.
            settings: Those of `asyncvet.monitor.start`.

        Raises:
            TypeError: `app` is no ASGI application, or there is no such setting.
        """
        _check(app)
        inspect.signature(start).bind(**settings)
        self._app = app
        if not MONITOR.is_on:
            start(**settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if not MONITOR.is_on or scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        MONITOR.watch(loop)
        if not MONITOR.has_watchdog:  # a loop that began to run before it could be seen, of another process or of a late uvloop
            await asyncio.to_thread(MONITOR.wake)
        work = Work("", scope, loop)
        work.begin()
        try:
            await self._app(scope, receive, send)
        finally:
            work.end()


def _check(app: object) -> None:
    if not callable(app):
        raise TypeError(f"MonitorMiddleware wraps an ASGI application, a callable with (scope, receive, send), not {app!r}")
    try:
        inspect.signature(app).bind(None, None, None)
    except TypeError as error:
        hint = "; this looks like a WSGI application" if _takes(app, 2) else ""
        raise TypeError(
            f"MonitorMiddleware wraps an ASGI application, called with (scope, receive, send): {app!r}: {error}{hint}"
        ) from None
    except ValueError:
        return  # a callable that does not tell its parameters


def _takes(app: Callable[..., object], number: int) -> bool:
    try:
        inspect.signature(app).bind(*[None] * number)
    except TypeError:
        return False
    return True
