"""What an editor is answered from: a project as it was reviewed last, and its places in the editor's terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path

from asyncvet.engine.drift import Drift
from asyncvet.engine.workspace import Workspace
from asyncvet.facts import tree
from asyncvet.graph.scopes import Body, Function, Module
from asyncvet.graph.whereabouts import Whereabouts
from asyncvet.lsp.documents import Encoding
from asyncvet.model import Finding, Frame, Sink, Span

Place = tuple[str, int, int]
"""Path, line and column in a text that was read, from 1."""


class View:
    """A workspace after a review. It holds until the workspace is updated.

    Args:
        workspace: The workspace.
        encoding: How the editor counts columns.
        uris: What the editor calls the files that it has open.
    """

    def __init__(self, workspace: Workspace, encoding: Encoding, uris: Mapping[Path, str]) -> None:
        self.workspace = workspace
        self.encoding = encoding
        self.report = workspace.report()
        self.project = workspace.project()
        self.whereabouts = Whereabouts(self.project)
        self._uris = uris
        self._lines: dict[str, list[str]] = {}
        self._drifts: dict[str, Drift] = {}

    # --- places -------------------------------------------------------------------------------------

    def uri(self, path: str) -> str:
        """The address of a file."""
        file = self.workspace.file(path)
        return self._uris.get(file) or from_fs_path(str(file)) or ""

    def lines(self, path: str) -> list[str]:
        """The lines of a file as they are now."""
        if path not in self._lines:
            self._lines[path] = self.workspace.lines(path)
        return self._lines[path]

    def drift(self, path: str) -> Drift:
        """How a file differs from the text that was read."""
        if path not in self._drifts:
            self._drifts[path] = self.workspace.drift(path)
        return self._drifts[path]

    def range(self, span: Span) -> types.Range:
        """Where a span is now."""
        return types.Range(
            self._position(span.path, span.line, span.column), self._position(span.path, span.end_line, span.end_column)
        )

    def frame_range(self, frame: Frame) -> types.Range:
        """Where the call of a frame begins now, up to the end of that line."""
        start = self._position(frame.path, frame.line, frame.column)
        lines = self.lines(frame.path)
        line = lines[start.line].rstrip() if start.line < len(lines) else ""
        return types.Range(start, types.Position(start.line, max(self.encoding.units(line), start.character)))

    def node_range(self, scope: Body, node: tree.Node) -> types.Range:
        """Where a node of a scope is now."""
        return self.range(self.project.span(scope, node))

    def place(self, path: str, position: types.Position) -> Place:
        """Where a position of the editor was in the text that was read."""
        lines = self.lines(path)
        line = lines[position.line] if position.line < len(lines) else ""
        column = self.encoding.characters(line, position.character) + 1
        return path, self.drift(path).then(position.line + 1), column

    def _position(self, path: str, line: int, column: int) -> types.Position:
        lines = self.lines(path)
        index = self.drift(path).now(line) - 1
        before = lines[index][: column - 1] if index < len(lines) else ""
        return types.Position(index, self.encoding.units(before))

    # --- what is there ------------------------------------------------------------------------------

    def findings_at(self, place: Place) -> list[Finding]:
        """The findings whose span holds a place, the gravest first."""
        path, line, column = place
        return [finding for finding in self.report.findings if finding.span.path == path and _holds(finding.span, line, column)]

    def functions_at(self, module: Module, place: Place) -> list[Function]:
        """The functions that a place names: the one that is defined there, or those that a call there runs."""
        _, line, column = place
        for function in module.functions:
            if not function.is_lambda and _holds(self.project.span(function, function.head), line, column):
                return [function]
        scopes: list[Body] = [module, *module.functions]
        for scope in scopes:
            for site in self.project.sites(scope):
                if isinstance(site.node, tree.Call) and _holds(self._named(scope, site.node), line, column):
                    return list(dict.fromkeys(target.function for target in site.targets))
        return []

    def _named(self, scope: Body, call: tree.Call) -> Span:
        """The last word of what a call calls."""
        func = call.func
        length = len((func.attr if isinstance(func, tree.Attribute) else func.id if isinstance(func, tree.Name) else "").encode())
        return self.project.span(scope, tree.Node(func.end - length, func.end))

    @cached_property
    def stalls(self) -> dict[tuple[str, str], dict[str, Sink]]:
        """What the findings say a function leads to: path and name of the function to the sinks by their names, the gravest first."""
        found: dict[tuple[str, str], dict[str, Sink]] = {}
        for finding in self.report.findings:
            if finding.sink is not None:
                for frame in finding.chain:
                    found.setdefault((frame.path, frame.function), {}).setdefault(finding.sink.name, finding.sink)
        return found

    def functions(self, module: Module) -> Iterator[Function]:
        """The functions of a module that have a name."""
        return (function for function in module.functions if not function.is_lambda)


def _holds(span: Span, line: int, column: int) -> bool:
    return (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column)
