"""Whole reports, kept: where nothing that a review depends on has changed, neither has its outcome."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

from asyncvet.engine import tool
from asyncvet.engine.changes import Changes
from asyncvet.engine.environment import Trace
from asyncvet.engine.inputs import Inputs
from asyncvet.report import Report

_KEPT = 8
"""Reports kept of one set of files: so many branches can be switched between."""


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    trace: Trace | None
    report: Report


_DECODER = msgspec.msgpack.Decoder(_Answer)
_KEYS = msgspec.msgpack.Decoder(list[bytes])


class Answers:
    """The reports of earlier reviews.

    What a report depends on is in its key: the settings and the files that they name, what is asked, this very asyncvet, and what
    every file of the project holds. What it depends on in the environment is found out while it is made, and is kept beside it.

    Args:
        inputs: What the review starts from.
        changes: See `asyncvet.engine.review`.
        examine: See there.
    """

    def __init__(self, inputs: Inputs, changes: Changes | None, examine: bool) -> None:
        self._inputs = inputs
        self._contents = inputs.contents
        self._store = inputs.contents.store
        self._files = [os.path.join(inputs.discovery.base, file.path) for file in inputs.discovery.files]  # noqa: PTH118
        self._about = _about(inputs, self._files, changes, examine) if self._store.is_open else None

    def recall(self) -> Report | None:
        """The report, if nothing has changed since it was made."""
        if self._about is None or self._store.is_empty:
            return None
        key = self._key([self._contents.digest(file) for file in self._files])
        content = self._store.get("answer", key) if key is not None else None
        if content is None or key is None:
            return None
        try:
            answer = _DECODER.decode(content)
        except msgspec.DecodeError as error:
            self._store.spoilt("answer", key, str(error))
            return None
        installed, trace = self._inputs.installed, answer.trace
        if installed is not None and (trace is None or not installed.answers_as(trace)):
            return None
        return replace(answer.report, cached_files=answer.report.files + (len(trace.contents) if trace is not None else 0))

    def keep(self, report: Report) -> None:
        """Keep a report that was just made, unless a file was changed meanwhile or could not be read, or a rule broke down."""
        is_whole = report.files == len(self._files) and not report.failed_rules
        if self._about is None or not is_whole or not self._contents.stand():
            return
        key = self._key([self._contents.seen(file) for file in self._files])
        if key is None:
            return
        installed = self._inputs.installed
        try:
            content = msgspec.msgpack.encode(_Answer(installed.trace() if installed is not None else None, report))
        except UnicodeEncodeError:  # a path that is no text
            return
        self._store.put("answer", key, content)
        self._forget_old(key)

    def _key(self, digests: list[bytes | None]) -> bytes | None:
        if self._about is None or None in digests:
            return None
        return hashlib.blake2b(self._about + b"".join(filter(None, digests)), digest_size=20).digest()

    def _forget_old(self, key: bytes) -> None:
        subject = self._contents.subject
        content = self._store.get("answers", subject)
        try:
            known = _KEYS.decode(content) if content is not None else []
        except msgspec.DecodeError:
            known = []
        keys = [key, *(other for other in known if other != key)]
        for old in keys[_KEPT:]:
            self._store.drop("answer", old)
        self._store.put("answers", subject, msgspec.msgpack.encode(keys[:_KEPT]))


def _about(inputs: Inputs, files: list[str], changes: Changes | None, examine: bool) -> bytes | None:
    """All that a report depends on but the content of files; None if it cannot be written down."""
    discovery, installed = inputs.discovery, inputs.installed
    configurations = [replace(each, jobs=0, cache=True, nested=None) for each in discovery.governance.configurations]
    named = [file for settings in configurations for file in _files_named(settings)]
    content = (
        tool.identity(),
        (inputs.root, discovery.base, discovery.package, [(f.path, f.is_named) for f in discovery.files], discovery.errors),
        (configurations, [(file, inputs.contents.digest(str(file))) for file in named], inputs.is_whole),
        (installed.folder, installed.problem) if installed is not None else None,
        (changes, _real_paths(files)) if changes is not None else None,
        examine,
    )
    try:
        return msgspec.msgpack.encode(content, enc_hook=str, order="deterministic")
    except UnicodeEncodeError:
        return None


def _files_named(settings: msgspec.Struct) -> Iterator[Path]:
    """The files that settings name, whatever they say of them."""
    for value in msgspec.structs.asdict(settings).values():
        for path in value if isinstance(value, tuple) else (value,):
            if isinstance(path, Path) and path.is_file():
                yield path


def _real_paths(files: list[str]) -> list[str]:
    """Where links lead, as changes are told of real paths: those of folders, and of files that are links themselves."""
    folders = sorted({os.path.dirname(file) for file in files})  # noqa: PTH120
    return [os.path.realpath(path) for path in (*folders, *filter(os.path.islink, files))]
