"""The virtual environment of the project under review: its packages are read, its interpreter is never run."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

from asyncvet.config import UsageError
from asyncvet.engine.cache import FactsCache
from asyncvet.facts.tree import ModuleFacts
from asyncvet.graph.library import PREFIX

_LARGEST = 2_000_000
"""Bytes of the largest file that is read: a larger one is generated, and its calls would be too many to tell anything."""
_MOST = 3_000
"""Files that one review reads of an environment."""


class Environment:
    """The packages below one `site-packages` folder.

    Attributes:
        folder: That folder.
        problem: Why nothing of it can be read; None if that is not so.
        cache: Where facts of its files are kept.
        skipped: Files that were too large, unreadable, or too many to read.
    """

    def __init__(self, folder: Path, cache: FactsCache | None = None, problem: str | None = None) -> None:
        self.folder = folder
        self.problem = problem
        self.cache = cache or FactsCache(None)
        self.skipped = 0
        self._read = 0
        self.is_file = functools.cache(self._is_file)
        self.is_folder = functools.cache(self._is_folder)

    def path(self, path: str) -> Path:
        """Where a file of the environment is on this machine."""
        return self.folder / path.removeprefix(f"{PREFIX}/")

    def facts(self, path: str) -> ModuleFacts | None:
        """What a source file says; None if it is too large, cannot be read, or one too many."""
        file = self.path(path)
        try:
            if self._read < _MOST and file.stat().st_size <= _LARGEST:
                self._read += 1
                return self.cache.facts(file.read_bytes())
        except OSError:
            pass
        self.skipped += 1
        return None

    def notes(self) -> Iterator[str]:
        """What a reader should know: how many files were skipped, and what is wrong with the cache."""
        if self.problem is not None:
            yield self.problem
        if self.skipped:
            files = "one file" if self.skipped == 1 else f"{self.skipped:,} files"
            why = f"larger than {_LARGEST:,} bytes, unreadable, or beyond the {_MOST:,} that one review reads"
            yield f"{files} of {self.folder} not read: {why}"
        if self.cache.problem is not None:
            yield self.cache.problem

    def _is_file(self, path: str) -> bool:
        return self.path(path).is_file()

    def _is_folder(self, path: str) -> bool:
        return self.path(path).is_dir()


def find(given: Path | None, base: Path, cache: FactsCache | None = None) -> Environment | None:
    """The environment that was named, or else that of the project: a `.venv` or `venv` in its folder or above it.

    Raises:
        UsageError: What was named is no environment.
    """
    if given is not None:
        folder = _site_packages(given)
        if folder is None:
            raise UsageError(f"{given}: this is no Python environment: it holds no site-packages folder")
        return Environment(folder, cache)
    for around in (base, *base.parents):
        for name in (".venv", "venv"):
            root = around / name
            if not (root / "pyvenv.cfg").is_file():
                continue
            if (folder := _site_packages(root)) is not None:
                return Environment(folder, cache)
            problem = f"{root} holds no site-packages folder, so no packages were read; make it anew, or name one by --python"
            return Environment(root / PREFIX, cache, problem)
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
