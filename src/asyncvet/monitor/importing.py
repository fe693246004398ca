"""Imports: those that are made on the event loop are recorded, and what they bring is wrapped.

The function that finds and loads a module is replaced. It passes for one of the import system's own, so that tracebacks and warnings
leave it out as they do those.
"""

from __future__ import annotations

import importlib
import sys
import time
from asyncio.events import _get_running_loop
from collections.abc import Callable
from typing import Any

from asyncvet.monitor.recording import RECORDER, Primitive

_IMPORT = Primitive("builtins.__import__", "file")


def finding(original: Callable[..., Any], loaded: Callable[[], None]) -> Callable[..., Any]:
    """What stands in for the import system's finder of modules; `loaded` is called after each module that was not there before."""

    def find_and_load(name: str, import_: Any) -> Any:  # noqa: ANN401
        if name in sys.modules:
            return original(name, import_)
        state = RECORDER.state() if _get_running_loop() is not None else None
        if state is None or state.depth:
            module = original(name, import_)
            loaded()
            return module
        state.depth += 1
        began = time.perf_counter()
        is_there = True
        try:
            return original(name, import_)
        except ModuleNotFoundError as error:
            # Libraries ask for one that they can do without at each call; the finders know from memory that it is not there.
            is_there = error.name != name
            raise
        finally:
            seconds = time.perf_counter() - began
            state.depth -= 1
            if is_there:
                RECORDER.saw(_IMPORT, seconds, sys._getframe(1))
            state.depth += 1
            loaded()
            state.depth -= 1
            state.own += time.perf_counter() - began - seconds

    find_and_load.__code__ = find_and_load.__code__.replace(co_filename="<frozen importlib._bootstrap>")
    return find_and_load


SYSTEM: Any = importlib._bootstrap
"""The module whose `_find_and_load` the interpreter calls by that name."""
