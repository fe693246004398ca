"""The figures as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from benchmarks.speed.measuring import Sample
from benchmarks.speed.packages import Tree
from benchmarks.speed.ways import CHANGED, COLD, FILLING, WARM

_STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "speed", "font.family": "sans-serif", "font.size": 12}

Figures = Mapping[tuple[str, str], Sample]
"""The median of each tree and way."""


def draw(trees: list[Tree], figures: Figures, folder: Path) -> None:
    """Write the plots: seconds and memory against lines, and what the cache saves."""
    folder.mkdir(parents=True, exist_ok=True)
    ways = list(dict.fromkeys(way for _, way in figures))
    with mpl.rc_context(_STYLE):
        _scatter(trees, figures, ways, "wall", "seconds", folder / "seconds.svg")
        _scatter(trees, figures, ways, "peak", "megabytes of the largest process", folder / "memory.svg")
        _cache(trees, figures, folder / "cache.svg")


def _scatter(trees: list[Tree], figures: Figures, ways: list[str], value: str, label: str, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 4.4), layout="constrained")
    for way in ways:
        points = [(tree.lines, figures[tree.name, way]) for tree in trees if (tree.name, way) in figures]
        sound = [(lines, getattr(sample, value)) for lines, sample in points if sample.fault is None]
        if sound:
            axes.plot(*zip(*sound, strict=True), marker="o", markersize=4, linewidth=1, label=way)
    axes.set(xscale="log", yscale="log", xlabel="lines", ylabel=label)
    axes.grid(visible=True, linewidth=0.3)
    axes.legend(fontsize=9, frameon=False)
    _save(figure, path)


def _cache(trees: list[Tree], figures: Figures, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 0.8 + 0.7 * len(trees)), layout="constrained")
    ways = (COLD, FILLING, CHANGED, WARM)
    for index, way in enumerate(ways):
        values = [figures[tree.name, way].wall if (tree.name, way) in figures else 0 for tree in trees]
        axes.barh([row + 0.2 * index for row in range(len(trees))], values, height=0.18, label=way)
    axes.set_yticks([row + 0.3 for row in range(len(trees))], [tree.name for tree in trees])
    axes.set(xscale="log", xlabel="seconds")
    axes.invert_yaxis()
    axes.legend(fontsize=9, frameon=False)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)
