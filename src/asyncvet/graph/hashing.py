"""Hashing: where the event loop computes a checksum over the whole of an upload, a request's body or a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at, passed
from asyncvet.graph.scopes import Function
from asyncvet.graph.sites import CallSite, Mode

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_BODY = re.compile(r"\.(Base)?Request\.(body|read|get_data)$")
_READING = frozenset({"read", "read_bytes"})
_INLINE = (Mode.INLINE, Mode.COROUTINE)
_DEPTH = 3
Way = tuple[CallSite, ...]


@dataclass(frozen=True, slots=True)
class Hashed:
    """A way from a call in `function`, which the loop runs, to the call that hashes all that was read by `source`.

    The way ends in that call; what stands before it hands the data on.
    """

    function: Function
    way: Way
    source: tree.Call

    @property
    def is_body(self) -> bool:
        """It is a request's body, which is a short document as a rule."""
        return isinstance(self.source.func, tree.Attribute) and self.source.func.attr in ("body", "get_data")


def hashed_at_once(project: Project) -> Iterator[Hashed]:
    """The places in code that the loop runs where data of unknown size, read in one piece, is hashed in one piece."""
    hashing = _Hashing(project)
    for function in project.loop_functions:
        if project.contexts.is_command(function):
            continue
        for site in project.sites(function):
            for way, data in hashing.ways(site, _DEPTH):
                source = _whole(project, data, function)
                if source is not None and not project.reach.way_from(site, "blocks"):
                    yield Hashed(function, way, source)
                    break


class _Hashing:
    """Answers what of its arguments a call hashes."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[tuple[Function, int], list[tuple[Way, tree.Param]]] = {}

    def ways(self, site: CallSite, depth: int) -> Iterator[tuple[Way, tree.Expression]]:
        """The ways from a site to a call that hashes, with the argument of the site that is hashed there."""
        call = site.node
        if not isinstance(call, tree.Call):
            return
        if any(api.api.category == "hash" and api.api.effect == "pure" for api in site.apis):
            data = argument_at(call, ("data", "string", 1 if "hashlib.new" in site.names else 0))
            if data is not None:
                yield (site,), data
        for target in site.targets if depth else ():
            if target.mode in _INLINE and not target.via:
                for way, param in self._of_params(target.function, depth - 1):
                    given = passed(target.function, param, call, skips_self=isinstance(call.func, tree.Attribute))
                    if given is not None:
                        yield (site, *way), given

    def _of_params(self, function: Function, depth: int) -> list[tuple[Way, tree.Param]]:
        """The parameters that a function hashes as they were given."""
        key = (function, depth)
        if key not in self._known:
            self._known[key] = [
                (way, function.params[data.id])
                for site in self._project.sites(function)
                for way, data in self.ways(site, depth)
                if isinstance(data, tree.Name) and data.id in function.params and len(function.bindings[data.id]) == 1
            ]
        return self._known[key]


def _whole(project: Project, data: tree.Expression, function: Function) -> tree.Call | None:
    """The call that read all of an upload, a body or a file into what an expression is, where no other value is possible."""
    if isinstance(data, tree.Await):
        data = data.value
    if isinstance(data, tree.Name):
        bindings = project.inference.names.bindings_at(data.id, function, data.start)
        if len(bindings) != 1 or bindings[0].kind != "assign" or bindings[0].path or not isinstance(bindings[0].value, tree.Expr):
            return None
        data = bindings[0].value.value if isinstance(bindings[0].value, tree.Await) else bindings[0].value
    if not isinstance(data, tree.Call) or data.args or data.keywords:
        return None
    site = next((site for site in project.sites(function) if site.node is data), None)
    return data if site is not None and _reads_all(site) else None


def _reads_all(site: CallSite) -> bool:
    return any(
        _BODY.search(api.name) or (api.api.category == "file" and api.name.rpartition(".")[2] in _READING) for api in site.apis
    )
