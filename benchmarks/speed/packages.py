"""The published packages that are reviewed, and one tree of them all."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

SHORT = ("khoj", "open-webui", "prefect", "homeassistant")
"""The packages of the short form."""

VERSIONS = {
    "khoj": "1.42.10",
    "open-webui": "0.12.4",
    "prefect": "3.9.1",
    "skyvern": "1.0.56",
    "r2r": "3.6.6",
    "langflow-base": "1.13.0",
    "litellm": "1.109.1",
    "matrix-synapse": "1.163.2",
    "homeassistant": "2024.3.3",
    "sglang": "0.5.23",
    "xinference": "4.1.0",
}
FURTHER = {"transformers": "5.24.0", "sympy": "1.14.0", "plotly": "7.1.0"}
"""Large packages that are reviewed in one tree with all others: 8.3 million lines."""
ALL = "all in one tree"


@dataclass(frozen=True, slots=True)
class Tree:
    """Unpacked Python source."""

    name: str
    folder: Path
    lines: int
    files: int


def fetch(names: list[str], build: Path) -> list[Tree]:
    """Download and unpack packages, those that are not there yet; `ALL` stands for a folder with every one of them in it."""
    trees = []
    for name in names:
        if name == ALL:
            for part, version in {**VERSIONS, **FURTHER}.items():
                _unpack(part, version, build, build / "trees" / "all" / part)
            trees.append(_counted(name, build / "trees" / "all"))
        else:
            folder = build / "trees" / name
            _unpack(name, {**VERSIONS, **FURTHER}[name], build, folder)
            trees.append(_counted(name, folder))
    return sorted(trees, key=lambda tree: tree.lines)


def _unpack(name: str, version: str, build: Path, folder: Path) -> None:
    if folder.is_dir():
        return
    wheels = build / "wheels" / f"{name}-{version}"
    if not list(wheels.glob("*.whl")):
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps"]
        subprocess.run([*pip, "--only-binary", ":all:", "--dest", str(wheels), f"{name}=={version}"], check=True)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [member for member in archive.namelist() if member.endswith(".py")])


def _counted(name: str, folder: Path) -> Tree:
    files = [path for path in folder.rglob("*.py") if path.is_file()]
    return Tree(name, folder, sum(path.read_bytes().count(b"\n") for path in files), len(files))
