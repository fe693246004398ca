"""Follows one project: collects what the editor changes, has it reviewed off the loop, and drops reviews that are overtaken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Protocol, TypeVar

from asyncvet.engine.workspace import Workspace
from asyncvet.lsp.diagnostics import Diagnostics
from asyncvet.lsp.view import View

DELAY = 0.1
"""Seconds without an edit after which a review begins."""
PATIENCE = 1.0
"""Seconds after which a person wants to see that a review goes on."""

_Answer = TypeVar("_Answer")


class Overtaken(Exception):  # noqa: N818  # nothing went wrong
    """What is reviewed has changed meanwhile."""


class Listener(Protocol):
    """Who is told what a tracker finds. All of it on the loop."""

    def look_at(self, workspace: Workspace) -> tuple[View, Diagnostics]:
        """The one method that is called off the loop: put what a workspace reports into the editor's terms."""

    def found(self, tracker: Tracker, diagnostics: Diagnostics) -> None:
        """A review has ended."""

    def failed(self, tracker: Tracker, error: Exception) -> None:
        """A review could not be made."""

    def waiting(self, tracker: Tracker, review: asyncio.Future[tuple[View, Diagnostics]]) -> None:
        """A review takes long."""


class Tracker:
    """Keeps what is known of one project up to date. Belongs to the loop.

    Args:
        path: Folder of the project, or a file that is one by itself.
        python: Environment whose packages are read, in place of the configured one.
        thread: Runs reviews and questions, one at a time.
        listener: Told of the outcome.
    """

    def __init__(self, path: Path, python: Path | None, thread: Executor, listener: Listener) -> None:
        self.path = path
        self._python = python
        self._workspace: Workspace | None = None
        self._thread = thread
        self._listener = listener
        self._edits: dict[Path, str | None] = {}
        self._must_look = False
        self._generation = 0
        self._changed = asyncio.Event()
        self._view: asyncio.Future[View | None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._follow())

    def update(self, file: Path, text: str | None) -> None:
        """The editor holds this text of a file; None if it does not hold the file any more."""
        self._edits[file] = text
        self._touch()

    def look(self) -> None:
        """The disk may have changed."""
        self._must_look = True
        self._touch()

    async def ask(self, question: Callable[[View], _Answer]) -> _Answer | None:
        """The answer to a question about the project as it is now; None if it cannot be reviewed as it is."""
        view = await asyncio.shield(self._view)
        while not self._view.done():  # it has changed meanwhile
            view = await asyncio.shield(self._view)
        if view is None:
            return None
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, view)

    def give_up(self) -> None:
        """End the review that is under way, soon."""
        self._generation += 1

    async def close(self) -> None:
        """End all work."""
        self.give_up()
        if not self._view.done():
            self._view.set_result(None)
        self._task.cancel()
        await asyncio.wait([self._task])

    def _touch(self) -> None:
        self._generation += 1
        if self._view.done():
            self._view = asyncio.get_running_loop().create_future()
        self._changed.set()

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await asyncio.sleep(DELAY)
            if not self._changed.is_set():
                await self._review()

    async def _review(self) -> None:
        generation = self._generation
        edits, self._edits = self._edits, {}
        must_look, self._must_look = self._must_look, False
        loop = asyncio.get_running_loop()
        review = loop.run_in_executor(self._thread, self._reviewed, generation, edits, must_look)
        try:
            await asyncio.wait([review], timeout=PATIENCE)
            if not review.done():
                self._listener.waiting(self, review)
            view, diagnostics = await review
        except Overtaken:
            return
        except Exception as error:  # the editor goes on, and so does the next review
            self._end(generation, None)
            self._listener.failed(self, error)
            return
        if self._end(generation, view):
            self._listener.found(self, diagnostics)

    def _end(self, generation: int, view: View | None) -> bool:
        """Give an outcome to who waits for it; False if it is overtaken."""
        is_fresh = generation == self._generation
        if is_fresh and not self._view.done():
            self._view.set_result(view)
        return is_fresh

    def _reviewed(self, generation: int, edits: dict[Path, str | None], must_look: bool) -> tuple[View, Diagnostics]:
        """What the thread does."""

        def tell(stage: str, done: int, total: int) -> None:  # noqa: ARG001
            if self._generation != generation:
                raise Overtaken

        workspace = self._workspace = self._workspace or Workspace(self.path, self._python)
        for file, text in edits.items():
            workspace.update(file, text)
        if must_look:
            workspace.refresh()
        tell("reading", 0, 1)
        workspace.report(tell)
        return self._listener.look_at(workspace)
