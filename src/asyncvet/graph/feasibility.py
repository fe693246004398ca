"""Feasibility: whether a chain of calls can be followed, given what its calls tell of arguments and of `self`.

`upload(file, process=False)` does not run what stands under `if process:`, nor what follows `if not process: return`; a method that
calls its hook `self.build()` runs the hook of the object's own class, not that of a sibling class; one that is called under
`if self.content:` finds the content.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncvet.catalogue import Api
from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import hides_arguments, passed
from asyncvet.graph.conditions import is_memory
from asyncvet.graph.known import NOTHING_KNOWN, OTHER, TYPES, Known, truth, type_of, value, values_of
from asyncvet.graph.scopes import Block, Body, Class, Function, dotted
from asyncvet.graph.values import Bound, Instance, Object, Super, Symbol, Text, Value, Values, union

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference
    from asyncvet.graph.sites import CallSite, Target


_ALTERNATIVES = 4
"""What may be more things than this is not followed: each of them makes another way."""
_MADE = frozenset({"io.BytesIO", "io.StringIO", "tempfile.SpooledTemporaryFile"})
"""Classes that an argument is often of where a path would do as well."""


class Feasibility:
    """Follows what is known along calls. One object a project."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self._tests: dict[int, tuple[tuple[str, bool], ...]] = {}
        self._changed: dict[Body, frozenset[str]] = {}
        self._receivers: dict[Function, frozenset[str]] = {}

    def enter(self, site: CallSite, target: Target, known: Known) -> Known | None:
        """What is known in the function that a site runs; None if the site cannot run it."""
        if target.via:
            return NOTHING_KNOWN
        if not self.is_of_known(site, target.function, known):
            return None
        cls, is_exact, is_own = self._receiver(site, known)
        function = target.function
        if is_own and cls is not None and not self._is_of(function, cls, is_exact):
            return None
        if cls is not None and self._is_super(site) and not self._comes_next(function, site.scope, cls, is_exact):
            return None
        if function.owner is None or (cls is not None and function.owner not in self._inference.members.mro(cls)):
            cls = None
        truths = tuple(self._truths(site, function, known)) if is_own else ()
        node = _entered(site.node)
        if not isinstance(node, tree.Call):
            return Known(truths=truths, cls=cls, is_exact=is_exact)
        keywords = self._keywords(node, function, known)
        if hides_arguments(node):
            return Known(truths=truths, keywords=keywords, cls=cls, is_exact=is_exact)
        skips_self = any(isinstance(value, Bound | Class) for value in self._inference.callee(node, site.scope))
        given = list(_given(node, function, skips_self))
        constants = ((name, value(expr, known), until) for name, expr, until in given)
        types = ((name, self._type(expr, site.scope, known), until) for name, expr, until in given)
        used = self._used(function)
        handed = [(name, self._values(expr, site.scope, known), until) for name, expr, until in given if name in used]
        return Known(
            tuple((name, found[0], until) for name, found, until in constants if found is not None),
            tuple((name, kind, until) for name, kind, until in types if kind),
            truths,
            keywords,
            tuple((name, found, until) for name, found, until in handed if 0 < len(found) <= _ALTERNATIVES),
            cls,
            is_exact,
        )

    def is_of_known(self, site: CallSite, called: Function | str, known: Known) -> bool:
        """Whether a site can run a function, or a library's by its name, given what is known of the object it is called on."""
        name, attr = _called_on(site.node)
        values = values_of(name, known) if name is not None and known.values else ()
        if not values:
            return True
        members = union(self._inference.attribute(value, attr) for value in values) if attr else values
        return any(self._may_run(member, called) for member in members)

    def is_in_memory(self, site: CallSite, api: Api, known: Known) -> bool:
        """Whether a call that would use the file system is given a file that is in memory, on this way."""
        if api.category not in ("file", "archive") or not known.values or not isinstance(site.node, tree.Call):
            return False
        names = [argument for argument in site.node.args if isinstance(argument, tree.Name)]
        given = [values_of(name, known) for name in names]
        return any(values and all(map(is_memory, values)) for values in given)

    def _may_run(self, value: Value, called: Function | str) -> bool:
        """Whether calling, entering or iterating over a value may run what was called. What is not looked into may."""
        if isinstance(value, Bound):
            is_exact = isinstance(value.receiver, Instance) and value.receiver.is_exact
            return self._may_run(value.function, called) or (not is_exact and self._is_override(value.function, called))
        if isinstance(value, Function):
            return value is called
        if isinstance(value, Symbol):
            return called == self._inference.catalogue.canonical(value.path) if isinstance(called, str) else False
        if isinstance(value, Object):
            return isinstance(called, str) and self._is_member(value.path, called)
        if isinstance(value, Instance):
            return isinstance(called, Function) and called.owner in self._inference.members.mro(value.cls)
        return True

    def _is_override(self, function: Value, called: Function | str) -> bool:
        return isinstance(function, Function) and called in self._inference.members.overrides(function)

    def _is_member(self, path: str, called: str) -> bool:
        """Whether a special method belongs to a library's class, by its own name or that of a base."""
        return called == self._inference.catalogue.member(path, called.rpartition(".")[2])

    def _used(self, function: Function) -> frozenset[str]:
        """The parameters of a function through which it calls, enters or iterates."""
        found = self._receivers.get(function)
        if found is None:
            names = (name.id for site in function.sites for name, _ in [_called_on(site.node)] if name is not None)
            passed_on = (
                argument.id
                for site in function.sites
                if isinstance(site.node, tree.Call)
                for argument in site.node.args
                if isinstance(argument, tree.Name)
            )
            found = self._receivers[function] = frozenset({*names, *passed_on} & function.params.keys())
        return found

    def _values(self, expr: tree.Node, scope: Body, known: Known) -> Values:
        """What an argument can be: what is known on this way before what is known of all ways."""
        own = values_of(expr, known) if isinstance(expr, tree.Name) else ()
        found = own or self._inference.values(expr, scope)
        return found if all(map(_is_known, found)) else ()

    def _type(self, expr: tree.Node, scope: Body, known: Known) -> str:
        """Which of `TYPES` an argument is of, by its literal, its value, or the annotation of the caller's parameter; else empty."""
        if isinstance(expr, tree.Const):
            return expr.kind if expr.kind in TYPES else ""
        if isinstance(expr, tree.Name) and isinstance(scope, Function) and expr.id in scope.params:
            annotation = scope.params[expr.id].annotation
            if isinstance(annotation, tree.Name) and annotation.id in TYPES and expr.start < _unchanged(expr.id, scope):
                return annotation.id
            return type_of(expr, known)
        found = self._inference.values(expr, scope)
        return (
            OTHER if found and all(isinstance(value, Object) and value.path in _MADE and value.made_by for value in found) else ""
        )

    def _receiver(self, site: CallSite, known: Known) -> tuple[Class | None, bool, bool]:
        """The class of the object whose method a site runs, whether it is exactly that, and whether it is the caller's own `self`."""
        node = site.node.func if isinstance(site.node, tree.Call) else site.node
        scope = site.scope
        if isinstance(scope, Function) and isinstance(node, tree.Attribute) and scope.owner is not None:
            if isinstance(node.value, tree.Name) and node.value.id == scope.self_name:
                return known.cls, known.is_exact, True
            if self._is_super(site):
                return known.cls, known.is_exact, False
        found = {(value.cls, value.is_exact) for value in self._objects(site.node, scope)}
        return (*found.pop(), False) if len(found) == 1 else (None, False, False)

    def _is_super(self, site: CallSite) -> bool:
        func = site.node.func if isinstance(site.node, tree.Call) else site.node
        return isinstance(func, tree.Attribute) and any(
            isinstance(value, Super) for value in self._inference.values(func.value, site.scope)
        )

    def _comes_next(self, function: Function, scope: Body, cls: Class, is_exact: bool) -> bool:
        """Whether `super()` in a method means that of `function`, on an object of this class."""
        members, owner = self._inference.members, scope.owner if isinstance(scope, Function) else None
        for possible in [cls] if is_exact else [cls, *members.subclasses(cls)]:
            after = members.after(owner, possible) if owner is not None else ()
            found = next((base for base in after if isinstance(base, Class) and base.methods.get(function.name)), None)
            if found is function.owner:
                return True
        return owner is None or function.owner is None

    def _objects(self, node: tree.Node, scope: Body) -> Iterator[Instance]:
        if isinstance(node, tree.Call):
            for value in self._inference.callee(node, scope):
                if isinstance(value, Class):
                    yield Instance(value, is_exact=True)
                elif isinstance(value, Bound) and isinstance(value.receiver, Instance):
                    yield value.receiver
        elif isinstance(node, tree.Attribute):
            yield from (value for value in self._inference.values(node.value, scope) if isinstance(value, Instance))

    def _is_of(self, function: Function, cls: Class, is_exact: bool) -> bool:
        """Whether a method found by name is the one that an object of this class has."""
        members = self._inference.members
        if function.owner is None:
            return True
        classes = [cls] if is_exact else [cls, *members.subclasses(cls)]
        return any(members.method(possible, function.name) in (function, None) for possible in classes)

    def _truths(self, site: CallSite, function: Function, known: Known) -> Iterator[tuple[str, bool]]:
        """What is known of the attributes of `self` where a method calls another one of the same object, in the words of that one."""
        tests = self._tests.get(id(site.node))
        if tests is None:
            tests = self._tests[id(site.node)] = tuple(_tests(site))
        found = dict((*known.truths, *tests))
        changed = self._changes(site.scope) if found else frozenset()
        for name in sorted(found.keys() - changed):
            yield f"{function.self_name}.{name.partition('.')[2]}", found[name]

    def _keywords(self, node: tree.Call, function: Function, known: Known) -> tuple[str, frozenset[str]] | None:
        """The name of a function's ``**`` parameter with what a call can put into it, if that is known."""
        name = next((param.name for param in function.params.values() if param.kind == "double"), None)
        if name is None or len(function.bindings.get(name, ())) > 1 or name in self._changes(function):
            return None
        names: set[str] = set()
        for keyword in node.keywords:
            if keyword.name is not None:
                names.add(keyword.name)
            elif known.keywords is not None and isinstance(keyword.value, tree.Name) and keyword.value.id == known.keywords[0]:
                names |= known.keywords[1]
            else:
                return None
        return name, frozenset(names)

    def _changes(self, scope: Body) -> frozenset[str]:
        """The dotted names that a function assigns to, and those of dictionaries that it puts something into."""
        found = self._changed.get(scope)
        if found is None:
            found = self._changed[scope] = frozenset(name for node in walk.inside(scope) for name in _changed(node))
        return found


