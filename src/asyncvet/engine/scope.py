"""The part of a review that a change brings about: its findings, and the evidence in its lines."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from asyncvet.engine.changes import Changes
from asyncvet.facts import tree
from asyncvet.graph import Project
from asyncvet.graph.scopes import Body, Function
from asyncvet.model import Evidence, Finding, Frame, Span

_Place = tuple[str, int, int]
"""Path, first and last line."""


class ChangeScope:
    """Tells what a change brings about.

    Args:
        changes: The changed lines.
        project: The project with the change made.
        base: Folder that the paths of the project are relative to.
    """

    def __init__(self, changes: Changes, project: Project, base: Path) -> None:
        self._changes = changes
        self._project = project
        self._base = base
        self._real: dict[str, str] = {}
        self._calls: dict[str, dict[tuple[int, int], int]] = {}

    def findings(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that the change brings about, each with its scope."""
        judged = ((finding, self._scope(finding)) for finding in findings)
        return [replace(finding, scope=scope) for finding, scope in judged if scope is not None]

    def evidence(self, evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
        """The evidence in changed lines; a function is evidence if any line of it is changed."""
        return tuple(Evidence(each.item, self._changed(each.subjects), self._changed(each.good)) for each in evidence)

    def _changed(self, spans: Iterable[Span]) -> tuple[Span, ...]:
        return tuple(span for span in spans if self._touches(self._functions.get(span, (span.path, span.line, span.end_line))))

    def _scope(self, finding: Finding) -> Literal["changed", "impact"] | None:
        span = finding.span
        own: list[_Place] = [(span.path, span.line, span.end_line)]
        own += [self._extent(frame) for frame in finding.chain[-1:]]
        if any(map(self._touches, own)):
            return "changed"
        way = [self._extent(frame) for frame in finding.chain[:-1]]
        functions = {(span.path, finding.function), *((frame.path, frame.function) for frame in finding.chain)}
        way += [place for function in functions for place in self._heads.get(function, ())]
        return "impact" if any(map(self._touches, way)) else None

    def _touches(self, place: _Place) -> bool:
        path, first, last = place
        real = self._real.get(path)
        if real is None:
            real = self._real[path] = os.path.realpath(self._base / path)
        return self._changes.touch(real, first, last)

    def _extent(self, frame: Frame) -> _Place:
        """The lines of the call that a frame stands for."""
        if frame.path not in self._calls:
            module = self._project.modules.get(frame.path)
            scopes: list[Body] = [module, *module.functions] if module is not None else []
            spans = sorted(
                self._project.span(scope, site.node)
                for scope in scopes
                for site in scope.sites
                if isinstance(site.node, tree.Call)
            )
            self._calls[frame.path] = {(span.line, span.column): span.end_line for span in spans}
        return frame.path, frame.line, self._calls[frame.path].get((frame.line, frame.column), frame.line)

    @cached_property
    def _functions(self) -> dict[Span, _Place]:
        """All lines of each function, by the place that stands for it in evidence."""
        places: dict[Span, _Place] = {}
        for function in self._project.functions:
            if isinstance(function.node, tree.FunctionDef):
                path, first, _ = self._head(function, function.node)
                places[self._project.span(function, function.head)] = (
                    path,
                    first,
                    self._project.span(function, function.node).end_line,
                )
        return places

    @cached_property
    def _heads(self) -> dict[tuple[str, str], list[_Place]]:
        """Where functions are declared, decorators and parameters included: what makes them routes, coroutines, tasks."""
        heads: defaultdict[tuple[str, str], list[_Place]] = defaultdict(list)
        for function in self._project.functions:
            if isinstance(function.node, tree.FunctionDef):
                heads[function.path, function.qualname].append(self._head(function, function.node))
        return heads

    def _head(self, function: Function, node: tree.FunctionDef) -> _Place:
        start = min([node.start, *(decorator.start for decorator in node.decorators)])
        ends = [param.end for param in node.params] + ([node.returns.end] if node.returns is not None else [])
        span = self._project.span(function, tree.Node(start, max([function.head.end, *ends])))
        return span.path, span.line, span.end_line
