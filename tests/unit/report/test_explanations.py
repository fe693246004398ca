"""Drawings of call graphs: nothing overlaps, no name becomes markup, and nothing is needed beside the file."""

import json
from itertools import combinations, pairwise
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import pytest

from asyncvet import report
from asyncvet.config import Settings
from asyncvet.engine.explaining import around
from asyncvet.graph.neighbourhood import CallGraph, Edge, Node
from asyncvet.report.explanations import as_json, graph_dot, graph_svg
from asyncvet.report.explanations.layout import lay_out

ROOT = Path(__file__).resolve().parents[3]
SHOP = ROOT / "examples" / "shop"
SVG = "{http://www.w3.org/2000/svg}"

HOSTILE = CallGraph(
    'a"]; evil [label="',
    (
        Node(0, '<script>alert("&")</script>', 0, "a\x1b[31m.py", 3, True, ("event-loop",), ("route GET </text>",)),
        Node(1, "time.sleep", 1, keeps="blocks", category="sleep", stall="unbounded"),
    ),
    (Edge(0, 1, "inline", 4), Edge(0, 0, "thread", 5)),
)


@pytest.mark.parametrize("name", ["PaymentClient.charge", "in_thread", "create_order", "Throttle.wait", "get_settings"])
def test_nothing_overlaps(name: str) -> None:
    """No box lies on another one, and no level stretch of a line runs through a box."""
    graph = around(name, 6, [SHOP], Settings(jobs=1), root=ROOT)
    layout = lay_out(graph, [(100.0 + 10 * len(node.name), 40.0) for node in graph.nodes])
    for one, other in combinations(layout.boxes, 2):
        apart_x = one.x + one.width <= other.x or other.x + other.width <= one.x
        apart_y = one.y + one.height <= other.y or other.y + other.height <= one.y
        assert apart_x or apart_y
    for edge, points in zip(graph.edges, layout.lines, strict=True):
        others = [box for number, box in enumerate(layout.boxes) if number not in (edge.source, edge.target)]
        for (x, y), (end_x, end_y) in pairwise(points):
            if y == end_y:
                assert [box for box in others if box.y < y < box.y + box.height and box.x < end_x and x < box.x + box.width] == []


def test_hostile_names_stay_text() -> None:
    """What the reviewed code calls its things is shown, and nothing else."""
    root = ElementTree.fromstring(graph_svg.render(HOSTILE))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg",
        "title",
        "style",
        "defs",
        "marker",
        "path",
        "rect",
        "text",
        "g",
    }
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert 'async <script>alert("&")</script>' in texts
    assert r"a\x1b[31m.py:3" in texts
    assert "route GET </text>" in texts


def test_svg_is_self_contained() -> None:
    """No address but that of the format's name."""
    text = graph_svg.render(around("PaymentClient.charge", 6, [SHOP], Settings(jobs=1), root=ROOT))
    assert text.count("http") == 1
    assert "href" not in text
    assert "@import" not in text


def test_dot() -> None:
    assert (
        graph_dot.render(HOSTILE)
        == dedent(
            r"""
        digraph calls {
          rankdir=LR;
          node [shape=box, style=filled, fontname="monospace", fontsize=11];
          edge [fontname="monospace", fontsize=9];
          n0 [label="async <script>alert(\"&\")</script>\na\\x1b[31m.py:3\nroute GET </text>", """
            """fillcolor="#fde8d7", color="#c2570c", penwidth="3"];
          n1 [label="time.sleep\\nsleep, unbounded", fillcolor="#d9363e", color="#8f1620", fontcolor="#ffffff"];
          n0 -> n1;
          n0 -> n0 [label="thread", style=dashed];
        }
        """
        ).lstrip()
    )


def test_json() -> None:
    """The same content for programs."""
    content = json.loads(as_json(HOSTILE))
    assert list(content) == ["schema_version", "tool", "focus", "nodes", "edges", "left_out"]
    assert content["nodes"][1] == {
        "id": 1,
        "name": "time.sleep",
        "rank": 1,
        "path": "",
        "line": 0,
        "is_async": False,
        "contexts": [],
        "entries": [],
        "keeps": "blocks",
        "category": "sleep",
        "stall": "unbounded",
    }
    assert content["edges"][1] == {"source": 0, "target": 0, "how": "thread", "line": 5}


def test_explanations_are_no_report_format() -> None:
    assert "explanations" not in report.formats()
