"""Cancel a task where what it works for ends: in the lifespan, where its object stops, where its stream is closed."""

from __future__ import annotations

import re

from asyncvet.facts import tree
from asyncvet.fix.blocks import above, below, wrapped
from asyncvet.fix.code import Code, Draft, Need
from asyncvet.graph import Project, walk
from asyncvet.graph.left_tasks import LeftTask, left_tasks
from asyncvet.graph.scopes import Class, Function, dotted
from asyncvet.model import Finding

_STOPPING = re.compile(r"_*(a?stop|a?close|shut_?down|disconnect|aexit)_*")


def fix(finding: Finding, code: Code) -> Draft | str:
    """Cancel it and wait for its end; in a stream only cancel it, as the reader may have gone."""
    call = code.at(finding, tree.Call)
    statement = code.statement(call) if call is not None else None
    function = code.function(finding)
    if call is None or function is None or not isinstance(statement, tree.Assign) or statement.value is not call:
        return "give the task a name, and cancel and await it where the service stops"
    task = dotted(statement.targets[0])
    if not task or not code.is_alone(statement):
        return "give the task a name of its own, and cancel and await it where the service stops"
    left = code.ask(_left).get((finding.span.path, call.start))
    if left is not None:
        return _of_stream(code, left, statement, task)
    if function.yields and function.is_async:
        return _of_lifespan(code, function, statement, task)
    return _of_object(code, function, task)


def _left(project: Project) -> dict[tuple[str, int], LeftTask]:
    return {(left.task.scope.path, left.task.node.start): left for left in left_tasks(project)}


def _of_stream(code: Code, left: LeftTask, statement: tree.Stmt, task: str) -> Draft | str:
    """Put what follows the task in its own function under `try`, and cancel the task in `finally`."""
    siblings = code.siblings(statement)
    rest = siblings[siblings.index(statement) + 1 :] if statement in siblings else []
    if left.generator is not left.task.scope or not rest:
        return f"put the loop of `{left.generator.name}` into `try: ... finally: {task}.cancel()`"
    changes = wrapped(code, rest, "try:", "finally:", f"\t{task}.cancel()")
    if changes is None:
        return f"`{task}` shares its line; put the loop that yields into `try: ... finally: {task}.cancel()`"
    return Draft("unsafe", f"cancel `{task}` when the stream is closed", changes)


def _of_lifespan(code: Code, function: Function, statement: tree.Stmt, task: str) -> Draft | str:
    """Cancel the task behind the `yield`, and first of all where a `finally` is behind it already."""
    statements = [s for s in (code.statement(node) for node in function.yields) if s is not None]
    ending = _ending(code, statement, task)
    if len(statements) != 1 or statements[0].start < statement.end or ending is None:
        return f"cancel and await `{task}` behind the `yield` of `{function.name}`"
    lines, needs = ending
    attempt = next((n for n in code.around(statements[0]) if isinstance(n, tree.Try) and n.final), None)
    if attempt is not None and statements[0] in attempt.body:
        change = above(code, attempt.final[0], *lines)
    else:
        change = below(code, statements[0], *lines) if code.is_alone(statements[0]) else None
    if change is None:
        return f"cancel and await `{task}` behind the `yield` of `{function.name}`"
    return Draft("unsafe", f"cancel `{task}` behind the `yield`", (change,), needs)


def _of_object(code: Code, function: Function, task: str) -> Draft | str:
    """Cancel the task in the method of its object that stops it, before all else."""
    owner, self_name = function.owner, function.self_name
    stops = _stops(owner) if owner is not None and task.startswith(f"{self_name}.") else []
    if owner is None or len(stops) != 1:
        where = f"`{owner.name}` is closed, in an `async def stop` of it" if owner is not None else "the service stops"
        return f"cancel and await `{task}` where {where}"
    stop = stops[0]
    first = walk.body(stop)[1 if isinstance(stop.node, tree.FunctionDef) and stop.node.docstring else 0 :][:1]
    ending = _ending(code, first[0], task) if first else None
    change = None
    if ending is not None and stop.self_name == self_name:
        lines = ending[0]
        if _may_be_none(owner, task.rpartition(".")[2]):
            lines = (f"if {task} is not None:", *(f"\t{line}" for line in lines))
        change = above(code, first[0], *lines)
    if change is None or ending is None:
        return f"cancel and await `{task}` in `{stop.name}`"
    return Draft("unsafe", f"cancel `{task}` in `{stop.name}`", (change,), ending[1])


def _stops(owner: Class) -> list[Function]:
    """The coroutine methods that stop an object, by their names."""
    methods = [method for found in owner.methods.values() for method in found]
    return [method for method in methods if method.is_async and not method.yields and _STOPPING.fullmatch(method.name)]


def _may_be_none(owner: Class, name: str) -> bool:
    values = [binding.value for _, binding in owner.attribute_bindings.get(name, [])]
    values += [binding.value for binding in owner.bindings.get(name, [])]
    return any(isinstance(value, tree.Const) and value.kind == "none" for value in values)


def _ending(code: Code, at: tree.Stmt, task: str) -> tuple[tuple[str, ...], tuple[Need, ...]] | None:
    """The lines that cancel a task and wait for its end, and the imports that they need."""
    suppress = code.refer("contextlib", "suppress", at, prefer_module=False)
    cancelled = code.refer("asyncio", "CancelledError", at)
    if suppress is None or cancelled is None:
        return None
    lines = (f"{task}.cancel()", f"with {suppress[0]}({cancelled[0]}):", f"\tawait {task}")
    return lines, (*suppress[1], *cancelled[1])
