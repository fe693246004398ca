"""The review that specifications run: all of asyncvet, over one directory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from asyncvet import config, engine, rules
from asyncvet.model import Finding, ReadError


def review(directory: Path) -> tuple[Sequence[Finding], Sequence[ReadError]]:
    """Review all files under a directory as its `pyproject.toml` says, preview rules included."""
    file = directory / "pyproject.toml"
    settings = config.load_file(file) if file.exists() else config.Settings()
    preview = [rule.name for rule in rules.load() if rule.preview]
    settings = replace(settings, select=(*settings.select, *preview), jobs=1)
    report = engine.review([directory], settings, root=directory)
    return report.findings, report.errors
