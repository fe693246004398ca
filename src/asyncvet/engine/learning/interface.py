"""The interface of a distribution: its public functions and classes, and the paths from which users import them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from asyncvet.catalogue import Catalogue
from asyncvet.facts import tree
from asyncvet.graph import Project
from asyncvet.graph.scopes import Class, Function, Module

Member = Function | Class


class Interface:
    """Names what a distribution offers. One object a project.

    Attributes:
        names: Its public functions and classes with the name that each goes by: one that the catalogue uses, or the shortest.
        others: The other paths of each.
    """

    def __init__(self, project: Project, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        paths: dict[Member, set[str]] = {}
        for path, member in _exports(project):
            paths.setdefault(member, set()).add(path)
        self.names: dict[Member, str] = {}
        self.others: dict[Member, tuple[str, ...]] = {}
        uses = Counter(path for each in paths.values() for path in each)
        for member in sorted(paths, key=lambda each: min(paths[each])):
            # A path under which there is now one thing and now another tells of neither.
            own = [path for path in paths[member] if uses[path] == 1]
            ranked = sorted(own, key=lambda path: (*self._rank(path), path != member.qualname, path))
            if not ranked:
                continue
            # What is stated may speak of several classes as of one.
            stated = catalogue.canonical(ranked[0])
            self.names[member] = stated if stated in own else ranked[0]
            self.others[member] = tuple(path for path in sorted(ranked) if path != self.names[member])

    def name(self, member: Member) -> str:
        """The dotted name of a function or class; where it is defined, if it is not public."""
        return self.names.get(member, member.qualname)

    def _rank(self, path: str) -> tuple[bool, int]:
        is_stated = bool(self._catalogue.api(path)) or self._catalogue.type(path) is not None
        return not is_stated, path.count(".")


def _exports(project: Project) -> Iterator[tuple[str, Member]]:
    """What packages and modules offer: what they define, and what a package, or a module with an ``__all__``, passes on."""
    for module in project.modules.values():
        if any(part.startswith("_") for part in module.qualname.split(".")):
            continue
        is_package = module.filename.endswith("__init__.py")
        listed = _listed(module)
        for name in (name for name in module.bindings if not name.startswith("_")):
            for value in project.inference.names.member(module, name):
                if isinstance(value, Function | Class) and value.module.path in project.modules:
                    if is_package or value.module is module or name in listed:
                        yield f"{module.qualname}.{name}", value


def _listed(module: Module) -> frozenset[str]:
    """The names in a module's ``__all__``."""
    values = [binding.value for binding in module.bindings.get("__all__", ())]
    items = [item for value in values if isinstance(value, tree.Sequence) for item in value.items]
    return frozenset(str(item.value) for item in items if isinstance(item, tree.Const))
