"""Which file an import means: several source roots side by side, namespace packages, scripts beside their modules."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import cache

from asyncvet.graph import library
from asyncvet.graph.library import Library

_STDLIB = sys.stdlib_module_names


class ModuleIndex:
    """The module files of a project, by path.

    Args:
        paths: Posix paths of the files, relative to the root of the review.
        package: Dotted name of the package that the root itself is, empty if it is none.
        library: Installed packages whose sources may be read.
    """

    def __init__(self, paths: Iterable[str], package: str = "", library: Library | None = None) -> None:
        self.files = frozenset(paths)
        self.library = library
        self.package = package.split(".") if package else []
        self.directories = frozenset(_directories(self.files))
        self._tops = self._top_level()
        self.find = cache(self._find)
        self.roots = cache(self._roots)

    def name(self, path: str) -> str:
        """Dotted name of a module, from the source root that it lies in."""
        root = self.source_root(path)
        relative = path[len(root) + 1 :] if root else path
        parts = relative.removesuffix(".py").split("/")
        if parts[-1] == "__init__" and (len(parts) > 1 or self.package):
            parts.pop()
        if not root and self.package:
            parts = self.package + parts
        return ".".join(parts)

    def source_root(self, path: str) -> str:
        """The folder above the top-most package that holds a file; its own folder if it is in no package."""
        folder = _parent(path)
        while folder and f"{folder}/__init__.py" in self.files:
            folder = _parent(folder)
        return folder

    def resolve(self, importer: str, level: int, dotted: str) -> str | None:
        """The file or, for a namespace package, the folder that an import in `importer` means; None if it is not here."""
        parts = tuple(dotted.split(".")) if dotted else ()
        if level:
            folder = _parent(importer)
            for _ in range(level - 1):
                folder = _parent(folder)
            return self.find(folder, parts) if parts else self._package(folder)
        if not parts:
            return None
        if self.package and parts[: len(self.package)] == tuple(self.package):
            rest = parts[len(self.package) :]
            return self.find("", rest) if rest else self._package("")
        return self._absolute(importer, parts)

    def _absolute(self, importer: str, parts: tuple[str, ...]) -> str | None:
        top = parts[0]
        if library.is_installed(importer):
            return None
        for root in self.roots(self.source_root(importer)):
            if self._has_top(root, top):
                return self.find(root, parts)
        if top in _STDLIB:
            return None
        for root in self._tops.get(top, ()):
            found = self.find(root, parts)
            if found is not None:
                return found
        return None

    def _has_top(self, root: str, top: str) -> bool:
        """Whether `import top` finds something in this folder."""
        path = _join(root, top)
        if f"{path}.py" in self.files or f"{path}/__init__.py" in self.files:
            return True
        # A folder with modules and no __init__.py is a namespace package, unless its name is that of a library module.
        return path in self.directories and top not in _STDLIB

    def _roots(self, source_root: str) -> tuple[str, ...]:
        """Folders in which an absolute import is looked up, nearest first."""
        roots = [source_root]
        folder = source_root
        while folder:
            folder = _parent(folder)
            roots.append(folder)
        sources = [_join(root, "src") for root in roots if _join(root, "src") in self.directories]
        return tuple(dict.fromkeys([*roots, *sources]))

    def installed(self, dotted: str) -> str | None:
        """The file or folder of a module of an installed package, None if there is no library or no such module in it."""
        return library.find(self.library, library.PREFIX, tuple(dotted.split("."))) if self.library is not None else None

    def _find(self, root: str, parts: tuple[str, ...]) -> str | None:
        if self.library is not None and (library.is_installed(root) or root == library.PREFIX):
            return library.find(self.library, root, parts)
        path = _join(root, "/".join(parts))
        package = f"{path}/__init__.py"
        if package in self.files:
            return package
        module = f"{path}.py"
        if module in self.files:
            return module
        return path if path in self.directories else None

    def _package(self, folder: str) -> str | None:
        package = _join(folder, "__init__.py")
        if package in self.files or (
            self.library is not None and library.is_installed(package) and self.library.is_file(package)
        ):
            return package
        return folder if not folder or folder in self.directories else None

    def _top_level(self) -> dict[str, list[str]]:
        """Top-level package or module name -> the source roots that hold it, sorted."""
        tops: dict[str, set[str]] = {}
        for path in self.files:
            root = self.source_root(path)
            relative = path[len(root) + 1 :] if root else path
            tops.setdefault(relative.partition("/")[0].removesuffix(".py"), set()).add(root)
        return {top: sorted(roots, key=lambda root: (root.count("/"), root)) for top, roots in tops.items()}


def submodule(package: str, name: str) -> tuple[str, tuple[str, ...]]:
    """Folder and parts under which a sub-module of a package file or folder is found."""
    folder = _parent(package) if package.endswith(".py") else package
    return folder, (name,)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _directories(files: Iterable[str]) -> Iterator[str]:
    for path in files:
        folder = _parent(path)
        while folder:
            yield folder
            folder = _parent(folder)


def is_test(path: str) -> bool:
    """Whether a path, relative to the root of the review, is that of test code."""
    *folders, name = path.split("/")
    return (
        any(folder in ("tests", "test", "testing") for folder in folders)
        or name.startswith("test_")
        or name.endswith("_test.py")
        or name == "conftest.py"
    )
