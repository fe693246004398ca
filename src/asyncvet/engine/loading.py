"""From paths to a linked project: discover, read, link. Reviews and questions about one place begin so."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from asyncvet.catalogue import Catalogue, CatalogueError
from asyncvet.config import Settings, UsageError
from asyncvet.engine.cache import FactsCache
from asyncvet.engine.discovery import Discovery
from asyncvet.engine.environment import Environment
from asyncvet.engine.inputs import Inputs, gather
from asyncvet.engine.phases import Phases
from asyncvet.engine.progress import Progress
from asyncvet.engine.reading import Reading, read
from asyncvet.graph import Project, link
from asyncvet.model import is_installed


class Loaded(msgspec.Struct, frozen=True):
    """A project, linked, and what it was read from.

    Attributes:
        root: Folder that paths in answers are relative to.
        tests: The test files whose findings are left out.
        generated: The same for files that say they are generated: an edit would be lost.
        installed: The environment whose packages may have been read.
        cache: Where the facts of its files, and of those of the environment, are kept.
        texts: What was read in place of files on the disk, by path.
    """

    root: Path
    discovery: Discovery
    reading: Reading
    project: Project
    tests: frozenset[str]
    generated: frozenset[str]
    installed: Environment | None
    cache: FactsCache
    texts: Mapping[str, bytes]

    def close(self) -> None:
        """Keep for later runs what was read; no more is asked for."""
        self.cache.contents.close()

    def file(self, path: str) -> Path:
        """Where a file of the project, or of an installed package, is on this machine."""
        if self.installed is not None and is_installed(path):
            return self.installed.path(path)
        return self.discovery.base / path

    def content(self, path: str) -> bytes | None:
        """The bytes of a file: those that were read in its place, or what is on the disk; None if it cannot be read any more."""
        if path in self.texts:
            return self.texts[path]
        try:
            return self.file(path).read_bytes()
        except OSError:
            return None

    def renamed(self, path: str) -> str:
        """A path that is relative to the base of the project, relative to the root; those of installed packages stay."""
        if is_installed(path):
            return path
        return Path(os.path.relpath(self.discovery.base / path, self.root)).as_posix()


def load(paths: Sequence[Path], settings: Settings, root: Path | None, tell: Progress) -> Loaded:
    """Read and link the Python files at and below some paths.

    Raises:
        UsageError: A path does not exist or holds no Python, or a setting names a file that is not right.
    """
    inputs = gather(paths, settings, root)
    try:
        return load_inputs(inputs, tell, Phases())
    except BaseException:
        inputs.contents.close()
        raise


def load_inputs(inputs: Inputs, tell: Progress, phases: Phases) -> Loaded:
    """Read and link the files that were found.

    Raises:
        UsageError: A setting names a file that is not right.
    """
    settings, discovery, installed = inputs.settings, inputs.discovery, inputs.installed
    catalogue = catalogue_of(settings)
    cache = FactsCache(inputs.contents)
    if installed is not None:
        installed.cache = cache
    done = 0

    def count(files: int) -> None:
        nonlocal done
        done += files
        tell("reading", done, len(discovery.files))

    with phases.phase("read"):
        reading = read(discovery, settings.jobs, count, cache)
    tell("linking", 0, 1)
    with phases.phase("link"):
        return linked(inputs, reading, catalogue, cache)


def linked(
    inputs: Inputs, reading: Reading, catalogue: Catalogue, cache: FactsCache, texts: Mapping[str, bytes] | None = None
) -> Loaded:
    """Link what was read, with the files set apart in which nothing is reported."""
    settings, discovery, installed = inputs.settings, inputs.discovery, inputs.installed
    project = link(reading.modules, catalogue, discovery.package, installed)
    unnamed = [file for file in discovery.files if not file.is_named]
    tests = frozenset(file.path for file in unnamed if file.is_test and not settings.include_tests)
    generated = frozenset(f.path for f in unnamed if f.path in reading.modules and reading.modules[f.path].is_generated)
    return Loaded(inputs.root, discovery, reading, project, tests, generated - tests, installed, cache, texts or {})


def catalogue_of(settings: Settings) -> Catalogue:
    """The catalogue, with the files that the settings add.

    Raises:
        UsageError: One of these is not right.
    """
    try:
        return Catalogue.with_extra(settings.catalogue) if settings.catalogue else Catalogue.bundled()
    except CatalogueError as error:
        raise UsageError(str(error)) from error
