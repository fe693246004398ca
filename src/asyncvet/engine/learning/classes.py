"""The classes of a distribution as the catalogue writes them: methods, bases, and the types that their parts have."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from asyncvet.catalogue import Catalogue
from asyncvet.engine.learning.interface import Interface
from asyncvet.engine.learning.outcomes import Outcome, Outcomes
from asyncvet.graph import Project
from asyncvet.graph.scopes import Class, Function
from asyncvet.graph.values import Container, GeneratorOf, Instance, Object, Symbol, Value, Values

_SPECIAL = frozenset({"__enter__", "__exit__", "__iter__", "__next__", "__call__", "__getitem__"})
_ERRORS = frozenset({"builtins.Exception", "builtins.BaseException", "builtins.Warning", "enum.Enum"})
_KINDS = {"list": "list", "iterator": "iterator", "dict": "dict", "tuple": "tuple", "set": "list"}
_NESTED = 3
"""Types are written so deep at the most: a generator may give itself."""


@dataclass(slots=True)
class Summary:
    """What a class of a distribution is: its methods by name, its bases, and the types of its parts in the catalogue's notation."""

    name: str
    bases: tuple[str, ...] = ()
    methods: dict[str, Outcome] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    enter: str = ""
    iterates: str = ""


class Classes:
    """Summaries of the public classes, and of those whose objects they give. One object a project."""

    def __init__(self, project: Project, catalogue: Catalogue, interface: Interface, outcomes: Outcomes) -> None:
        self._project = project
        self._members = project.inference.members
        self._catalogue = catalogue
        self._interface = interface
        self._outcomes = outcomes
        self._pending = [member for member in interface.names if isinstance(member, Class) and not self._is_exception(member)]
        self.summaries: dict[Class, Summary] = {}

    def summarise(self) -> dict[Class, Summary]:
        """All of them, each class once."""
        while self._pending:
            cls = self._pending.pop(0)
            if cls not in self.summaries:
                self.summaries[cls] = self._summary(cls)
        return self.summaries

    def returned(self, function: Function, receiver: Instance | None = None) -> str:
        """The type of what a function gives, after `await` if it is a coroutine function; empty if the source does not tell."""
        if function.is_async and function.is_generator:
            return ""
        values = self._project.inference.calling.result_of_function(function, receiver)
        if receiver is not None and values == (receiver,):
            return "self"
        return self._notation(self._project.inference.awaited(values) if function.is_async else values)

    def _summary(self, cls: Class) -> Summary:
        own = Instance(cls)
        found = Summary(self._interface.name(cls), self._bases(cls))
        for name, method in self._methods(cls).items():
            outcome = self._outcomes.of_function(method, cls)
            returns = "" if method.is_property or name.startswith("__") else self.returned(method, own)
            found.methods[name] = replace(outcome, returns=returns)
        for name in self._attribute_names(cls):
            notation = self._notation(self._project.inference.attribute(own, name))
            if notation:
                found.attributes[name] = notation
        if "__enter__" in found.methods:
            entered = self._members.entered(own, is_async=False)
            found.enter = "" if entered == (own,) else self._notation(entered)
        if "__iter__" in found.methods:
            found.iterates = self._notation(self._members.iterated(own, is_async=False))
        return found

    def _is_exception(self, cls: Class) -> bool:
        """Whether a class is one of errors and warnings, whose objects nobody calls."""
        return any(isinstance(base, Symbol) and base.path in _ERRORS for base in self._members.mro(cls))

    def _bases(self, cls: Class) -> tuple[str, ...]:
        """Direct bases of which the catalogue or this summary can tell something."""
        found: list[str] = []
        for base in cls.node.bases:
            for value in self._project.values(base, cls.parent or cls.module):
                if isinstance(value, Class) and value.module.path in self._project.modules:
                    self._pending.append(value)
                    found.append(self._interface.name(value))
                elif isinstance(value, Symbol) and self._catalogue.type(value.path) is not None:
                    found.append(value.path)
        return tuple(dict.fromkeys(found))

    def _methods(self, cls: Class) -> dict[str, Function]:
        """The methods that users call, those of bases included."""
        found: dict[str, Function] = {}
        for base in self._members.mro(cls):
            if isinstance(base, Class) and base.module.path in self._project.modules:
                for name, methods in base.methods.items():
                    if not name.startswith("_") or name in _SPECIAL:
                        found.setdefault(name, methods[-1])
        return found

    def _attribute_names(self, cls: Class) -> list[str]:
        properties = [name for name, methods in cls.methods.items() if methods[-1].is_property]
        plain = [name for name, found in cls.bindings.items() if name not in cls.methods and found[0].kind != "class"]
        return [name for name in (*cls.attribute_bindings, *plain, *properties) if not name.startswith("_")]

    def _notation(self, values: Values, depth: int = 0) -> str:
        """One type for all of some values; empty if they are of several, or of one of which nothing is known."""
        written = {self._single(value, depth + 1) for value in values} if depth < _NESTED else set()
        return written.pop() if len(written) == 1 else ""

    def _single(self, value: Value, depth: int) -> str:
        if isinstance(value, Instance) and value.cls.module.path in self._project.modules:
            self._pending.append(value.cls)
            return self._interface.name(value.cls)
        if isinstance(value, Object) and self._catalogue.type(value.path) is not None:
            return value.path
        if isinstance(value, Container) and value.kind in _KINDS:
            inner = self._notation(value.elements, depth)
            return f"{_KINDS[value.kind]}[{inner}]" if inner else ""
        if isinstance(value, GeneratorOf) and not value.function.is_async:
            inner = self._notation(self._project.inference.returned(value.function), depth)
            return f"iterator[{inner}]" if inner and not value.function.is_context_manager else ""
        return ""
