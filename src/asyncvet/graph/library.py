"""Sources of installed distributions, read when the code under review calls them and the catalogue knows nothing of them."""

from __future__ import annotations

from typing import Protocol

from asyncvet.facts.tree import ModuleFacts
from asyncvet.model import PREFIX, is_installed

__all__ = ["PREFIX", "Library", "find", "is_installed"]


class Library(Protocol):
    """An environment's packages. Paths start with `PREFIX`."""

    def is_file(self, path: str) -> bool:
        """Whether there is a source file at a path."""

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder at a path."""

    def facts(self, path: str) -> ModuleFacts | None:
        """What a source file says; None if it cannot be read."""


def find(library: Library, folder: str, parts: tuple[str, ...]) -> str | None:
    """The file, or for a namespace package the folder, of a module below a folder of an environment."""
    path = "/".join((folder, *parts))
    for file in (f"{path}/__init__.py", f"{path}.py"):
        if library.is_file(file):
            return file
    return path if library.is_folder(path) else None
