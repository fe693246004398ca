"""Which files a review reads."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from pathspec import GitIgnoreSpec

from asyncvet.config import Settings, UsageError
from asyncvet.engine.governance import Governance
from asyncvet.model import ReadError

SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages"})
TEST_FOLDERS = frozenset({"test", "tests", "testing"})
TEST_FILE = re.compile(r"(test_.*|.*_test|conftest)\.py")


class SourceFile(msgspec.Struct, frozen=True, order=True):
    """A file to read.

    Attributes:
        path: Where it is relative to the review's base: posix, what everything downstream calls the file.
        size: In bytes.
        is_named: The user named this very file.
        is_test: It holds tests, by its name or that of a folder.
    """

    path: str
    size: int
    is_named: bool
    is_test: bool


class Discovery(msgspec.Struct, frozen=True):
    """The files of a review, by path.

    Attributes:
        base: Folder that their paths are relative to: the root, or what holds all of the paths given if the root does not.
        package: Dotted name of the package that `base` is itself; empty if it is none.
        files: Sorted by path.
        errors: Folders that could not be listed.
        governance: Which settings count for each file.
    """

    base: Path
    package: str
    files: tuple[SourceFile, ...]
    errors: tuple[ReadError, ...]
    governance: Governance


def discover(paths: Sequence[Path], settings: Settings, root: Path) -> Discovery:
    """Find the Python files at and below some paths.

    Left out below a folder: what `.gitignore` files and the `exclude` of the settings that govern it say, hidden folders, virtual
    environments, installed packages, `node_modules`, links to folders, and links to files that are read under their own name. A
    file that is given by name is always read, and so is a folder that is given by name and would be left out itself.

    Raises:
        UsageError: A path does not exist or has no Python in it, or a configuration below is not valid.
    """
    starts = [Path(os.path.normpath(path.absolute())) for path in paths]
    base = _base(starts, root)
    named: set[str] = set()
    found: set[str] = set()
    errors: set[ReadError] = set()
    governance = Governance(settings, root)
    excludes = _Excludes(governance, root)
    for start, given in zip(starts, paths, strict=True):
        _check(start, given)
        if start.is_file():
            named.add(str(start))
            continue
        # Who names a folder wants it read, whatever is said of folders around it.
        waived = governance.of_folder(start) if _is_ignored(f"{start}{os.sep}", [excludes.of(start)]) else None
        walk = _Walk(base, excludes, waived)
        below = set(walk.files(start, _outer_ignores(start)))
        errors |= set(walk.errors)
        if not below and not walk.errors:
            raise UsageError(f"{given}: there is no Python file in this folder, apart from ignored and excluded ones")
        found |= below
    chosen = named | _without_links(found)
    above = len(os.path.join(base, ""))  # noqa: PTH118
    files = sorted(_source_file(path, above, path in named) for path in chosen)
    return Discovery(base, _package(base), tuple(files), tuple(sorted(errors)), governance)


def is_test(path: str) -> bool:
    """Whether a path, relative to the review's base, is that of a test file."""
    *folders, name = path.split("/")
    return bool(TEST_FILE.fullmatch(name)) or not TEST_FOLDERS.isdisjoint(folders)


def _base(starts: Sequence[Path], root: Path) -> Path:
    if all(start.is_relative_to(root) for start in starts):
        return root
    return Path(os.path.commonpath([start if start.is_dir() else start.parent for start in starts]))


def _package(base: Path) -> str:
    packages = itertools.takewhile(lambda folder: (folder / "__init__.py").is_file(), (base, *base.parents))
    return ".".join(reversed([folder.name for folder in packages]))


def _check(start: Path, given: Path) -> None:
    try:
        start.stat()
    except OSError as error:
        reason = "there is no such file or folder" if isinstance(error, FileNotFoundError) else error.strerror
        raise UsageError(f"{given}: {reason}") from error
    if not start.is_file() and not start.is_dir():
        raise UsageError(f"{given}: is neither a file nor a folder")


# What follows is done for each file and folder: a path is a string here, as a Path takes longer to make than most of what is asked of it.


def _source_file(path: str, above: int, is_named: bool) -> SourceFile:
    """A file by its path, of which so many characters are the review's base."""
    relative = path[above:].replace(os.sep, "/")
    try:
        size = os.stat(path).st_size  # noqa: PTH116
    except OSError:  # gone or unreadable: reading it will say so
        size = 0
    return SourceFile(relative, size, is_named, is_test(relative))


