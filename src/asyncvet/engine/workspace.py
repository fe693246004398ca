"""A project that is kept in memory and followed as its files change, on the disk or in an editor: what servers work with."""

from __future__ import annotations

import io
import os
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from asyncvet import config
from asyncvet.catalogue import Catalogue
from asyncvet.config import Settings
from asyncvet.engine import environment
from asyncvet.engine.cache import FactsCache
from asyncvet.engine.collector import uncollected
from asyncvet.engine.contents import Contents
from asyncvet.engine.discovery import Discovery, discover
from asyncvet.engine.drift import Drift, drift
from asyncvet.engine.excerpts import lines_of
from asyncvet.engine.inputs import Inputs
from asyncvet.engine.loading import Loaded, catalogue_of, linked
from asyncvet.engine.phases import Phases
from asyncvet.engine.progress import Progress
from asyncvet.engine.reading import Reading, read
from asyncvet.engine.reviewing import report_on
from asyncvet.engine.store import Store, default_file
from asyncvet.facts import ModuleFacts, extract
from asyncvet.graph import Project
from asyncvet.graph.scopes import Module
from asyncvet.model import ReadError
from asyncvet.report import Report

_Stamp = tuple[int, int]
"""Size and time of a file on the disk: as long as they stay, so does what was read of it."""


class _OnDisk(NamedTuple):
    stamp: _Stamp
    facts: ModuleFacts | None
    errors: tuple[ReadError, ...]


class _Unsaved(NamedTuple):
    """The text of an editor, with what it says; `good` is the last one that parsed."""

    text: str
    content: bytes
    facts: ModuleFacts
    good: _Unsaved | None


