"""`asyncvet graph` as a picture: SVG with nothing outside itself."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from asyncvet.graph.neighbourhood import CallGraph, Edge, Node
from asyncvet.report import harmless
from asyncvet.report.explanations.layout import GAP, Box, Layout, Point, lay_out
from asyncvet.report.explanations.palette import CONTEXTS, KEEPS, SINKS, colours, edge_label, lines_of

_MARGIN = 24.0
_TOP = 64.0
_LINE = 16.0
_PADDING = 10.0
_CHARACTER = 7.4
"""Width of a character of 12 pixels in the widest of the usual monospaced fonts."""
_BAR = 5.0
_LABEL = 5.8
"""Width of a character of a label."""
_ROW = 26.0
"""Height of the legend."""
_PLACES = (0.5, 0.35, 0.65, 0.2, 0.8)
"""Where on its stretch a label may stand."""

_STYLE = (
    "text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2430}"
    ".place{fill:#5b6472}.sink{fill:#fff}.label{font-size:9.5px;fill:#3f4756}.title{font-weight:bold;font-size:14px}"
    "path{fill:none;stroke:#6b7280;stroke-width:1.3}.thread{stroke:#2b8a3e;stroke-dasharray:6 4}.coroutine{stroke:#c2570c}"
)
_ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" style="fill:#4b5563;stroke:none"/></marker>'
)

Area = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def render(graph: CallGraph) -> str:
    """The graph as an SVG document. No text of the reviewed code can become markup."""
    layout = lay_out(graph, [_size(node) for node in graph.nodes])
    legend, legend_width = _legend(graph, layout.height + _TOP + _ROW)
    title = f"Calls around {graph.focus}" + (f" ({graph.left_out} more functions left out)" if graph.left_out else "")
    width = max(layout.width - GAP / 2, legend_width, _columns(title) * 8.8) + 2 * _MARGIN
    height = layout.height + _TOP + 2 * _ROW
    size = f'width="{width:.0f}" height="{height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<title>{_text(title)}</title><style>{_STYLE}</style><defs>{_ARROW}</defs>",
        f'<rect {size} fill="#fff"/>',
        f'<text class="title" x="{_MARGIN:.0f}" y="30">{_text(title)}</text>',
        f'<g transform="translate({_MARGIN:.0f} {_TOP:.0f})">',
        *_edges(graph.edges, layout),
        *(_box(node, box) for node, box in zip(graph.nodes, layout.boxes, strict=True)),
        "</g>",
        *legend,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _text(text: str) -> str:
    return escape(harmless(text))


def _columns(text: str) -> int:
    """The width of a text in characters: those of East Asia take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in harmless(text))


def _size(node: Node) -> tuple[float, float]:
    lines = lines_of(node)
    return max(map(_columns, lines)) * _CHARACTER + 2 * _PADDING + _BAR, len(lines) * _LINE + 2 * _PADDING - 4


def _box(node: Node, box: Box) -> str:
    look = colours(node)
    place = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    paint = f'fill="{look.fill}" stroke="{look.line}" stroke-width="{3 if node.rank == 0 else 1.2}"'
    parts = [f'<g><title>{_text(node.name)}</title><rect {place} rx="4" {paint}/>']
    for index, context in enumerate(node.contexts):
        part = (box.height - 8) / len(node.contexts)
        at = f'x="{box.x + 3:.1f}" y="{box.y + 4 + index * part:.1f}" width="{_BAR - 1:.1f}" height="{part:.1f}"'
        parts.append(f'<rect {at} fill="{CONTEXTS[context].line}"/>')
    for index, line in enumerate(lines_of(node)):
        kind = "sink" if node.keeps else "place" if index == 1 else "name"
        at = f'x="{box.x + _PADDING + _BAR:.1f}" y="{box.y + _PADDING + 9 + index * _LINE:.1f}"'
        parts.append(f'<text class="{kind}" {at}>{_text(line)}</text>')
    return "".join([*parts, "</g>"])