def can_run(site: CallSite, known: Known) -> bool:
    """Whether a site is in no arm, and behind no early exit, that is ruled out by what is known in its function."""
    if not known.decides:
        return True
    if any(_arm_truth(around, known) is False for around in site.site.block.ancestors()):
        return False
    return not any(_arm_truth(exit_, known) is True for exit_ in _exits(site))


def _exits(site: CallSite) -> Iterator[Block]:
    """The arms before a site that leave: where one of them runs, the site does not."""
    block = site.site.block
    for exit_ in site.scope.blocks:
        if exit_.leaves and exit_.end <= site.node.start and exit_.parent is not None and exit_.parent.holds(block):
            yield exit_


def _arm_truth(block: Block, known: Known) -> bool | None:
    """Whether the arm of an `if` runs, None if that is unknown."""
    if not isinstance(block.statement, tree.If) or block.arm not in ("then", "else"):
        return None
    holds = truth(block.statement.test, known)
    return holds if holds is None or block.arm == "then" else not holds


def _tests(site: CallSite) -> Iterator[tuple[str, bool]]:
    """The attributes of `self` that tests around and before a site have found true, or false."""
    own = site.scope.self_name if isinstance(site.scope, Function) else None
    arms = [(block, True) for block in site.site.block.ancestors()] + [(block, False) for block in _exits(site)]
    for block, runs in arms if own else ():
        if isinstance(block.statement, tree.If) and block.arm in ("then", "else"):
            yield from _told(block.statement.test, (block.arm == "then") is runs, f"{own}.")


