"""The review, and the fixing, that specifications run: all of asyncvet, over one directory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from msgspec.structs import replace

from asyncvet import config, engine, rules
from asyncvet.engine import fixing
from asyncvet.model import Finding, ReadError


def review(directory: Path) -> tuple[Sequence[Finding], Sequence[ReadError]]:
    """Review all files under a directory as its `pyproject.toml` says, preview rules included."""
    report = engine.review([directory], _settings(directory), root=directory)
    return report.findings, report.errors


def fix(directory: Path, names: Collection[str], unsafe: bool) -> None:
    """Fix in place what rules find in the files under a directory."""
    settings = replace(_settings(directory), select=tuple(sorted(names)), ignore=())
    for file in fixing.fix([directory], settings, root=directory, unsafe=unsafe).files:
        (directory / file.path).write_bytes(file.after)


def _settings(directory: Path) -> config.Settings:
    file = directory / "pyproject.toml"
    settings = config.load_file(file) if file.exists() else config.Settings()
    preview = [rule.name for rule in rules.load() if rule.preview]
    return replace(settings, select=(*settings.select, *preview), jobs=1)
