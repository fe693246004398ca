"""The ways in which a tree is reviewed: asyncvet with what it may know beforehand, and other tools."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.speed.measuring import Sample, run
from benchmarks.speed.packages import Tree

COLD, ONE_PROCESS, FILLING, WARM, CHANGED = (
    "cold",
    "cold, one process",
    "cold, filling the cache",
    "warm",
    "warm, one file changed",
)
RUFF, HYDROID, FLAKE8, PYLINT = "ruff", "hydroid-cli", "flake8-async", "pylint"


@dataclass
class Bench:
    """Where things are, and how long a run may take."""

    peers: Path
    build: Path
    timeout: float
    edits: int = field(default=0)

    def measure(self, way: str, tree: Tree) -> Sample:
        """One run."""
        prepare = _PREPARE.get(way)
        if prepare is not None:
            prepare(self, tree)
        environment = {"ASYNCVET_CACHE_DIR": str(self.cache(tree))}
        return run(self._command(way, tree), tree.folder, environment, self.timeout)

    def cache(self, tree: Tree) -> Path:
        """The folder of asyncvet's cache for a tree."""
        return self.build / "cache" / tree.name.replace(" ", "-")

    def _command(self, way: str, tree: Tree) -> list[str]:
        tool = str(self.peers / "bin" / "") + "/"
        files = [str(file.relative_to(tree.folder)) for file in sorted(tree.folder.rglob("*.py"))]
        asyncvet = [sys.executable, "-m", "asyncvet", "check", ".", "--format", "json", "--exit-zero"]
        return {
            COLD: [*asyncvet, "--no-cache"],
            ONE_PROCESS: [*asyncvet, "--no-cache", "--jobs", "1"],
            FILLING: asyncvet,
            WARM: asyncvet,
            CHANGED: asyncvet,
            RUFF: [f"{tool}ruff", "check", "--isolated", "--no-cache", "--quiet", "--select", "ASYNC", "."],
            HYDROID: [f"{tool}hydroid", "--no-cache", "--format", "json", "."],
            FLAKE8: [f"{tool}flake8-async", *files],
            PYLINT: [f"{tool}pylint", "--rcfile=/dev/null", "--jobs=0", "--exit-zero", "--recursive=y", "."],
        }[way]


def _forget(bench: Bench, tree: Tree) -> None:
    shutil.rmtree(bench.cache(tree), ignore_errors=True)


def _edit(bench: Bench, tree: Tree) -> None:
    """Add a line at the end of the file in the middle of the tree."""
    bench.edits += 1
    files = sorted(tree.folder.rglob("*.py"))
    with files[len(files) // 2].open("a", encoding="utf-8") as file:
        file.write(f"\nbenchmark_edit_{bench.edits} = {bench.edits}\n")


_PREPARE: dict[str, Callable[[Bench, Tree], None]] = {FILLING: _forget, CHANGED: _edit}
