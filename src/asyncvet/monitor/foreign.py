"""Functions of shared libraries that are called by ctypes: of none is known what it does, so the time for which it slept decides."""

from __future__ import annotations

import sys
import time
from asyncio.events import _get_running_loop
from collections.abc import Callable, Iterator
from typing import Any

from asyncvet.monitor.recording import RECORDER, Primitive
from asyncvet.monitor.standins import LOCK_PATIENCE


def function_classes(ctypes: Any) -> Iterator[type]:  # noqa: ANN401
    """The classes of functions of the libraries that are loaded: each library has its own."""
    pending = list(ctypes._CFuncPtr.__subclasses__())
    while pending:
        found = pending.pop()
        pending += found.__subclasses__()
        yield found


def loading(original: Callable[..., None], made: Callable[[type], None]) -> Callable[..., None]:
    """What stands in for the constructor of libraries: `made` is told of the class of each one's functions."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, N807
        original(self, *args, **kwargs)
        made(self._FuncPtr)

    return __init__


def calling(ctypes: Any) -> Callable[..., Any]:  # noqa: ANN401
    """What stands in for the call of such a function."""
    original = ctypes._CFuncPtr.__call__

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, N807
        if _get_running_loop() is None:
            return original(self, *args, **kwargs)
        began, ran = time.perf_counter(), time.thread_time()
        try:
            return original(self, *args, **kwargs)
        finally:
            slept = time.perf_counter() - began - (time.thread_time() - ran)
            if slept >= LOCK_PATIENCE:
                name = getattr(self, "__name__", "function")
                RECORDER.saw(Primitive(f"ctypes.{name}", "wait"), slept, sys._getframe(1))

    return __call__
