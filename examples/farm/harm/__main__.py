"""Run every pattern beside its good form and write the page: `python -m harm`, or `make harm`."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from harm.patterns import PATTERNS, Pattern
from harm.report import Results, write
from harm.service import Measured, Service, running, upstream


@asynccontextmanager
async def running_form(pattern: Pattern, is_bad: bool) -> AsyncGenerator[Service]:
    """The service of a pattern, in one of its forms."""
    arguments = ["--variant", pattern.name] if is_bad else []
    if pattern.condition:
        arguments += ["--condition", pattern.condition]
    settings = dict(pattern.settings)
    async with AsyncExitStack() as stack:
        if pattern.other:
            answer, setting, address = pattern.other
            settings[setting] = address.format(port=await stack.enter_async_context(upstream(answer)))
        yield await stack.enter_async_context(running(pattern.service, arguments, **settings))


async def measure(pattern: Pattern, is_bad: bool) -> Measured:
    """Run one form of a pattern."""
    async with running_form(pattern, is_bad) as service:
        measured = await pattern.load(service)
        if measured.shutdown == 0:
            measured.stall = await service.metric("farm_loop_worst_stall_seconds")
            await service.stop(measured)
        return measured


async def measure_all(names: list[str]) -> Results:
    """Run the patterns with these names, or all."""
    results = {}
    for pattern in PATTERNS:
        if not names or pattern.name in names:
            started = time.monotonic()
            bad, good = await measure(pattern, is_bad=True), await measure(pattern, is_bad=False)
            results[pattern.name] = bad, good
            print(f"{pattern.title}: {pattern.says(bad, good)} ({time.monotonic() - started:.0f} s)", flush=True)
    return results


def main(names: list[str]) -> None:
    """Run the patterns with these names, or all and write the page."""
    results = asyncio.run(measure_all(names))
    if not names:
        write(results)


if __name__ == "__main__":
    main(sys.argv[1:])
