"""The runtime's application."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farm.access import guard
from farm.errors import ERROR_RESPONSES, add_error_handlers
from farm.runtime.metrics import LATENCY, REQUESTS
from farm.runtime.routes import router
from farm.runtime.services import Services
from farm.runtime.settings import RuntimeSettings


def create_app(settings: RuntimeSettings) -> FastAPI:
    """The runtime with these settings."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Services]]:
        async with Services.running(settings) as services:
            yield {"services": services}

    app = FastAPI(title="Runtime", lifespan=lifespan, responses=ERROR_RESPONSES, max_body_size=settings.max_body_bytes)
    app.include_router(router)
    add_error_handlers(app)
    app.add_middleware(Measured)
    guard(app, settings)
    return app


class Measured:
    """Counts requests, and measures how long they take to the end of the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            REQUESTS.labels(scope["method"], route, status).inc()
            LATENCY.labels(scope["method"], route).observe(time.monotonic() - started)
