"""How functions and calls look in a drawing: colours by where they run and what they do, and their texts."""

from __future__ import annotations

from typing import NamedTuple

from asyncvet.graph.neighbourhood import Edge, Node

_LONGEST = 44
"""Characters of a line in a box."""


class Look(NamedTuple):
    """Colours of a box."""

    fill: str
    line: str


CONTEXTS = {
    "event-loop": Look("#fde8d7", "#c2570c"),
    "main-thread": Look("#eceff3", "#64748b"),
    "worker-process": Look("#e3e9fd", "#3b5bdb"),
    "worker-thread": Look("#dff3e4", "#2b8a3e"),
    "import-time": Look("#f1f0ea", "#8a8266"),
}
UNKNOWN = Look("#ffffff", "#9ca3af")
SINKS = {
    "blocks": Look("#d9363e", "#8f1620"),
    "metadata": Look("#e58a8f", "#a33c42"),
    "cpu": Look("#9c36b5", "#651f76"),
    "runs-loop": Look("#5c4033", "#33231b"),
    "celery-result": Look("#b8336a", "#76163f"),
    "celery-publish": Look("#b8336a", "#76163f"),
}
KEEPS = {
    "blocks": "blocks its thread",
    "metadata": "asks the file system",
    "cpu": "computes for long",
    "runs-loop": "runs a loop of its own",
    "celery-result": "waits for a Celery task",
    "celery-publish": "publishes to Celery's broker",
}
_LABELS = {"coroutine": "await", "thread": "thread", "loop": "loop", "later": "later"}


def colours(node: Node) -> Look:
    """The colours of a node: of what a library call does, or of the most harmful context of a function."""
    if node.keeps:
        return SINKS[node.keeps]
    return CONTEXTS[node.contexts[0]] if node.contexts else UNKNOWN


def edge_label(edge: Edge) -> str:
    """How the call runs its function, empty for a plain call."""
    return _LABELS.get(edge.how, "")


def lines_of(node: Node) -> list[str]:
    """The lines of text in a box: what it is, where it stands, what enters the program there."""
    if node.keeps:
        kind = ", ".join(dict.fromkeys(filter(None, (node.category, node.stall))))
        return [cropped(node.name), kind or node.keeps]
    name = ".".join(node.name.split(".")[-2:])
    lines = [cropped(f"async {name}" if node.is_async else name), cropped(f"{node.path}:{node.line}", from_left=True)]
    return (
        lines
        + [cropped(entry) for entry in node.entries[:2]]
        + ([f"+{len(node.entries) - 2} more"] if len(node.entries) > 2 else [])
    )


def cropped(text: str, from_left: bool = False) -> str:
    """The text, no longer than fits into a box."""
    if len(text) <= _LONGEST:
        return text
    return "…" + text[1 - _LONGEST :] if from_left else text[: _LONGEST - 1] + "…"
