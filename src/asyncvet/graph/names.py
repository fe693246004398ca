"""What names mean: scopes, imports, star imports, re-exports, and which of several assignments reaches a use."""

from __future__ import annotations

import builtins
from bisect import bisect_left
from typing import TYPE_CHECKING

from asyncvet.graph.modules import submodule
from asyncvet.graph.scopes import Binding, Block, Class, Function, Module, Scope
from asyncvet.graph.values import NOTHING, Namespace, Symbol, Value, Values, union

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference

_END = (1 << 62) - 1
_MOST = 100
"""So many assignments may reach one use. There are more in generated code only, and looking at all of them takes quadratic time."""
_BUILTINS = frozenset(dir(builtins))


class Names:
    """Looks names up. One object a project, owned by `Inference`."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference

    def lookup(self, name: str, scope: Scope, offset: int) -> Values:
        """The values a name can have where it stands in `scope` at `offset`."""
        start = scope
        bindings = start.bindings.get(name)
        if bindings is not None and len(bindings) == 1 and not isinstance(start, Class):
            return self._inference.binding(bindings[0])
        for around in scope.enclosing():
            if isinstance(around, Class) and around is not start:
                continue
            bindings = around.bindings.get(name)
            if not bindings:
                if isinstance(around, Module):
                    return self._from_stars(around, name) or self._builtin(name)
                if isinstance(around, Function) and around.is_lambda:
                    offset = around.node.start
                continue
            if isinstance(around, Class):
                # A class body that uses a name before it binds it, as in `sha: str = Field(default_factory=sha)`, means the outer one.
                bindings = [binding for binding in bindings if binding.from_ <= offset]
                if not bindings:
                    continue
            if around is start or start is not scope:
                bindings = reaching(bindings, around, offset)
            elif isinstance(start, Function) and start.is_lambda:
                bindings = reaching(bindings, around, start.node.start)
            else:
                bindings = final(bindings, around)
            return self._given(bindings)
        return NOTHING

    def _given(self, bindings: list[Binding]) -> Values:
        if len(bindings) == 1:
            return self._inference.binding(bindings[0])
        return union(self._inference.binding(binding) for binding in bindings)

    def bindings_at(self, name: str, scope: Scope, offset: int) -> list[Binding]:
        """The assignments that can give a name its value at a place, innermost scope that binds it."""
        for around in scope.enclosing():
            if isinstance(around, Class) and around is not scope:
                continue
            if bindings := around.bindings.get(name):
                return reaching(bindings, around, offset) if around is scope else list(bindings)
        return []

    def member(self, module: Module, name: str) -> Values:
        """The values of an attribute of a module: a global, a sub-module, or a name that came by a star import."""
        bindings = module.bindings.get(name)
        if bindings:
            found = self._given(final(bindings, module))
            if found:
                return found
        if module.filename.endswith("__init__.py"):
            file = self._inference.index.find(*submodule(module.filename, name))
            if file is not None:
                return self.file(file)
        return self._from_stars(module, name)

    def in_namespace(self, namespace: Namespace, name: str) -> Values:
        """The module or folder below a namespace package."""
        file = self._inference.index.find(namespace.folder, (name,))
        return self.file(file) if file is not None else NOTHING

    def file(self, path: str) -> Values:
        """The module of a file, or the namespace package of a folder."""
        module = self._inference.module(path)
        if module is not None:
            return (module,)
        return NOTHING if path.endswith(".py") else (Namespace(path),)

    def imported(self, binding: Binding) -> Values:
        """The values that an import gives its name."""
        assert binding.imported is not None
        level, dotted, name = binding.imported
        importer = binding.scope.module
        target = self._inference.index.resolve(importer.filename, level, dotted)
        if target is None and not level and not self._inference.catalogue.is_known_root(dotted.partition(".")[0]):
            target = self._inference.index.installed(dotted)
        if target is None:
            return self._outside(level, dotted, name)
        found = self.file(target)
        if name is None:
            return found
        if len(found) == 1:
            return self.attribute_of_module(found[0], name, importer)
        return union(self.attribute_of_module(value, name, importer) for value in found)

    def attribute_of_module(self, value: Value, name: str, importer: Module) -> Values:
        """`from value import name`."""
        if isinstance(value, Module):
            if value is importer and name in value.bindings:
                # `from . import x` in a package's own __init__: the sub-module, not the name being bound.
                file = self._inference.index.find(*submodule(value.filename, name))
                return self.file(file) if file is not None else NOTHING
            return self.member(value, name)
        return self.in_namespace(value, name) if isinstance(value, Namespace) else NOTHING

    def _outside(self, level: int, dotted: str, name: str | None) -> Values:
        if level:
            return NOTHING
        return (Symbol(self._inference.catalogue.canonical(f"{dotted}.{name}" if name else dotted)),)

    def _from_stars(self, module: Module, name: str) -> Values:
        if name.startswith("_"):
            return NOTHING
        return union(self._inference.star(binding, name) for binding in module.stars)

    def _builtin(self, name: str) -> Values:
        return (Symbol(f"builtins.{name}"),) if name in _BUILTINS else NOTHING


def reaching(bindings: list[Binding], scope: Scope, offset: int) -> list[Binding]:
    """The bindings of one name in `scope` whose value can be there at `offset`, latest first.

    Follows the structure of the code: a binding in a block around the use hides earlier ones; one in another arm of the same `if`,
    or in a block that ends by leaving, does not count; one further down counts if a loop leads back from it.
    """
    if len(bindings) == 1:
        return bindings
    use = scope.block_at(offset)
    found: list[Binding] = []
    name = bindings[0].name
    is_whole = scope.bindings.get(name) is bindings
    ordered = scope.latest_first(name) if is_whole else sorted(bindings, key=lambda binding: -binding.from_)
    first = bisect_left(ordered, -offset, key=lambda binding: -binding.from_)
    outermost = list(use.loops())[-1:]
    later = [
        (binding, loop) for loop in outermost for binding in ordered[:first] if _gives(binding) and loop.holds(binding.block)
    ]
    for binding in map(ordered.__getitem__, range(first, len(ordered))):
        if not _gives(binding):
            continue
        if binding.block.excludes(use) or (not binding.block.holds(use) and _leaves(binding, use)):
            continue
        found.append(binding)
        if binding.block.holds(use) or len(found) == _MOST:
            return found + [late for late, loop in later if not loop.holds(binding.block)]
    return found + [late for late, _ in later] or bindings


def _gives(binding: Binding) -> bool:
    """Whether a binding gives its name a value of its own."""
    return binding.kind not in ("augmented", "annotation")


def final(bindings: list[Binding], scope: Scope) -> list[Binding]:
    """The bindings of a name in `scope` that hold once its body has run, and those that other functions make later."""
    if len(bindings) == 1:
        return bindings
    root = scope.blocks[0]
    own = [binding for binding in bindings if root.holds(binding.block)]
    others = [binding for binding in bindings if not root.holds(binding.block)]
    return (reaching(own, scope, _END) if own else []) + others


def _leaves(binding: Binding, use: Block) -> bool:
    return any(block.leaves for block in binding.block.ancestors() if not block.holds(use))
