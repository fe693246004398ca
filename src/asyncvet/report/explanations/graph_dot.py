"""`asyncvet graph` in the language of Graphviz."""

from __future__ import annotations

import json
from collections.abc import Iterator

from asyncvet.graph.neighbourhood import CallGraph, Edge, Node
from asyncvet.report import harmless
from asyncvet.report.explanations.palette import colours, edge_label, lines_of

_HEAD = (
    "rankdir=LR",
    'node [shape=box, style=filled, fontname="monospace", fontsize=11]',
    'edge [fontname="monospace", fontsize=9]',
)


def render(graph: CallGraph) -> str:
    """The graph as a `digraph`, drawn from left to right."""
    body = [*map(_node, graph.nodes), *map(_edge, graph.edges)]
    return "digraph calls {\n" + "".join(f"  {line};\n" for line in (*_HEAD, *body)) + "}\n"


def _node(node: Node) -> str:
    look = colours(node)
    marks = {"label": "\n".join(lines_of(node)), "fillcolor": look.fill, "color": look.line}
    if node.keeps:
        marks["fontcolor"] = "#ffffff"
    elif node.rank == 0:
        marks["penwidth"] = "3"
    return f"n{node.id} [{', '.join(f'{key}={_quoted(value)}' for key, value in marks.items())}]"


def _edge(edge: Edge) -> str:
    marks = ", ".join(_marks(edge))
    return f"n{edge.source} -> n{edge.target}{f' [{marks}]' if marks else ''}"


def _marks(edge: Edge) -> Iterator[str]:
    if edge_label(edge):
        yield f"label={_quoted(edge_label(edge))}"
    if edge.is_offload:
        yield "style=dashed"


def _quoted(text: str) -> str:
    return json.dumps("\n".join(map(harmless, text.split("\n"))), ensure_ascii=False)
