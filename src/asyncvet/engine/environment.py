"""The virtual environment of the project under review: its packages are read, its interpreter is never run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from asyncvet.config import UsageError
from asyncvet.engine.contents import Contents
from asyncvet.engine.store import Store
from asyncvet.model import PREFIX

if TYPE_CHECKING:
    from asyncvet.engine.cache import FactsCache
    from asyncvet.facts.tree import ModuleFacts

_LARGEST = 2_000_000
"""Bytes of the largest file that is read: a larger one is generated, and its calls would be too many to tell anything."""
_MOST = 3_000
"""Files that one review reads of an environment."""


class Trace(msgspec.Struct, frozen=True, array_like=True):
    """What a review asked of an environment, and what it was answered.

    Attributes:
        files: Whether there is a file, by path.
        folders: Whether there is a folder, by path.
        contents: Digests of what files hold, by path; empty for those that cannot be read.
        skipped: See `Environment`.
    """

    files: dict[str, bool]
    folders: dict[str, bool]
    contents: dict[str, bytes]
    skipped: int


class Environment:
    """The packages below one `site-packages` folder.

    Attributes:
        folder: That folder.
        problem: Why nothing of it can be read; None if that is not so.
        contents: What is known of its files without reading them.
        cache: Where facts of its files are kept; None if they are not.
        skipped: Files that were too large, unreadable, or too many to read.
    """

    def __init__(self, folder: Path, problem: str | None = None) -> None:
        self.folder = folder
        self.problem = problem
        self.contents = Contents(Store(None), b"")
        self.cache: FactsCache | None = None
        self.skipped = 0
        self._files: dict[str, bool] = {}
        self._folders: dict[str, bool] = {}
        self._read: dict[str, bytes] = {}

    def path(self, path: str) -> Path:
        """Where a file of the environment is on this machine."""
        return self.folder / path.removeprefix(f"{PREFIX}/")

    def is_file(self, path: str) -> bool:
        """Whether there is a source file at a path."""
        found = self._files.get(path)
        if found is None:
            found = self._files[path] = os.path.isfile(self._path(path))  # noqa: PTH113
        return found

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder at a path."""
        found = self._folders.get(path)
        if found is None:
            found = self._folders[path] = os.path.isdir(self._path(path))  # noqa: PTH112
        return found

    def facts(self, path: str) -> ModuleFacts | None:
        """What a source file says; None if it is too large, cannot be read, or one too many."""
        if len(self._read) < _MOST:
            file = self.path(path)
            found = self._facts(file)
            self._read[path] = self.contents.seen(str(file)) or b""
            if found is not None:
                return found
        self.skipped += 1
        return None

    def trace(self) -> Trace:
        """What was asked so far."""
        return Trace(self._files, self._folders, self._read, self.skipped)

    def answers_as(self, trace: Trace) -> bool:
        """Whether all that was asked in an earlier review would be answered as it was then, which is then taken over."""
        same = all(self.is_file(path) == is_there for path, is_there in trace.files.items())
        same = same and all(self.is_folder(path) == is_there for path, is_there in trace.folders.items())
        same = same and all((self.contents.digest(self._path(path)) or b"") == digest for path, digest in trace.contents.items())
        if same:
            self._read, self.skipped = trace.contents, trace.skipped
        return same

    def _facts(self, file: Path) -> ModuleFacts | None:
        from asyncvet.engine.cache import FactsCache  # noqa: PLC0415  # slow to import, and an answer that is kept needs no facts

        if self.cache is None:
            self.cache = FactsCache(self.contents)
        try:
            if file.stat().st_size <= _LARGEST:
                return self.cache.facts(str(file))
            self.contents.digest(str(file))
        except OSError:
            pass
        return None

    def _path(self, path: str) -> str:
        # Asked thousands of times, and a Path takes longer to make than the answer.
        return f"{self.folder}{os.sep}{path[len(PREFIX) + 1 :]}"

    def notes(self) -> Iterator[str]:
        """What a reader should know: how many files were skipped, and why nothing could be read."""
        if self.problem is not None:
            yield self.problem
        if self.skipped:
            files = "one file" if self.skipped == 1 else f"{self.skipped:,} files"
            why = f"larger than {_LARGEST:,} bytes, unreadable, or beyond the {_MOST:,} that one review reads"
            yield f"{files} of {self.folder} not read: {why}"


def find(given: Path | None, base: Path) -> Environment | None:
    """The environment that was named, or else that of the project: a `.venv` or `venv` in its folder or above it.

    Raises:
        UsageError: What was named is no environment.
    """
    if given is not None:
        folder = _site_packages(given)
        if folder is None:
            raise UsageError(f"{given}: this is no Python environment: it holds no site-packages folder")
        return Environment(folder)
    for around in (base, *base.parents):
        for name in (".venv", "venv"):
            root = around / name
            if not (root / "pyvenv.cfg").is_file():
                continue
            if (folder := _site_packages(root)) is not None:
                return Environment(folder)
            problem = f"{root} holds no site-packages folder, so no packages were read; make it anew, or name one by --python"
            return Environment(root / PREFIX, problem)
        if (around / ".git").exists():
            break
    return None


def _site_packages(given: Path) -> Path | None:
    """The folder of packages of an environment, given by its folder, its interpreter, or that folder itself."""
    if given.name == PREFIX and given.is_dir():
        return given
    root = given.parent.parent if given.is_file() and given.name.startswith("python") else given
    for pattern in (f"lib/python3*/{PREFIX}", f"Lib/{PREFIX}", f"lib64/python3*/{PREFIX}"):
        if found := sorted(root.glob(pattern)):
            return found[-1]
    return None
