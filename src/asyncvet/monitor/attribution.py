"""Whose work a step on the event loop is: the request or the Celery task that it belongs to."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Mapping
from contextvars import Context, ContextVar
from types import FrameType
from typing import Any


class Work:
    """A request, or a run of a Celery task, that is under way.

    Attributes:
        scope: The ASGI scope of a request, which frameworks tell the route that they chose.
        started: When it began, by `time.monotonic`.
        loop: The event loop that runs it, if it was begun on one.
    """

    __slots__ = ("_name", "loop", "scope", "started")

    def __init__(self, name: str = "", scope: Mapping[str, Any] | None = None, loop: object = None) -> None:
        self._name = name
        self.scope = scope
        self.loop = loop
        self.started = time.monotonic()

    @property
    def name(self) -> str:
        """Method and path as requested, or what a task is called."""
        return self._name if self.scope is None else f"{_method(self.scope)} {self.scope.get('path', '')}"

    @property
    def route(self) -> str:
        """The same by the route's pattern, which many requests share; empty while no framework has told of a route."""
        if self.scope is None:
            return self._name
        path = getattr(self.scope.get("route"), "path", None)
        if not isinstance(path, str):
            return ""
        mount = str(self.scope.get("root_path", "")).removesuffix("/")
        outside = str(self.scope.get("app_root_path", ""))
        return f"{_method(self.scope)} {mount.removeprefix(outside)}{path}"


def _method(scope: Mapping[str, Any]) -> str:
    return str(scope.get("method", "WEBSOCKET"))


CURRENT: ContextVar[Work | None] = ContextVar("asyncvet_work", default=None)
"""What the running code works at. Tasks and callbacks inherit it with their context."""

UNDER_WAY: dict[int, Work] = {}
"""All work that has begun and not ended, by its identity."""


class working:  # noqa: N801  # a context manager that is spelt like a function: a generator would take three times as long
    """Say that the code inside works at this."""

    __slots__ = ("_token", "_work")

    def __init__(self, work: Work) -> None:
        self._work = work

    def __enter__(self) -> None:
        UNDER_WAY[id(self._work)] = self._work
        self._token = CURRENT.set(self._work)

    def __exit__(self, *error: object) -> None:
        CURRENT.reset(self._token)
        UNDER_WAY.pop(id(self._work), None)


def waiting(loop: object) -> list[Work]:
    """The work under way on a loop."""
    return [work for work in list(UNDER_WAY.values()) if work.loop is loop]


def work_of(step: object) -> Work | None:
    """What a task, or the callback that runs in a frame, works at; asked for from another thread."""
    context = _context_of_task(step) if isinstance(step, asyncio.Future) else _context_of_callback(step)
    return None if context is None else context.get(CURRENT)


def _context_of_task(task: object) -> Context | None:
    if hasattr(task, "get_context"):
        found = task.get_context()
        return found if isinstance(found, Context) else None
    # Python 3.11 keeps it where only the garbage collector looks.
    return next((each for each in gc.get_referents(task) if isinstance(each, Context)), None)


def _context_of_callback(frame: object) -> Context | None:
    """The context of the handle that asyncio runs; uvloop's handles are not seen from Python."""
    while isinstance(frame, FrameType):
        if frame.f_code is asyncio.Handle._run.__code__:
            context = getattr(frame.f_locals.get("self"), "_context", None)
            return context if isinstance(context, Context) else None
        frame = frame.f_back
    return None
