"""A small SVG for each pattern: the bad form on the left, the good form on the right."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from harm.patterns import Pattern, percentile
from harm.service import Measured

_STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "harm", "font.family": "sans-serif", "font.size": 13}
_COLORS = {"bad": "#b03a2e", "good": "#1f618d"}
_BARS: dict[str, tuple[str, Callable[[Measured], float]]] = {
    "answer": ("median answer, s", lambda measured: percentile(measured.answers, 50)),
    "loads": ("loads of the model", lambda measured: measured.loads or 0),
    "lost": ("tasks lost", lambda measured: measured.lost or 0),
    "shutdown": ("seconds to shut down", lambda measured: measured.shutdown),
}


def draw(pattern: Pattern, bad: Measured, good: Measured, path: Path) -> None:
    """Write the plot of a pattern."""
    forms = {"bad": bad, "good": good}
    with mpl.rc_context(_STYLE):
        if pattern.plot in _BARS:
            figure, axes = plt.subplots(figsize=(6.4, 2.4), layout="constrained")
            _bars(axes, *_BARS[pattern.plot], forms)
        else:
            figure, panels = plt.subplots(1, 2, figsize=(6.4, 3.2), sharex=True, sharey=True, layout="constrained")
            for panel, (form, measured) in zip(panels, forms.items(), strict=True):
                _panel(panel, pattern, measured, form)
            panels[0].set_ylabel(_y_label(pattern))
            panels[0].set_xlim(left=0)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def _bars(axes: Axes, label: str, value: Callable[[Measured], float], forms: dict[str, Measured]) -> None:
    values = [value(measured) for measured in forms.values()]
    bars = axes.barh(list(forms), values, color=list(_COLORS.values()), height=0.6)
    axes.bar_label(bars, fmt="%.3g", padding=4)
    axes.set_xlabel(label)
    axes.set_xlim(0, max(values) * 1.15)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)


def _panel(axes: Axes, pattern: Pattern, measured: Measured, form: str) -> None:
    if pattern.plot in ("tokens", "tasks"):
        axes.step(*zip((0.0, 0.0), *measured.counts, strict=True), where="post", color=_COLORS[form], linewidth=2)
    else:
        samples, style = (measured.health, "default") if pattern.plot == "health" else (measured.answers, "steps-post")
        axes.plot(
            [sent for sent, _ in samples],
            [took * 1000 for _, took in samples],
            color=_COLORS[form],
            linewidth=1.2,
            drawstyle=style,
        )
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_title(form, color=_COLORS[form], fontweight="bold")
    axes.set_xlabel("time, s")
    axes.grid(alpha=0.3)


def _y_label(pattern: Pattern) -> str:
    labels = {"health": "/health took, ms", "answers": "embedding took, ms", "tokens": "tokens received"}
    return labels.get(pattern.plot, "tasks published")
