"""Leave the event loop for a while."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar, TypeVarTuple

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

pool = ProcessPoolExecutor(max_workers=2)


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function in the default executor."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, functools.partial(function, *args, **kwargs))


async def in_process(function: Callable[[*Ts], T], *args: *Ts) -> T:
    """Run a function in one of the worker processes."""
    return await asyncio.get_running_loop().run_in_executor(pool, function, *args)
