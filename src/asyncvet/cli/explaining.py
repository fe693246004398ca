"""`asyncvet why` and `asyncvet graph`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from asyncvet.cli.command import Command, common_folder, whole_number, write
from asyncvet.config import UsageError, load
from asyncvet.engine import explaining
from asyncvet.engine.collector import uncollected
from asyncvet.graph.neighbourhood import CallGraph
from asyncvet.report import explanations
from asyncvet.report.explanations import graph_dot, graph_svg, graph_text, why_text


def _add_why_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "place", type=_place, metavar="FILE:LINE", help="the line; a column after it, as reports give it, is ignored"
    )
    _add_project_argument(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to write the answer (default: text)")


def _add_graph_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("function", metavar="FUNCTION", help="its qualified name, or the end of it: Class.method")
    _add_project_argument(parser)
    kinds = ", ".join(f"*{suffix}" for suffix in DRAWINGS)
    parser.add_argument("--output", type=Path, metavar="FILE", help=f"draw into this file: {kinds} (default: a tree of text)")
    parser.add_argument("--depth", type=whole_number, default=6, metavar="N", help="calls to follow up and down (default: 6)")


def _add_project_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", type=Path, default=[Path()], metavar="PATH", help="the project (default: this folder)"
    )


def _place(text: str) -> tuple[Path, int]:
    found = re.fullmatch(r"(.+?):(\d+)(?::\d+)?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"`{text}` is not a file, a colon and the number of a line")
    return Path(found[1]), int(found[2])


def _why(options: argparse.Namespace) -> int:
    with uncollected():
        file, line = options.place
        answer = explaining.why(file, line, options.paths, load(common_folder(options.paths)))
    sys.stdout.write(explanations.as_json(answer) if options.format == "json" else why_text.render(answer))
    return 0


def _graph(options: argparse.Namespace) -> int:
    draw = DRAWINGS.get(options.output.suffix.lower()) if options.output else graph_text.render
    if draw is None:
        raise UsageError(f"{options.output}: can be drawn into a file whose name ends in {', '.join(DRAWINGS)} only")
    with uncollected():
        graph = explaining.around(options.function, options.depth, options.paths, load(common_folder(options.paths)))
    if options.output is None:
        sys.stdout.write(draw(graph))
        return 0
    write(draw(graph), options.output)
    return 0


DRAWINGS: dict[str, Callable[[CallGraph], str]] = {
    ".svg": graph_svg.render,
    ".dot": graph_dot.render,
    ".json": explanations.as_json,
}

COMMANDS = {
    "why": Command(
        "Tell where the code on a line runs, what it reaches, and why that is reported or not.",
        _add_why_arguments,
        _why,
        {
            "asyncvet why app/orders.py:23": "of the project in this folder",
            "asyncvet why src/app/orders.py:23 src": "of the project in src",
        },
    ),
    "graph": Command(
        "Draw the calls around a function.",
        _add_graph_arguments,
        _graph,
        {
            "asyncvet graph OrderService.place": "who calls it, and what it calls",
            "asyncvet graph place src --depth 2 --output place.svg": "near ones only, as a picture",
        },
    ),
}