def _without_links(paths: set[str]) -> set[str]:
    """Leave out links to files that are among the paths themselves, or that another link stands for already."""
    links = sorted(path for path in paths if os.path.islink(path))  # noqa: PTH114
    kept = paths.difference(links)
    targets = {os.path.realpath(path) for path in kept} if links else set()
    for link in links:
        target = os.path.realpath(link)
        if target not in targets:
            targets.add(target)
            kept.add(link)
    return kept


class _Ignore:
    """Patterns in the form of `.gitignore`, relative to a folder."""

    def __init__(self, folder: Path, lines: Sequence[str]) -> None:
        self._prefix = f"{folder}{os.sep}"
        self._spec = GitIgnoreSpec.from_lines(lines)

    def verdict(self, path: str) -> bool | None:
        """Whether the patterns leave out a path (that of a folder ends in a slash); None if they say nothing about it."""
        if not self._spec or not path.startswith(self._prefix):
            return None
        return self._spec.check_file(path[len(self._prefix) :]).include


def _gitignore(folder: Path) -> list[_Ignore]:
    try:
        text = (folder / ".gitignore").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [_Ignore(folder, text.splitlines())]


def _outer_ignores(start: Path) -> list[_Ignore]:
    """The `.gitignore` files above a folder in its repository, the outermost first; none if they leave out the folder itself."""
    folders = [start, *start.parents]
    top = next((index for index, folder in enumerate(folders) if (folder / ".git").exists()), 0)
    ignores = [ignore for folder in reversed(folders[1 : top + 1]) for ignore in _gitignore(folder)]
    steps = [f"{folder}{os.sep}" for folder in folders[:top]]
    return [] if any(_is_ignored(step, ignores) for step in steps) else ignores


def _is_ignored(path: str, ignores: Sequence[_Ignore]) -> bool:
    verdicts = (ignore.verdict(path) for ignore in reversed(ignores))
    return next((verdict for verdict in verdicts if verdict is not None), False)


class _Excludes:
    """What configurations leave out."""

    def __init__(self, governance: Governance, root: Path) -> None:
        self._governance = governance
        self._root = root
        self._known: dict[int, _Ignore] = {}

    def of(self, folder: Path, waived: Settings | None = None) -> _Ignore:
        """What the configuration that governs a folder says about what is in it; `waived` says nothing."""
        settings = self._governance.of_folder(folder)
        if settings is waived:
            return _Ignore(folder, ())
        if id(settings) not in self._known:
            self._known[id(settings)] = _Ignore(settings.base or self._root, settings.exclude)
        return self._known[id(settings)]


class _Walk:
    """A walk down from a folder, which notes what it could not list."""

    def __init__(self, base: Path, excludes: _Excludes, waived: Settings | None) -> None:
        self._base = base
        self._excludes = excludes
        self._waived = waived
        self.errors: list[ReadError] = []

    def files(self, start: Path, ignores: Sequence[_Ignore]) -> Iterator[str]:
        """The Python files in a folder and below, in any order."""
        waiting = [(start, ignores)]
        while waiting:
            folder, ignores = waiting.pop()
            entries = self._entries(folder)
            if any(entry.name == ".gitignore" for entry in entries):
                ignores = [*ignores, *_gitignore(folder)]
            verdicts = [*ignores, self._excludes.of(folder, self._waived)]
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not _is_skipped(entry) and not _is_ignored(f"{entry.path}{os.sep}", verdicts):
                        waiting.append((Path(entry.path), ignores))
                elif _is_python(entry) and not _is_ignored(entry.path, verdicts):
                    yield entry.path

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as listing:
                return list(listing)
        except OSError as error:
            path = folder.relative_to(self._base).as_posix()
            self.errors.append(ReadError(path, None, f"this folder cannot be listed: {error.strerror}"))
            return []


def _is_skipped(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or entry.name in SKIPPED_FOLDERS:
        return True
    return os.path.isfile(f"{entry.path}{os.sep}pyvenv.cfg")  # noqa: PTH113


def _is_python(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(".py") and (entry.is_file(follow_symlinks=False) or os.path.isfile(entry.path))  # noqa: PTH113
