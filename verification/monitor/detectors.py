"""The tools that are tried on the cases, each by the way that its documentation gives for tests, or for a running loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import NamedTuple

Reports = list[str]


class Detector(NamedTuple):
    """A tool.

    Attributes:
        distribution: Where its version is from.
        around: Is open around the loop.
        within: Is open around the case, on the loop.
        settles: Seconds of rest that it needs on the loop before and after the case.
        needs: Distributions that it needs beside what the cases need.
    """

    distribution: str
    around: Callable[[Reports], AbstractContextManager[object]] = lambda _: contextlib.nullcontext()
    within: Callable[[Reports], AbstractAsyncContextManager[object]] = lambda _: contextlib.nullcontext()
    settles: float = 0.0
    needs: tuple[str, ...] = ()


@contextlib.contextmanager
def _asyncvet(reports: Reports) -> Iterator[None]:
    from asyncvet.monitor import strict

    with strict(then="record") as seen:
        yield
    reports += [f"{each.primitive} {each.stack[-1].path}:{each.stack[-1].line}" for each in seen.observations if each.stack]


@contextlib.contextmanager
def _blockbuster(reports: Reports) -> Iterator[None]:
    from blockbuster import BlockingError, blockbuster_ctx

    try:
        with blockbuster_ctx():
            yield
    except BlockingError as error:
        reports.append(str(error))


@contextlib.asynccontextmanager
async def _aiocop(reports: Reports) -> AsyncIterator[None]:
    import aiocop

    if not _AIOCOP:
        aiocop.patch_audit_functions()
        aiocop.start_blocking_io_detection()
        aiocop.detect_slow_tasks(threshold_ms=30, on_slow_task=lambda event: _AIOCOP[-1].append(str(event)))
    _AIOCOP.append(reports)
    aiocop.activate()
    await asyncio.sleep(0)
    try:
        yield
        await asyncio.sleep(0)
    finally:
        aiocop.deactivate()


_AIOCOP: list[Reports] = []
"""It can be set up once: where its reports go, the last one now."""


@contextlib.asynccontextmanager
async def _pyleak(reports: Reports) -> AsyncIterator[None]:
    from pyleak import EventLoopBlockError, no_event_loop_blocking

    try:
        async with no_event_loop_blocking(action="raise", threshold=0.1):
            yield
    except EventLoopBlockError as error:
        reports.append(str(error))


@contextlib.asynccontextmanager
async def _loopsentry(reports: Reports) -> AsyncIterator[None]:
    from loopsentry import LoopSentry

    with tempfile.TemporaryDirectory() as folder:
        sentry = LoopSentry(base_dir=folder, threshold=0.1, async_threshold=60)
        sentry.start()
        try:
            yield
        finally:
            sentry.stop()
            for file in Path(folder).rglob("*.jsonl"):
                reports += [line for line in file.read_text().splitlines() if "block" in line.lower()]


@contextlib.asynccontextmanager
async def _asynclens(reports: Reports) -> AsyncIterator[None]:
    from asynclens import AsyncWatchdog

    logger = logging.getLogger("matrix.asynclens")
    logger.propagate = False
    logger.handlers = [_Collector(reports)]
    async with AsyncWatchdog(threshold_ms=50, logger=logger):
        yield


@contextlib.asynccontextmanager
async def _loopguard(reports: Reports) -> AsyncIterator[None]:
    from fastapi_loopguard.config import LoopGuardConfig
    from fastapi_loopguard.monitor import SentinelMonitor

    logger = logging.getLogger("fastapi_loopguard")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.handlers = [_Collector(reports)]
    monitor = SentinelMonitor(LoopGuardConfig())
    await monitor.start()
    try:
        yield
    finally:
        await asyncio.sleep(0.05)
        await monitor.stop()


@contextlib.asynccontextmanager
async def _asyncio_debug(reports: Reports) -> AsyncIterator[None]:
    logger = logging.getLogger("asyncio")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.handlers = [_Collector(reports)]
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    await asyncio.sleep(0)
    yield
    await asyncio.sleep(0.01)


class _Collector(logging.Handler):
    def __init__(self, reports: Reports) -> None:
        super().__init__()
        self._reports = reports

    def emit(self, record: logging.LogRecord) -> None:
        self._reports.append(record.getMessage())


DETECTORS: dict[str, Detector] = {
    "asyncvet": Detector("asyncvet", around=_asyncvet),
    "blockbuster": Detector("blockbuster", around=_blockbuster, needs=("forbiddenfruit",)),
    "aiocop": Detector("aiocop", within=_aiocop),
    "pyleak": Detector("pyleak", within=_pyleak, settles=0.12, needs=("exceptiongroup", "sniffio")),
    "loopsentry": Detector("loopsentry", within=_loopsentry, settles=0.12, needs=("orjson", "psutil", "rich")),
    "asynclens": Detector("asynclens", within=_asynclens, settles=0.12),
    "fastapi-loopguard": Detector("fastapi-loopguard", within=_loopguard, settles=0.12),
    "asyncio debug": Detector("", within=_asyncio_debug),
}


async def watched(detector: Detector, run: Callable[[], Awaitable[object]], reports: Reports) -> None:
    """Run a case on the loop under a tool."""
    async with detector.within(reports):
        await asyncio.sleep(detector.settles)
        await run()
        await asyncio.sleep(detector.settles)
