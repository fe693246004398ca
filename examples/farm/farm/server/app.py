"""The server's application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from farm.access import guard
from farm.errors import ERROR_RESPONSES, add_error_handlers
from farm.server.routes import PAGE, router, uploads
from farm.server.services import Services
from farm.server.settings import ServerSettings


def create_app(settings: ServerSettings) -> FastAPI:
    """The server with these settings."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Services]]:
        async with Services.running(settings) as services:
            yield {"services": services}

    app = FastAPI(title="Server", lifespan=lifespan, responses=ERROR_RESPONSES, max_body_size=settings.max_body_bytes)
    app.include_router(router)
    app.include_router(uploads, max_body_size=settings.max_upload_bytes)
    app.mount("/page", StaticFiles(directory=PAGE))
    add_error_handlers(app)
    guard(app, settings)
    return app
