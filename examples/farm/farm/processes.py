"""Child processes that do not outlive the block they are started for."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import IO, Any

logger = logging.getLogger(__name__)
STOP_TIMEOUT = 10.0


@asynccontextmanager
async def python_process(
    *arguments: str, output: IO[Any] | int | None, errors: IO[Any] | int | None
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Python with these arguments. When the block ends, so does the process, and all it has started that is left.

    It has a process group of its own, so that Ctrl-C in a terminal reaches the parent alone, and a standard input that ends
    with the parent.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=asyncio.subprocess.PIPE, stdout=output, stderr=errors, start_new_session=True
    )
    try:
        yield process
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        logger.warning("a process does not stop; killing it", extra={"pid": process.pid})
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    async with asyncio.timeout(STOP_TIMEOUT):
        await process.wait()
