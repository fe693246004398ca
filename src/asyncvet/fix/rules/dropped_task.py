"""Keep a task in a set of the module, which its done-callback takes it out of."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.blocks import below, declared
from asyncvet.fix.code import Code, Draft, Need, everything
from asyncvet.fix.text import Change
from asyncvet.graph import walk
from asyncvet.graph.scopes import Function, last_name, shown
from asyncvet.graph.sites import Mode
from asyncvet.model import Finding

_SETS = ("_background_tasks", "_kept_tasks")
_NAMES = ("task", "background_task", "kept_task")
_LINES = ("{keeper}.add({name})", "{name}.add_done_callback({keeper}.discard)")


def fix(finding: Finding, code: Code) -> Draft | str:
    """Give the task a name and put it into the module's set of tasks: the one that is there, or a new one."""
    call = code.at(finding, tree.Call)
    statement = code.statement(call) if call is not None else None
    scope = code.scope(statement.start) if statement is not None else None
    if call is None or statement is None or not isinstance(scope, Function) or scope.is_lambda:
        return "no statement of a function makes the task; make it in one that keeps it"
    if not code.is_alone(statement):
        return f"`{shown(call)}` shares its line; give it a line of its own"
    if maker := _gives_none(code, call, scope):
        return f"`{maker}` may give no task; keep the task there, where it is made"
    named = _named(code, statement, call, scope)
    keeper = _keeper(code)
    if named is None or keeper is None:
        return f"`{shown(call)}` stands within another expression; give the task a name and keep it in a set"
    name, naming = named
    keeper_name, declaration, needs = keeper
    lines = (line.format(keeper=keeper_name, name=name) for line in _LINES)
    changes = (*declaration, *naming, below(code, statement, *lines))
    return Draft("unsafe", f"keep the task in `{keeper_name}` until it is done", changes, needs)


def _gives_none(code: Code, call: tree.Call, scope: Function) -> str:
    """The function of the project that makes the task, if it does not end by giving it; empty if there is none."""
    targets = [target for site in code.project.sites(scope) if site.node is call for target in site.targets]
    own = (target.function for target in targets if target.mode is Mode.INLINE and not target.function.module.is_external)
    return next((function.name for function in own if not isinstance(walk.body(function)[-1], tree.Return)), "")


def _named(code: Code, statement: tree.Stmt, call: tree.Call, scope: Function) -> tuple[str, tuple[Change, ...]] | None:
    """The name of the task in the function, and what gives it to it."""
    if isinstance(statement, tree.Assign) and statement.value is call and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, tree.Name) and target.id != "_" and target.id not in scope.globals | scope.nonlocals:
            return target.id, ()
        return _name_for(code, scope, target, "") if isinstance(target, tree.Name) else None
    if isinstance(statement, tree.ExprStmt) and statement.value is call:
        return _name_for(code, scope, tree.Node(call.start, call.start), " = ")
    return None


def _name_for(code: Code, scope: Function, target: tree.Node, suffix: str) -> tuple[str, tuple[Change, ...]] | None:
    name = code.free_name(_NAMES, scope)
    return (name, (Change(target.start, target.end, f"{name}{suffix}"),)) if name is not None else None


def _keeper(code: Code) -> tuple[str, tuple[Change, ...], tuple[Need, ...]] | None:
    """The module's set of tasks, what declares it, and the imports that this needs."""
    for name in code.module.bindings:
        if _is_for_tasks(code, name):
            return name, (), ()
    new, place = code.free_name(_SETS, code.module), declared(code, "")
    task = code.refer("asyncio", "Task", tree.Node(place.start, place.start)) if place is not None else None
    if new is None or task is None:
        return None
    written, needs = task
    declaration = declared(code, f"{new}: set[{written}[object]] = set()")
    return (new, (declaration,), needs) if declaration is not None else None


def _is_for_tasks(code: Code, name: str) -> bool:
    """Whether a name of the module is bound once, to an empty set whose annotation says that it holds tasks."""
    binding = code.module.bindings[name][0] if len(code.module.bindings[name]) == 1 else None
    value = binding.value if binding is not None else None
    if not isinstance(value, tree.Call) or last_name(value.func) != "set" or value.args:
        return False
    statement = code.statement(value)
    kind = statement.annotation if isinstance(statement, tree.Assign) else None
    return kind is not None and any(last_name(node) in ("Task", "Future") for node in everything([kind]))
