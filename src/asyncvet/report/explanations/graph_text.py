"""`asyncvet graph` as an indented tree: who calls the function, then what it calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from asyncvet.graph.neighbourhood import CallGraph, Edge, Node
from asyncvet.report import harmless

_HOW = {"coroutine": "await ", "thread": "in a thread: ", "loop": "later on the loop: ", "later": "when no loop runs: "}


def render(graph: CallGraph) -> str:
    """The graph as two trees. A function that stands in a tree already is not opened again."""
    focus = [node for node in graph.nodes if node.rank == 0]
    lines: list[str] = []
    for node in focus:
        callers = list(_tree(graph, node, lambda edge: (edge.target, edge.source), {node.id}, 1))
        callees = list(_tree(graph, node, lambda edge: (edge.source, edge.target), {node.id}, 1))
        lines += [_described(node), "called by:" if callers else "called by nothing that was read", *callers]
        lines += ["calls:" if callees else "calls nothing of the project, and nothing that keeps its thread", *callees]
    if graph.left_out:
        lines.append(f"{graph.left_out} more functions left out")
    return "\n".join(map(harmless, lines)) + "\n"


def _tree(graph: CallGraph, node: Node, ends: Callable[[Edge], tuple[int, int]], seen: set[int], depth: int) -> Iterator[str]:
    for edge in graph.edges:
        start, end = ends(edge)
        if start != node.id:
            continue
        other = graph.nodes[end]
        known = end in seen
        seen.add(end)
        yield f"{'  ' * depth}{_HOW.get(edge.how, '')}{_described(other)}{' ...' if known and not other.keeps else ''}"
        if not known:
            yield from _tree(graph, other, ends, seen, depth + 1)


def _described(node: Node) -> str:
    if node.keeps:
        return f"{node.name}  [{', '.join(dict.fromkeys(filter(None, (node.keeps, node.category, node.stall))))}]"
    where = ", ".join([*node.contexts, *node.entries])
    return f"{node.name}  {node.path}:{node.line}{f'  [{where}]' if where else ''}"
