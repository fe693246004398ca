"""Make tasks in an `asyncio.TaskGroup` instead of a list that is gathered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from asyncvet.facts import tree
from asyncvet.fix.blocks import above
from asyncvet.fix.code import Code, Draft
from asyncvet.fix.text import Change
from asyncvet.graph import Project, walk
from asyncvet.graph.gathers import Gather, Gathers
from asyncvet.graph.raising import is_contained
from asyncvet.graph.scopes import Function, last_name
from asyncvet.model import Finding

_MAKING = frozenset({"create_task", "ensure_future"})
_TELLING = frozenset({"debug", "info", "warning", "error", "exception", "critical", "print", "str", "repr"})


def fix(finding: Finding, code: Code) -> Draft | str:
    """Open a group around the lines that make the tasks; leaving it waits for them, so that the gather is only left to give results.

    A group raises an `ExceptionGroup` where a gather raises the first error, so that the two mean the same only if no task can fail.
    """
    gathers = code.ask(_gathers)
    gather = next((g for g in gathers if g.function.path == finding.span.path and g.call.start == code.start(finding.span)), None)
    statement = code.statement(gather.call) if gather is not None else None
    if gather is None or statement is None or not gather.is_complete or not gather.site.awaited:
        return "not all of what is gathered is seen"
    block = code.siblings(statement)
    making = [node for node in walk.nodes(walk.body(gather.function)) if isinstance(node, tree.Call) and _makes(gather, node)]
    within = block[: block.index(statement)]
    first = next((i for i, s in enumerate(within) if any(s.start <= node.start < s.end for node in making)), None)
    group = code.free_name(("group", "task_group"), gather.function)
    task_group = code.refer("asyncio", "TaskGroup", gather.call)
    if first is None or group is None or task_group is None or len(making) != len(gather.members):
        return "the tasks are not made by `create_task` in front of the gather, in the same block"
    lines = within[first:]
    head = above(code, lines[0], f"async with {task_group[0]}() as {group}:")
    results = _results(code, gather, statement)
    if head is None or results is None or not code.text.is_last(lines[-1].end) or not code.is_alone(statement):
        return "the results are used in the statement that awaits them; give them a name first"
    changes = [head, *code.text.indented(lines[0].start, lines[-1].end), *results]
    for call in making:
        changes += _made(code, gather, call, group) if gather.drops_results else _renamed(call, group)
    if gather.drops_results:
        changes += _lists(code, gather, block)
    is_sure = all(_cannot_fail(code, gather, index) for index in range(len(gather.members)))
    safety: Literal["safe", "unsafe"] = "safe" if is_sure else "unsafe"
    return Draft(safety, f"make the tasks in `{task_group[0]}()`", tuple(changes), task_group[1], (lines[0].start, statement.end))


def _gathers(project: Project) -> list[Gather]:
    return list(Gathers(project))


def _makes(gather: Gather, call: tree.Call) -> bool:
    """Whether a call makes a task of a member."""
    return last_name(call.func) in _MAKING and len(call.args) == 1 and any(call.args[0] is m.expr for m in gather.members)


def _renamed(call: tree.Call, group: str) -> list[Change]:
    return [Change(call.func.start, call.func.end, f"{group}.create_task")]


def _made(code: Code, gather: Gather, call: tree.Call, group: str) -> list[Change]:
    """A task made in a group, kept nowhere where only the gather has asked for it."""
    holders = code.around(call)
    holder, outer = (*holders, None)[:2]
    if isinstance(holder, tree.Assign) and len(holder.targets) == 1 and _is_for_gather(gather, holder.targets[0]):
        return [Change(holder.start, call.func.end, f"{group}.create_task")]
    func = holder.func if isinstance(holder, tree.Call) and isinstance(outer, tree.ExprStmt) else None
    if isinstance(func, tree.Attribute) and func.attr == "append" and _is_for_gather(gather, func.value) and outer is not None:
        return [Change(outer.start, call.func.end, f"{group}.create_task"), Change(call.end, outer.end, "")]
    if isinstance(holder, tree.Comprehension) and isinstance(outer, tree.Assign) and _is_for_gather(gather, outer.targets[0]):
        if len(holder.generators) == 1 and not holder.generators[0].ifs and not holder.generators[0].is_async:
            each = holder.generators[0]
            head = f"for {code.source(each.target)} in {code.source(each.iter)}:\n"
            indentation = f"{code.text.indentation(outer.start)}{2 * code.text.unit}"
            made = f"{group}.create_task{code.text.between(call.func.end, call.end)}"
            return [Change(outer.start, outer.end, f"{head}{indentation}{made}")]
    return _renamed(call, group)


def _is_for_gather(gather: Gather, expr: tree.Node) -> bool:
    """Whether a name is that of a list that only appends fill, or is used for nothing but the gather."""
    if not isinstance(expr, tree.Name):
        return False
    names = [n for n in walk.nodes(walk.body(gather.function)) if isinstance(n, tree.Name) and n.id == expr.id]
    if expr.id not in gather.lists:
        return all(name is expr or gather.call.start <= name.start < gather.call.end for name in names)
    values = [binding.value for binding in gather.function.bindings.get(expr.id, ())]
    if len(values) != 1 or (isinstance(values[0], tree.Sequence) and values[0].items):
        return False
    appended = [walk.around(gather.function, name)[:1] for name in names if name.start < gather.call.start][1:]
    return all(isinstance(a, tree.Attribute) and a.attr == "append" for (a,) in appended)


def _lists(code: Code, gather: Gather, block: Sequence[tree.Statement]) -> list[Change]:
    """The empty lists that nothing fills any more, gone."""
    return [
        Change(code.text.line_start(s.start), code.text.next_line(s.end), "")
        for s in block
        if isinstance(s, tree.Assign)
        and len(s.targets) == 1
        and last_name(s.targets[0]) in gather.lists
        and isinstance(s.value, tree.Sequence)
        and not s.value.items
        and s.end < gather.call.start
        and code.is_alone(s)
        and _is_for_gather(gather, s.targets[0])
        and all(m.loop is None or isinstance(m.loop, tree.For) for m in gather.members)
        and all(_is_appended(gather, m.expr) for m in gather.members)
    ]


def _is_appended(gather: Gather, member: tree.Node) -> bool:
    around = walk.around(gather.function, member)[1:3]
    return len(around) == 2 and isinstance(around[0], tree.Call) and isinstance(around[1], tree.ExprStmt)


def _results(code: Code, gather: Gather, statement: tree.Stmt) -> Sequence[Change] | None:
    """The statement of the gather, gone if nobody wants the results; None if they cannot be asked of the tasks."""
    if gather.drops_results:
        return [Change(code.text.line_start(statement.start), code.text.next_line(statement.end), "")]
    awaited = next((node for node in code.around(gather.call) if isinstance(node, tree.Await)), None)
    args = gather.call.args
    if awaited is None or not isinstance(statement, tree.Assign | tree.Return):
        return None
    if len(args) == 1 and isinstance(args[0], tree.Starred) and isinstance(args[0].value, tree.Name):
        task = code.free_name(("task", "each_task"), gather.function)
        text = f"[{task}.result() for {task} in {code.source(args[0].value)}]" if task is not None else None
    elif all(isinstance(arg, tree.Name) for arg in args):
        text = ", ".join(f"{code.source(arg)}.result()" for arg in args)
    else:
        text = None
    return [Change(awaited.start, awaited.end, text)] if text is not None and statement.value is awaited else None


# --- tasks that cannot fail -------------------------------------------------------------------------


def _cannot_fail(code: Code, gather: Gather, index: int) -> bool:
    """Whether no error can leave a member: all that its functions do stands under a broad handler that only tells."""
    site = next((s for s in code.project.sites(gather.function) if s.node is gather.members[index].expr), None)
    functions = {target.function for target in site.targets} if site is not None else set()
    return bool(functions) and all(map(_is_contained, functions))


def _is_contained(function: Function) -> bool:
    body = walk.body(function)
    return all(
        is_contained(function, node) or _only_tells(function, node)
        for node in walk.nodes(body)
        if isinstance(
            node, tree.Call | tree.Await | tree.Raise | tree.Subscript | tree.Attribute | tree.Operation | tree.For | tree.With
        )
    )


def _only_tells(function: Function, node: tree.Node) -> bool:
    """Whether a node stands in a handler and belongs to a call that writes the error down."""
    around = [node, *walk.around(function, node)]
    in_handler = any(isinstance(each, tree.Handler) for each in around)
    return in_handler and any(isinstance(each, tree.Call) and last_name(each.func) in _TELLING for each in around)
