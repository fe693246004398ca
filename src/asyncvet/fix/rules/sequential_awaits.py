"""Await at once what needs nothing of one another."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft
from asyncvet.fix.text import Change
from asyncvet.graph import Project, walk
from asyncvet.graph.dependence import Dependence, Sequential
from asyncvet.model import Finding

_GROUPS, _TASKS = ("group", "task_group"), ("tasks", "started")


def fix(finding: Finding, code: Code) -> Draft | str:
    """Start the awaits together; their results come in the same order.

    Those in a row are gathered, so that the first error is raised as before. Those of a loop become tasks of a group, which ends the
    others when one fails, and raises an exception group.
    """
    found = code.ask(_sequential).get((finding.span.path, code.start(finding.span)))
    if found is None:
        return "the awaits are not known"
    is_row = found.loop is None
    way = code.refer("asyncio", "gather" if is_row else "TaskGroup", found.awaits[0])
    if way is None:
        return "the name `asyncio` is taken"
    head, needs = way
    changes = _row(code, found, head) if is_row else _turns(code, found, head)
    if changes is None:
        return "more than the awaits stands there; start them together in an `asyncio.TaskGroup`"
    return Draft("unsafe", f"start them together by `{head}`", changes, needs)


def _sequential(project: Project) -> dict[tuple[str, int], Sequential]:
    return {(found.function.path, found.awaits[0].start): found for found in Dependence(project).sequential()}


def _row(code: Code, found: Sequential, gather: str) -> tuple[Change, ...] | None:
    """`a, b = await gather(...)` for assignments in a row."""
    statements = [statement for node in found.awaits if isinstance(statement := code.statement(node), tree.Assign)]
    if not all(len(each.targets) == 1 and each.annotation is None and code.is_alone(each) for each in statements):
        return None
    calls = [code.source(node.value) for node in found.awaits]
    first, last = statements[0], statements[-1]
    if code.text.comments(first.start, last.end) or any("\n" in call for call in calls):
        return None
    targets = ((code.source(each.targets[0]), isinstance(each.targets[0], tree.Sequence)) for each in statements)
    taking = ", ".join(f"({target})" if is_several else target for target, is_several in targets)
    indentation = code.text.indentation(first.start)
    lines = "".join(f"{indentation}{code.text.unit}{call},\n" for call in calls)
    return (Change(first.start, last.end, f"{taking} = await {gather}(\n{lines}{indentation})"),)


def _turns(code: Code, found: Sequential, group: str) -> tuple[Change, ...] | None:
    """Tasks of a group for a list whose items are awaited, or for a loop that only collects them."""
    awaited = found.awaits[0]
    statement = found.loop if isinstance(found.loop, tree.For) else code.statement(awaited)
    group_name, tasks = code.free_name(_GROUPS, found.function), code.free_name(_TASKS, found.function)
    if statement is None or not code.is_alone(statement) or code.text.comments(statement.start, statement.end):
        return None
    parts = _of_loop(code, statement, awaited) if isinstance(statement, tree.For) else _of_list(code, statement, awaited)
    if parts is None or group_name is None or tasks is None:
        return None
    clauses, before, after = parts
    indentation = code.text.indentation(statement.start)
    call = code.source(awaited.value)
    opening = f"async with {group}() as {group_name}:\n{indentation}{code.text.unit}"
    making = f"{tasks} = [{group_name}.create_task({call}) {clauses}]\n{indentation}"
    return (Change(statement.start, statement.end, f"{opening}{making}{before}task.result() for task in {tasks}{after}"),)


def _of_loop(code: Code, loop: tree.For, awaited: tree.Await) -> tuple[str, str, str] | None:
    """The clause of `for x in y: found.append(await ...)`, and what stands around its results."""
    statement = loop.body[0] if len(loop.body) == 1 else None
    call = statement.value if isinstance(statement, tree.ExprStmt) else None
    if not isinstance(call, tree.Call) or call.args != [awaited] or not isinstance(call.func, tree.Attribute) or loop.orelse:
        return None
    if call.func.attr != "append":
        return None
    return f"for {code.source(loop.target)} in {code.source(loop.iter)}", f"{code.source(call.func.value)}.extend(", ")"


def _of_list(code: Code, statement: tree.Stmt, awaited: tree.Await) -> tuple[str, str, str] | None:
    """The clauses of `[await ... for x in y]`, where a statement assigns or returns just that, and what stands around its results."""
    made = statement.value if isinstance(statement, tree.Assign | tree.Return) else None
    is_list = isinstance(made, tree.Comprehension) and made.kind == "list" and made.element is awaited
    if made is None or not is_list or len(list(walk.awaits(made))) > 1:
        return None
    clauses = code.text.between(awaited.end, made.end - 1).strip()
    return clauses, code.text.between(statement.start, made.start) + "[", "]"
