"""A layered layout from left to right: a column for each rank, boxes ordered so that few lines cross, none on another.

A call that passes over columns is led through them between the boxes.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from asyncvet.graph.neighbourhood import CallGraph

GAP = 84.0
"""Between two columns: room for the lines and their labels."""

_SPACE = 16.0
_SWEEPS = 8
_LANE = 8.0
"""Height of the lane of a line that passes through a column."""

Size = tuple[float, float]
Point = tuple[float, float]


@dataclass(eq=False)
class _Item:
    """A box, or the lane of a line that passes through a column."""

    column: int
    width: float
    height: float
    y: float = 0.0
    before: list[_Item] = field(default_factory=list, repr=False)
    after: list[_Item] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node is drawn: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing: a box for each node, and for each edge the points that its line passes, both in the order of the graph."""

    boxes: tuple[Box, ...]
    lines: tuple[tuple[Point, ...], ...]
    width: float
    height: float


def lay_out(graph: CallGraph, sizes: Sequence[Size]) -> Layout:
    """Place the nodes of a graph, whose boxes have these sizes."""
    ranks = sorted({node.rank for node in graph.nodes})
    items = [_Item(ranks.index(node.rank), *size) for node, size in zip(graph.nodes, sizes, strict=True)]
    columns: list[list[_Item]] = [[item for item in items if item.column == index] for index in range(len(ranks))]
    lanes = [_lanes(items[edge.source], items[edge.target], columns) for edge in graph.edges]
    _order(columns)
    _straighten(columns)
    widths = [max(item.width for item in column) for column in columns]
    lefts = [sum(widths[:index]) + GAP * index for index in range(len(columns))]
    boxes = tuple(Box(lefts[item.column], item.y, item.width, item.height) for item in items)
    ways = zip(graph.edges, lanes, strict=True)
    lines = tuple(_line(boxes[edge.source], boxes[edge.target], between, lefts, widths) for edge, between in ways)
    height = max((item.y + item.height for column in columns for item in column), default=0.0)
    return Layout(boxes, lines, lefts[-1] + widths[-1] + GAP, height)


def _lanes(source: _Item, target: _Item, columns: list[list[_Item]]) -> list[_Item]:
    """Lanes for an edge in the columns that it passes over, in the direction of the edge."""
    first, last = sorted((source, target), key=lambda item: item.column)
    if first.column == last.column:
        return []
    lanes = [_Item(column, 0.0, _LANE) for column in range(first.column + 1, last.column)]
    for lane in lanes:
        columns[lane.column].append(lane)
    chain = [first, *lanes, last]
    for left, right in itertools.pairwise(chain):
        left.after.append(right)
        right.before.append(left)
    return lanes if first is source else lanes[::-1]


def _order(columns: list[list[_Item]]) -> None:
    """Order each column by the middle of what its items are joined to, to and fro."""
    places = {id(item): float(place) for column in columns for place, item in enumerate(column)}
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else columns[::-1]:

            def middle(item: _Item, forward: bool = forward) -> float:
                near = item.before if forward else item.after
                return sum(places[id(other)] for other in near) / len(near) if near else places[id(item)]

            column.sort(key=middle)
            places.update((id(item), float(place)) for place, item in enumerate(column))


def _straighten(columns: list[list[_Item]]) -> None:
    """Give each item a height near that of what it is joined to, in its column's order and clear of the others."""
    for column in columns:
        _stack(column, [0.0] * len(column))
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            wanted = []
            for item in column:
                near = [*item.before, *item.after]
                centre = sum(other.y + other.height / 2 for other in near) / len(near) if near else item.y + item.height / 2
                wanted.append(centre - item.height / 2)
            _stack(column, wanted)
    top = min((item.y for column in columns for item in column), default=0.0)
    for column in columns:
        for item in column:
            item.y -= top


def _stack(column: list[_Item], wanted: Sequence[float]) -> None:
    """Put the items one below the other, as near to where they want to be as their order allows."""
    bottom = float("-inf")
    for item, y in zip(column, wanted, strict=True):
        item.y = max(y, bottom)
        bottom = item.y + item.height + _SPACE
    shift = sum(item.y - y for item, y in zip(column, wanted, strict=True)) / max(len(column), 1)
    for item in column:
        item.y -= shift


def _line(source: Box, target: Box, lanes: Sequence[_Item], lefts: Sequence[float], widths: Sequence[float]) -> tuple[Point, ...]:
    """The points of an edge's line; the stretches inside a column are level."""
    middle = source.y + source.height / 2
    end = target.y + target.height / 2
    if source.x == target.x:  # beside its own column, and back
        return (source.x + source.width, middle), (target.x + target.width, end)
    forward = source.x < target.x
    points = [(source.x + source.width if forward else source.x, middle)]
    if forward and source.width < max(w for x, w in zip(lefts, widths, strict=True) if x == source.x):
        points.append((source.x + next(w for x, w in zip(lefts, widths, strict=True) if x == source.x), middle))
    for lane in lanes:
        left, right = (lefts[lane.column], lane.y + _LANE / 2), (lefts[lane.column] + widths[lane.column], lane.y + _LANE / 2)
        points += [left, right] if forward else [right, left]
    if not forward and target.width < widths[lefts.index(target.x)]:
        points.append((target.x + widths[lefts.index(target.x)], end))
    return (*points, (target.x if forward else target.x + target.width, end))
