"""How long instances live: whether two calls that run at once can meet on one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Body, Class, Function, Module, last_name
from asyncvet.graph.shared_state import SELF, Place, method_around

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_ONE_USER = re.compile(
    r"(Stream|Reader|Writer|Iterator|Generator|Request|Response|Event|Message|Exception|Error|Transaction|UnitOfWork|Cursor"
    r"|Upload|Download|Params|Payload|Result|Builder|Visitor|Parser|TestCase|Slot|Lease|Handle|Guard|Lock|Ticket|Permit"
    r"|Wrapper|Ingestion|Loader|Context|Processing|Job|Run|Step|Session)$|^(Test|Mock|Fake|Stub)"
)
_STARTS = frozenset({"lifespan", "startup"})
_ONE_USER_BASES = re.compile(r"(RequestHandler|BaseModel|TestCase|Exception|Stream|Enum|HTTPEndpoint)$")


class Lifetimes:
    """Answers how long instances of the project's classes live."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def outlives_call(self, place: Place, function: Function) -> bool:
        """Whether two calls of `function` that run at once can meet at a place."""
        if place.home != SELF:
            return True
        method = method_around(function)
        return method is not None and method.owner is not None and self.is_long(method.owner)

    def is_long(self, cls: Class) -> bool:
        """Whether instances live beyond the call that makes them and have several users, as clients, stores and services do.

        What the project makes only in passing, and what by its kind serves one request or one reader, does not. A class that the
        project never makes is made by its users, who keep it.
        """
        family = [cls, *self._project.inference.members.subclasses(cls)]
        if _ONE_USER.search(cls.name) or any(_ONE_USER_BASES.search(name) for name in self._base_names(cls)):
            return False
        makers = [maker for member in family for maker in self._makers.get(member, ())]
        return not makers or any(_is_kept(*maker) for maker in makers)

    def is_single(self, cls: Class) -> bool:
        """Whether the project makes one instance of a class, as the service is imported or starts."""
        makers = self._makers.get(cls, [])
        if len(makers) != 1 or self._project.inference.members.subclasses(cls):
            return False
        scope, call, statement = makers[0]
        entries = self._project.contexts.entry_points.get(scope, ()) if isinstance(scope, Function) else ()
        starts = bool(entries) and all(entry.role in _STARTS for entry in entries)
        is_whole = isinstance(statement, tree.Assign) and statement.value is call
        return is_whole and (isinstance(scope, Module) or starts)

    def _base_names(self, cls: Class) -> Iterator[str]:
        for base in self._project.inference.members.mro(cls)[1:]:
            yield base.name if isinstance(base, Class) else base.path
        yield from map(last_name, cls.node.bases)

    @cached_property
    def _makers(self) -> dict[Class, list[tuple[Body, tree.Call, tree.Stmt | None]]]:
        """The calls that make an instance of each class, with the bodies and statements in which they stand."""
        makers: dict[Class, list[tuple[Body, tree.Call, tree.Stmt | None]]] = {}
        bodies: tuple[Body, ...] = (*self._project.modules.values(), *self._project.functions)
        for scope in bodies:
            for site in scope.sites:
                if isinstance(site.node, tree.Call):
                    for value in self._project.inference.callee(site.node, scope):
                        if isinstance(value, Class):
                            makers.setdefault(value, []).append((scope, site.node, site.statement))
        return makers


def _is_kept(scope: Body, call: tree.Call, statement: tree.Stmt | None) -> bool:
    """Whether what a call makes outlives the function: as a global, an attribute, an entry, or its result."""
    if statement is None or any(_calls_on(node, call) for node in walk.nodes(statement)):
        return False
    if isinstance(scope, Module) or isinstance(statement, tree.Return):
        return True
    if not isinstance(statement, tree.Assign):
        return False
    if any(not isinstance(target, tree.Name) or target.id in scope.globals for target in statement.targets):
        return True
    names = {target.id for target in statement.targets if isinstance(target, tree.Name)}
    return any(_hands_on(node, names) for node in walk.found(scope, tree.Return, tree.Yield, tree.Assign))


def _calls_on(node: tree.Node, call: tree.Call) -> bool:
    """Whether a node calls a method of what a call gives, as in `Loader(path).load()`."""
    return isinstance(node, tree.Call) and node is not call and any(inner is call for inner in walk.nodes(node.func))


def _hands_on(node: tree.Node, names: set[str]) -> bool:
    """Whether a node gives a local away: returns or yields it, or assigns it to an attribute or an entry."""
    if isinstance(node, tree.Return | tree.Yield):
        return isinstance(node.value, tree.Name) and node.value.id in names
    if isinstance(node, tree.Assign) and isinstance(node.value, tree.Name) and node.value.id in names:
        return any(not isinstance(target, tree.Name) for target in node.targets)
    return False
