"""How both services that speak HTTP are served."""

import sys

import fastapi.telemetry._runtime  # noqa: F401 - or the application imports it on the loop
import uvicorn
from fastapi import FastAPI

import farm.late_imports  # noqa: F401
from farm.settings import FarmSettings

_START_FAILED = 3


def serve(app: FastAPI, port: int, settings: FarmSettings) -> None:
    """Serve until told to stop. All that uvicorn imports is imported before there is a loop."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=port,
        log_config=None,
        timeout_keep_alive=settings.keep_alive,
        timeout_graceful_shutdown=5,
    )
    config.load()
    server = uvicorn.Server(config)
    server.run()
    if not server.started:
        sys.exit(_START_FAILED)
