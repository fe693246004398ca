"""Make a Celery task a plain function that runs the coroutine."""

from __future__ import annotations

import re

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft
from asyncvet.fix.text import Change
from asyncvet.graph.scopes import Function, Module
from asyncvet.model import Finding

_PASSED = {"positional": "{0}", "normal": "{0}", "star": "*{0}", "keyword": "{0}={0}", "double": "**{0}"}


def fix(finding: Finding, code: Code) -> Draft | str:
    """Put a `def` with the task's name, decorators and parameters above the coroutine function, which gets a name of its own."""
    function = code.function(finding)
    node = function.node if function is not None else None
    if function is None or not isinstance(node, tree.FunctionDef) or not isinstance(function.parent, Module):
        return "the task is no function of the module; make it a `def` that calls `asyncio.run(...)`"
    if function.is_generator:
        return f"`{function.name}` is a generator; gather what it gives in a coroutine, and run that by `asyncio.run(...)`"
    if _is_awaited(code, function):
        return f"other code awaits `{function.name}`; make a coroutine of its own for that, and the task a `def` that runs it"
    run = code.refer("asyncio", "run", node)
    inner = code.free_name((f"_{function.name}", f"{function.name}_async", f"_run_{function.name}"), code.module)
    signature = _signature(code, node)
    if run is None or inner is None or signature is None or code.text.line_start(node.start) != node.start:
        return "the names `asyncio` or those for the coroutine are taken"
    head, needs = run
    given = ", ".join(_PASSED[param.kind].format(param.name) for param in node.params)
    unit = code.text.unit
    docstring = f"{unit}{code.source(node.body[0])}\n" if node.docstring else ""
    task = f"def {node.name}{signature}:\n{docstring}{unit}return {head}({inner}({given}))\n\n\n"
    end = node.name_start + len(node.name.encode())
    changes = (Change(node.start, node.start, task), Change(node.name_start, end, inner))
    return Draft("unsafe", f"make `{function.name}` a `def` that runs `{inner}`", changes, needs)


def _is_awaited(code: Code, function: Function) -> bool:
    """Whether something of the project calls the function itself."""
    return bool(code.project.contexts.callers.get(function))


def _signature(code: Code, node: tree.FunctionDef) -> str | None:
    """The parameters and the result as they are written, without the colon and what stands behind it."""
    start = node.name_start + len(node.name.encode())
    head = re.match(r"(.*):\s*(?:#[^\n]*\s*)*\Z", code.text.between(start, node.body[0].start), re.DOTALL)
    return head[1].rstrip() if head is not None else None
