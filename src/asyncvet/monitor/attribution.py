"""Whose work a step on the event loop is: the request or the Celery task that it belongs to."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping
from contextvars import Context, ContextVar, Token
from types import FrameType
from typing import Any


class Work:
    """A request, or a run of a Celery task, that is under way between `begin` and `end`.

    Attributes:
        scope: The ASGI scope of a request, which frameworks tell the route that they chose; None when it is done, as timers that it has
            set may keep its context for long.
        loop: The event loop that runs it, if it was begun on one.
        is_wanted: Something will be told of it, so that its name must be known when it is done.
    """

    __slots__ = ("_name", "_token", "is_wanted", "loop", "scope")

    def __init__(self, name: str = "", scope: Mapping[str, Any] | None = None, loop: object = None) -> None:
        self._name = name
        self.scope = scope
        self.loop = loop
        self.is_wanted = False

    def begin(self) -> None:
        """Say that what runs from here on in this context works at this."""
        UNDER_WAY.add(self)
        self._token: Token[Work | None] | None = CURRENT.set(self)

    def end(self) -> None:
        """Say that it is done; called in the same context."""
        UNDER_WAY.discard(self)
        if self._token is not None:
            CURRENT.reset(self._token)
            self._token = None
        if self.is_wanted:
            self._name = self.name
        self.scope = None

    @property
    def name(self) -> str:
        """Method and pattern of a request's route, or its path while no framework has told of a route; or what a task is called."""
        scope = self.scope
        if scope is None:
            return self._name
        method = str(scope.get("method", "WEBSOCKET"))
        pattern = getattr(scope.get("route"), "path", None)
        if not isinstance(pattern, str):
            return f"{method} {scope.get('path', '')}"
        mount = str(scope.get("root_path", "")).removesuffix("/")
        return f"{method} {mount.removeprefix(str(scope.get('app_root_path', '')))}{pattern}"


CURRENT: ContextVar[Work | None] = ContextVar("asyncvet_work", default=None)
"""What the running code works at. Tasks and callbacks inherit it with their context."""

UNDER_WAY: set[Work] = set()
"""All work that has begun and not ended."""


def waiting(loop: object) -> list[Work]:
    """The work under way on a loop. Something will be told of it."""
    found = [work for work in list(UNDER_WAY) if work.loop is loop]
    for work in found:
        work.is_wanted = True
    return found


def work_of(step: object) -> Work | None:
    """What a task, or the callback that runs in a frame, works at; asked for from another thread. Something will be told of it."""
    context = _context_of_task(step) if isinstance(step, asyncio.Future) else _context_of_callback(step)
    work = None if context is None else context.get(CURRENT)
    if work is not None:
        work.is_wanted = True
    return work


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
