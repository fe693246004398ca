"""The service of the tests under each of the monitors that are compared. `MONITOR` names one, `OBSERVATIONS` a file for what it says."""

import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from service import application  # type: ignore[import-not-found]  # beside the tests, where the server looks


def service() -> FastAPI:
    """The service under the monitor that is asked for."""
    logging.basicConfig(filename=os.environ["OBSERVATIONS"] + ".log", level=logging.INFO)
    app: FastAPI = application()
    _MONITORS[os.environ["MONITOR"]](app)

    @app.get("/items/{number}")
    async def item(number: int, q: str = "") -> dict[str, object]:
        return {"number": number, "q": q, "tags": [str(each) for each in range(20)]}

    return app


def _asyncvet(app: FastAPI) -> None:
    from asyncvet.monitor import MonitorMiddleware  # each server imports the monitor that it runs under

    app.add_middleware(MonitorMiddleware, output=os.environ["OBSERVATIONS"], switch=signal.SIGUSR2)


def _loopguard(app: FastAPI) -> None:
    from fastapi_loopguard import LoopGuardConfig, LoopGuardMiddleware

    app.add_middleware(LoopGuardMiddleware, config=LoopGuardConfig(enforcement_mode="log", fallback_threshold_ms=100.0))


def _asynclens(app: FastAPI) -> None:
    from asynclens import AsyncWatchdog

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001
        async with AsyncWatchdog(threshold_ms=100, logger=logging.getLogger("asynclens")):
            yield

    app.router.lifespan_context = lifespan


def _loopsentry(app: FastAPI) -> None:
    from loopsentry import LoopSentry

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001
        sentry = LoopSentry(base_dir=os.environ["OBSERVATIONS"] + ".sentry", threshold=0.1)
        sentry.start()
        yield
        sentry.stop()

    app.router.lifespan_context = lifespan


_MONITORS = {
    "none": lambda app: None,  # noqa: ARG005
    "asyncvet": _asyncvet,
    "loopguard": _loopguard,
    "asynclens": _asynclens,
    "loopsentry": _loopsentry,
}