def _told(test: tree.Node, holds: bool, prefix: str) -> Iterator[tuple[str, bool]]:
    """The attributes of which a test tells whether they are true, given that it holds or not."""
    if isinstance(test, tree.Attribute) and isinstance(test.value, tree.Name) and dotted(test).startswith(prefix):
        yield dotted(test), holds
    elif isinstance(test, tree.Operation) and test.op in ("not", "and" if holds else "or"):
        for operand in test.operands:
            yield from _told(operand, holds is not (test.op == "not"), prefix)


def _changed(node: tree.Node) -> Iterator[str]:
    """The dotted names that a node assigns to, and that of a dictionary that it puts something into."""
    if isinstance(node, tree.Assign):
        for target in node.targets:
            yield from map(_target, target.items if isinstance(target, tree.Sequence) else [target])
    elif isinstance(node, tree.AugAssign):
        yield _target(node.target)
    elif isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute) and node.func.attr in ("setdefault", "update"):
        yield dotted(node.func.value)


def _target(target: tree.Node) -> str:
    return dotted(target.value if isinstance(target, tree.Subscript) else target)


def _given(node: tree.Call, function: Function, skips_self: bool) -> Iterator[tuple[str, tree.Node, int]]:
    """What the parameters of a function hold, an argument of the call or a default that is a literal, and until which offset."""
    for name, param in function.params.items():
        if name == function.self_name or param.kind in ("star", "double"):
            continue
        expr = passed(function, param, node, skips_self) or param.default
        until = _unchanged(name, function)
        if until and expr is not None and (expr is not param.default or isinstance(expr, tree.Const)):
            yield name, expr, until