class Workspace:
    """One project, linked and reviewed when that is asked for and something has changed.

    It belongs to one thread at a time. What an editor holds unsaved goes before what is on the disk. While an unsaved text does not
    parse, the last one that did stands for it (or the file): `drift` tells where its lines are by now.

    Args:
        path: Folder of the project, or a file that is one by itself.
        python: Environment whose packages are read, in place of the configured one.
    """

    def __init__(self, path: Path, python: Path | None = None) -> None:
        self.path = Path(os.path.normpath(path.absolute()))
        self.root = self.path if self.path.is_dir() else self.path.parent
        self._python = python
        self._texts: dict[str, str] = {}
        self._unsaved: dict[str, _Unsaved] = {}
        self._files: dict[str, _OnDisk] = {}
        self._settings: Settings | None = None
        self._catalogue: Catalogue | None = None
        self._discovery: Discovery | None = None
        self._loaded: Loaded | None = None
        self._report: Report | None = None
        self._stamps: dict[str, _Stamp] = {}
        self._seen: object = None

    # --- what changes -------------------------------------------------------------------------------

    def update(self, path: Path, text: str | None) -> None:
        """What an editor holds of a file; None if it holds it no more, and the file on the disk counts again."""
        name = self._name(path)
        before = self._texts.get(name)
        if text == before:
            return
        if text is None:
            del self._texts[name]
            self._unsaved.pop(name, None)
        else:
            self._texts[name] = text
        is_open_or_shut = before is None or text is None
        if self._is_read(name) and not (is_open_or_shut and self._is_saved(name, before or text)):
            self._forget()

    def refresh(self) -> None:
        """The disk may have changed: files, and the configuration. What was found stays if they turn out to be the same."""
        self._discovery = None

    # --- what is known ------------------------------------------------------------------------------

    def report(self, tell: Progress | None = None) -> Report:
        """The findings. Their places are those in the texts that were read.

        Args:
            tell: Told how far the review is. What it raises ends the review, and the next call begins again.

        Raises:
            UsageError: The configuration is not right, or there is no Python.
        """
        tell = tell or (lambda stage, done, total: None)  # noqa: ARG005
        if self._discovery is None:
            self._look()
        if self._report is None:
            with uncollected():
                self._report = self._review(tell)
        return self._report

    def project(self) -> Project:
        """The project as it was linked for the report.

        Raises:
            UsageError: As `report` does.
        """
        return self.loaded().project

    def loaded(self) -> Loaded:
        """The project with what it was read from.

        Raises:
            UsageError: As `report` does.
        """
        self.report()
        assert self._loaded is not None
        return self._loaded

    def settings(self) -> Settings:
        """The settings that hold: those of the nearest configuration.

        Raises:
            UsageError: It is not right.
        """
        settings = self._settings
        if settings is None:
            settings = replace(config.load(self.path), nested=_as_it_stands)
            if self._python is not None:
                settings = replace(settings, python=self._python)
            self._settings = settings
        return settings

    def module(self, path: Path) -> Module | None:
        """A file of the project; None if it is none of those that are read."""
        return self.project().modules.get(self._name(path))

    def file(self, path: str) -> Path:
        """Where a file that findings or functions name is on this machine."""
        return self.loaded().file(path)

    def lines(self, path: str) -> list[str]:
        """The lines of a file as they are now, unsaved ones included."""
        content = _encoded(self._texts[path]) if path in self._texts else self.loaded().content(path)
        return lines_of(content or b"")

    def drift(self, path: str) -> Drift:
        """How the text of a file differs from the one that was read: nothing, unless that is broken."""
        unsaved = self._unsaved.get(path)
        if unsaved is None or not unsaved.facts.broken or path not in self.loaded().texts:
            return Drift()
        return drift(lines_of(self.loaded().texts[path]), lines_of(unsaved.content))

    # --- how it becomes known -----------------------------------------------------------------------

    def _forget(self) -> None:
        self._report = self._loaded = None

    def _is_read(self, name: str) -> bool:
        """Whether a file is one of the project's, or may be, as nobody has looked yet."""
        return self._discovery is None or name in self._stamps

    def _is_saved(self, name: str, text: str | None) -> bool:
        """Whether a text is what the file holds, and that was read: then it makes no difference which of the two counts."""
        file = self.root / name
        try:
            return text is not None and _stamp(file) == self._stamps.get(name) and file.read_bytes() == _encoded(text)
        except OSError:
            return False

    def _name(self, path: Path) -> str:
        """What a file is called: its path relative to the folder that the project's paths are relative to."""
        return Path(os.path.relpath(os.path.normpath(path.absolute()), self.root)).as_posix()

    def _review(self, tell: Progress) -> Report:
        inputs = self._inputs()
        cache = FactsCache(inputs.contents)
        if inputs.installed is not None:
            inputs.installed.cache = cache
        try:
            self._follow(inputs, cache, tell)
            assert self._catalogue is not None
            reading, texts = self._reading(inputs.discovery)
            tell("linking", 0, 1)
            self._loaded = loaded = linked(inputs, reading, self._catalogue, cache, texts=texts)
            return report_on(loaded, inputs.settings, tell, Phases())
        finally:
            inputs.contents.close()

    def _inputs(self) -> Inputs:
        """What a review starts from. The files are those that were there at the last look."""
        assert self._discovery is not None
        settings = self.settings()
        installed = environment.find(settings.python, self._discovery.base)
        # A record of its own: one of the whole project is kept by other reviews, and this one asks for few of its files.
        contents = Contents(Store(default_file() if settings.cache else None), b"workspace " + os.fsencode(self.path))
        if installed is not None:
            installed.contents = contents
        is_whole = self.path.is_dir() and not (self.path.parent / "__init__.py").is_file()
        return Inputs(self.root, settings, self._discovery, contents, installed, is_whole)

    def _reading(self, discovery: Discovery) -> tuple[Reading, dict[str, bytes]]:
        """The facts of all files, with what stands for unsaved texts."""
        modules: dict[str, ModuleFacts] = {}
        errors = list(discovery.errors)
        texts: dict[str, bytes] = {}
        for file in discovery.files:
            if file.path in self._texts:
                modules[file.path], texts[file.path] = self._stand_in(file.path)
                errors += [ReadError(file.path, part.line, part.message) for part in self._unsaved[file.path].facts.broken]
                continue
            on_disk = self._files[file.path]
            errors += on_disk.errors
            if on_disk.facts is not None:
                modules[file.path] = on_disk.facts
        errors.sort(key=lambda error: (error.path, error.line or 0, error.message))
        return Reading(modules, tuple(errors)), texts

    def _stand_in(self, path: str) -> tuple[ModuleFacts, bytes]:
        """Facts and bytes that stand for an unsaved text: its own, or those of the last that parsed."""
        text, known = self._texts[path], self._unsaved.get(path)
        if known is None or known.text != text:
            content = _encoded(text)
            facts = extract(content)
            last = known if known is None or not known.facts.broken else known.good
            known = self._unsaved[path] = _Unsaved(text, content, facts, last if facts.broken else None)
        if not known.facts.broken:
            return known.facts, known.content
        if known.good is not None:
            return known.good.facts, known.good.content
        saved = self._saved(path)
        return saved if saved is not None else (known.facts, known.content)

    def _saved(self, path: str) -> tuple[ModuleFacts, bytes] | None:
        """Facts and bytes of a file on the disk, if it parses."""
        try:
            content = (self.root / path).read_bytes()
        except OSError:
            return None
        facts = extract(content)
        return None if facts.broken else (facts, content)

    def _look(self) -> None:
        """Find out which files there are and what is configured; forget what was made of others."""
        self._settings = None
        settings = self.settings()
        discovery = self._discovery = discover([self.path], settings, self.root)
        self._catalogue = catalogue_of(discovery.governance)
        stamps = {file.path: _stamp(self.root / file.path) for file in discovery.files}
        self._files = {path: known for path, known in self._files.items() if stamps.get(path) == known.stamp}
        changed = [path for path, stamp in stamps.items() if path not in self._texts and stamp != self._stamps.get(path)]
        configurations = discovery.governance.configurations
        named = [file for each in configurations for file in (*each.catalogue, each.baseline) if file is not None]
        seen = (configurations, discovery.base, discovery.package, discovery.errors, set(stamps), [*map(_stamp, named)])
        if changed or seen != self._seen:
            self._forget()
        self._stamps, self._seen = stamps, seen

    def _follow(self, inputs: Inputs, cache: FactsCache, tell: Progress) -> None:
        """Read the files on the disk of which nothing is known."""
        files = [f for f in inputs.discovery.files if f.path not in self._files and f.path not in self._texts]
        # Taken before the files are read: one that changes meanwhile is read again the next time.
        stamps = {file.path: _stamp(self.root / file.path) for file in files}
        discovery = replace(inputs.discovery, files=tuple(files), errors=())
        reading = read(discovery, inputs.settings.jobs, _counter(len(files), tell), cache)
        errors: dict[str, list[ReadError]] = {}
        for error in reading.errors:
            errors.setdefault(error.path, []).append(error)
        for path, stamp in stamps.items():
            self._files[path] = _OnDisk(stamp, reading.modules.get(path), tuple(errors.get(path, ())))


def _as_it_stands(settings: Settings) -> Settings:
    """What a nested configuration says counts as it is."""
    return settings


def _counter(total: int, tell: Progress) -> Callable[[int], None]:
    done = 0

    def count(files: int) -> None:
        nonlocal done
        done += files
        tell("reading", done, total)

    return count


def _stamp(file: Path) -> _Stamp:
    try:
        status = file.stat()
    except OSError:
        return (-1, -1)
    return status.st_size, status.st_mtime_ns


def _encoded(text: str) -> bytes:
    """A text in the encoding that it declares itself, so that it is read as it stands."""
    content = text.encode("utf-8", "replace")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content if encoding.startswith("utf-8") else text.encode(encoding, "replace")
    except (SyntaxError, LookupError):
        return content  # a declaration that names no encoding is said to be wrong where the text is read
