"""From paths to a linked project: discover, read, link. Reviews and questions about one place begin so."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from asyncvet.catalogue import Catalogue, CatalogueError
from asyncvet.catalogue.schema import CatalogueFile
from asyncvet.config import Settings, UsageError
from asyncvet.engine.cache import FactsCache
from asyncvet.engine.discovery import Discovery, SourceFile
from asyncvet.engine.environment import Environment
from asyncvet.engine.governance import Governance
from asyncvet.engine.inputs import Inputs, gather
from asyncvet.engine.observations import Places, edges
from asyncvet.engine.observed import Observed
from asyncvet.engine.phases import Phases
from asyncvet.engine.progress import Progress
from asyncvet.engine.reading import Reading, read
from asyncvet.graph import Project, link
from asyncvet.graph.observed_calls import Edges
from asyncvet.model import is_installed


class Loaded(msgspec.Struct, frozen=True):
    """A project, linked, and what it was read from.

    Attributes:
        root: Folder that paths in answers are relative to.
        tests: The test files whose findings are left out.
        generated: The same for files that say they are generated: an edit would be lost.
        installed: The environment whose packages may have been read.
        cache: Where the facts of its files, and of those of the environment, are kept.
        is_whole: See `Inputs`.
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
    is_whole: bool
    texts: Mapping[str, bytes]

    @property
    def governance(self) -> Governance:
        """Which settings count for each file."""
        return self.discovery.governance

    def under(self, settings: Settings) -> Loaded:
        """The same project under other settings."""
        discovery = msgspec.structs.replace(self.discovery, governance=Governance(settings, self.root))
        return msgspec.structs.replace(self, discovery=discovery)

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


def load_inputs(inputs: Inputs, tell: Progress, phases: Phases, observed: Observed | None = None) -> Loaded:
    """Read and link the files that were found; with the calls that were seen, if these are to be learnt.

    Raises:
        UsageError: A setting names a file that is not right.
    """
    settings, discovery, installed = inputs.settings, inputs.discovery, inputs.installed
    catalogue = catalogue_of(discovery.governance)
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
        learnt = edges(observed, Places(reading.modules, discovery.base)) if observed is not None and observed.learn else None
        return linked(inputs, reading, catalogue, cache, learnt=learnt)


def linked(
    inputs: Inputs,
    reading: Reading,
    catalogue: Catalogue,
    cache: FactsCache,
    *,
    texts: Mapping[str, bytes] | None = None,
    learnt: Edges | None = None,
) -> Loaded:
    """Link what was read, with the files set apart in which nothing is reported. Calls that were `learnt` were seen at run time."""
    discovery, installed = inputs.discovery, inputs.installed
    project = link(reading.modules, catalogue, discovery.package, installed, learnt)
    unnamed = [file for file in discovery.files if not file.is_named]
    tests = frozenset(file.path for file in unnamed if file.is_test and not _reports_tests(discovery, file))
    generated = frozenset(f.path for f in unnamed if f.path in reading.modules and reading.modules[f.path].is_generated)
    return Loaded(
        inputs.root, discovery, reading, project, tests, generated - tests, installed, cache, inputs.is_whole, texts or {}
    )


def _reports_tests(discovery: Discovery, file: SourceFile) -> bool:
    folder = (discovery.base / file.path).parent
    return discovery.governance.of_folder(folder).include_tests


def catalogue_of(governance: Governance) -> Catalogue:
    """The catalogue, with what all configurations add: a library does the same whoever calls it.

    Raises:
        UsageError: One of their files is not right.
    """
    configurations = governance.configurations
    files = dict.fromkeys(file for settings in configurations for file in settings.catalogue)
    entries: dict[Path, CatalogueFile] = {}
    for settings in configurations:
        if settings.file is not None and settings.entries is not None:
            said = [*entries.values()]
            entries[settings.file] = msgspec.structs.replace(
                settings.entries,
                api=tuple(api for api in settings.entries.api if not any(api in other.api for other in said)),
                type=tuple(kind for kind in settings.entries.type if not any(kind in other.type for other in said)),
            )
    try:
        return Catalogue.with_extra(files, entries) if files or entries else Catalogue.bundled()
    except CatalogueError as error:
        raise UsageError(str(error)) from error