def _unchanged(name: str, function: Function) -> int:
    """The offset up to which a parameter surely holds what was passed; 0 if a loop may bring what is bound further down."""
    others = [binding for binding in function.bindings.get(name, ()) if binding.kind != "param"]
    if any(True for binding in others for _ in binding.block.loops()):
        return 0
    return min((binding.from_ for binding in others), default=function.node.end)


def _is_known(value: Value) -> bool:
    """Whether enough is known of a value to say what it has not: more than where it comes from."""
    return isinstance(value, Instance | Object | Function | Class | Text) or (
        isinstance(value, Bound) and isinstance(value.function, Function)
    )


def _entered(node: tree.Node) -> tree.Node:
    """The call that a site runs: of `with connect(...)` and `for page in pages(...)` the call there."""
    if isinstance(node, tree.With) and len(node.items) == 1:
        return node.items[0].value
    return node.iter if isinstance(node, tree.For) else node


def _called_on(node: tree.Node) -> tuple[tree.Name | None, str]:
    """The name through which a site calls something, and the attribute of it, if there is one."""
    if isinstance(node, tree.Call):
        func = node.func
        if isinstance(func, tree.Attribute):
            return (func.value, func.attr) if isinstance(func.value, tree.Name) else (None, "")
        return (func if isinstance(func, tree.Name) else None), ""
    parts: list[tree.Expression] = []
    if isinstance(node, tree.For):
        parts = [node.iter]
    elif isinstance(node, tree.With):
        parts = [item.value for item in node.items]
    elif isinstance(node, tree.Comprehension):
        parts = [part.iter for part in node.generators]
    return (parts[0] if len(parts) == 1 and isinstance(parts[0], tree.Name) else None), ""
