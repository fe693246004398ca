"""Take one lock for each key, from a table that forgets those that nobody holds."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft, everything
from asyncvet.fix.text import Change
from asyncvet.graph import Project
from asyncvet.graph.keyed_work import Contention, contentions
from asyncvet.graph.scopes import Function, last_name, shown
from asyncvet.model import Finding

_TABLE, _LOCAL = "WeakValueDictionary", ("lock", "own_lock", "key_lock")
_UNHASHABLE = frozenset({"list", "dict", "set", "List", "Dict", "Set", "bytearray"})


def fix(finding: Finding, code: Code) -> Draft | str:
    """Make a table of the lock, and take the key's lock from it; only for a lock that this one section takes."""
    found = code.ask(_contentions).get((finding.span.path, code.start(finding.span)))
    if found is None:
        return "the section is not known"
    lock, key = found.taken.expr, found.param
    text, name = code.source(lock), last_name(lock)
    uses = [node for node in _uses(code, name, lock) if node is not lock]
    made = [node for node in code.nodes if isinstance(node, tree.Assign) and any(target in uses for target in node.targets)]
    if len(uses) != 1 or len(made) != 1 or len(made[0].targets) != 1:
        return f"`{text}` is taken elsewhere too; where both work on the same `{key}`, take the lock of that `{key}` in both"
    if not isinstance(made[0].value, tree.Call) or made[0].value.args or made[0].value.keywords:
        return f"`{text}` is not made by a plain call of `Lock`"
    statement = code.statement(lock)
    if not isinstance(statement, tree.With) or not code.text.is_first(statement.start) or not _is_hashable(found.function, key):
        return f"`{key}` may be no key of a table; take a lock by what names it"
    return _draft(code, found, made[0], made[0].value, statement)


def _contentions(project: Project) -> dict[tuple[str, int], Contention]:
    return {(found.function.path, found.taken.expr.start): found for found in contentions(project)}


def _uses(code: Code, name: str, lock: tree.Node) -> list[tree.Node]:
    """What reads or sets the lock, or may: by its name in the module, by its attribute in the class, or from elsewhere."""
    nodes = ((module is code.module, node) for module in code.project.modules.values() for node in everything(module.facts.body))
    return [node for is_here, node in nodes if _may_be(code, name, lock, node, is_here)]


def _may_be(code: Code, name: str, lock: tree.Node, node: tree.Node, is_here: bool) -> bool:
    if isinstance(node, tree.Name):
        return is_here and node.id == name
    if isinstance(node, tree.ImportFrom):
        return any(imported == name for imported, _ in node.names)
    if not isinstance(node, tree.Attribute) or node.attr != name:
        return False
    if last_name(node.value) in ("self", "cls"):
        return is_here and any(cls.has(lock) and cls.has(node) for cls in code.module.classes)
    return is_here or not name.startswith("_")


def _is_hashable(function: Function, key: str) -> bool:
    """Whether a parameter, set by the caller alone, can be a key as far as its annotation says."""
    annotation = function.params[key].annotation
    words = {last_name(node) for node in everything([annotation])} if annotation is not None else set()
    return len(function.bindings.get(key, ())) == 1 and words.isdisjoint(_UNHASHABLE)


def _draft(code: Code, found: Contention, made: tree.Assign, maker: tree.Call, statement: tree.With) -> Draft | str:
    lock, key = found.taken.expr, found.param
    local = code.free_name(_LOCAL, found.function)
    table = code.refer("weakref", _TABLE, made, prefer_module=False)
    if local is None or table is None:
        return f"the name `{_TABLE}` is taken"
    target, (head, needs) = made.targets[0], table
    plural = _plural(code, target, lock)
    indentation = code.text.indentation(statement.start)
    taking = f"{local} = {_renamed(code, lock, plural)}.setdefault({key}, {code.source(maker)})"
    changes = (
        Change(
            target.start,
            made.end,
            f"{_renamed(code, target, plural)}: {head}[{_kind(found)}, {code.source(maker.func)}] = {head}()",
        ),
        Change(statement.start, statement.start, f"{taking}\n{indentation}"),
        Change(lock.start, lock.end, local),
    )
    return Draft("unsafe", f"take one lock for each `{key}`", changes, needs)


def _plural(code: Code, target: tree.Expression, lock: tree.Node) -> str:
    """The name of the table: that of the lock in the plural, if nothing in the project has it."""
    name = last_name(target)
    return f"{name}s" if not _uses(code, f"{name}s", lock) else name


def _renamed(code: Code, expr: tree.Node, name: str) -> str:
    return f"{code.source(expr.value)}.{name}" if isinstance(expr, tree.Attribute) else name


def _kind(found: Contention) -> str:
    """The type of the keys, as the parameter's annotation says it where that means the same at the table."""
    annotation = found.function.params[found.param].annotation
    is_plain = isinstance(annotation, tree.Name) and annotation.id in ("str", "int", "bytes")
    return shown(annotation) if is_plain and annotation is not None else "object"