def _edges(edges: Sequence[Edge], layout: Layout) -> Iterator[str]:
    taken: list[Area] = []
    for edge, points in zip(edges, layout.lines, strict=True):
        is_beside = layout.boxes[edge.source].x == layout.boxes[edge.target].x
        path = _beside(points, edge.source == edge.target) if is_beside else _through(points)
        yield f'<path class={quoteattr(edge.how)} d="{path}" marker-end="url(#arrow)"/>'
        if label := edge_label(edge):
            yield _label(label, points, is_beside, taken)


def _through(points: Sequence[Point]) -> str:
    """A line that is level at every point."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (end_x, end_y) in itertools.pairwise(points):
        middle = (x + end_x) / 2
        path += (
            f"L{end_x:.1f} {end_y:.1f}"
            if y == end_y
            else f"C{middle:.1f} {y:.1f} {middle:.1f} {end_y:.1f} {end_x:.1f} {end_y:.1f}"
        )
    return path


def _beside(points: Sequence[Point], is_loop: bool) -> str:
    """A line out to the right of a column and back into it."""
    (x, y), (end_x, end_y) = points
    if is_loop:
        y, end_y = y - 6, end_y + 6
    out = max(x, end_x) + GAP / 2
    return f"M{x:.1f} {y:.1f}C{out:.1f} {y:.1f} {out:.1f} {end_y:.1f} {end_x:.1f} {end_y:.1f}"


def _label(label: str, points: Sequence[Point], is_beside: bool, taken: list[Area]) -> str:
    """A label on the last stretch between columns, where no other label is."""
    stretches = list(itertools.pairwise(points))
    (x, y), (end_x, end_y) = next((s for s in reversed(stretches) if s[0][1] != s[1][1]), stretches[-1])
    half = len(label) * _LABEL / 2 + 2
    areas = []
    for place in _PLACES:
        curve = place * place * (3 - 2 * place)  # The height of a level-ended curve, near enough.
        at_x = max(x, end_x) + GAP * 0.375 if is_beside else x + (end_x - x) * place
        at_y = y + (end_y - y) * (place if is_beside else curve)
        areas.append((at_x - half, at_y - 7, at_x + half, at_y + 6))
    area = next((area for area in areas if not any(_meet(area, other) for other in taken)), areas[0])
    taken.append(area)
    left, top, right, bottom = area
    back = f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" fill="#fff"/>'
    return f'{back}<text class="label" text-anchor="middle" x="{(left + right) / 2:.1f}" y="{bottom - 3:.1f}">{label}</text>'


def _meet(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _legend(graph: CallGraph, y: float) -> tuple[list[str], float]:
    """What the colours of this graph mean, in a row, and how long the row is."""
    contexts = {context for node in graph.nodes for context in node.contexts}
    kinds = {node.keeps for node in graph.nodes if node.keeps}
    words: Iterable[tuple[str, str, str]] = (
        *((CONTEXTS[name].fill, CONTEXTS[name].line, name) for name in CONTEXTS if name in contexts),
        *((SINKS[kind].fill, SINKS[kind].line, KEEPS[kind]) for kind in SINKS if kind in kinds),
    )
    parts, x = [], _MARGIN
    for fill, line, word in words:
        parts.append(f'<rect x="{x:.0f}" y="{y:.0f}" width="14" height="12" rx="2" fill="{fill}" stroke="{line}"/>')
        parts.append(f'<text x="{x + 20:.0f}" y="{y + 10:.0f}">{word}</text>')
        x += 20 + len(word) * _CHARACTER + 20
    if any(edge.is_offload for edge in graph.edges):
        parts.append(
            f'<path class="thread" d="M{x:.0f} {y + 6:.0f}h30"/><text x="{x + 38:.0f}" y="{y + 10:.0f}">handed to a thread</text>'
        )
        x += 38 + 18 * _CHARACTER
    return parts, x - _MARGIN
