"""Read and write files by aiofiles, where the project does so already."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft, everything
from asyncvet.fix.text import Change
from asyncvet.fix.threads import is_operand, unawaitable
from asyncvet.graph import Project

_METHODS = frozenset({"read", "readline", "readlines", "write", "writelines", "seek", "tell", "flush", "truncate"})


def by_aiofiles(code: Code, block: tree.With) -> Draft | str:
    """Open the file of a block by `async with aiofiles.open(...)` and await its methods; nothing else may be done with it."""
    item = block.items[0]
    call, target = item.value, item.target
    if (
        len(block.items) != 1
        or not isinstance(target, tree.Name)
        or not isinstance(call, tree.Call)
        or not code.ask(_has_aiofiles)
    ):
        return "the project does not use aiofiles"
    site = next((site for site in code.project.sites(code.scope(block.start)) if site.node is call), None)
    opened = code.refer("aiofiles", "open", block)
    if site is None or "builtins.open" not in site.names or opened is None or not code.text.is_first(block.start):
        return "the block opens no file"
    calls = [node for node in everything(block.body) if isinstance(node, tree.Call) and _is_method(node.func, target.id)]
    uses = [node for node in everything(block.body) if isinstance(node, tree.Name) and node.id == target.id]
    if len(uses) != len(calls) or any(unawaitable(code, node) for node in calls):
        return f"`{target.id}` is handed on"
    head, needs = opened
    changes = [Change(block.start, block.start, "async "), Change(call.func.start, call.func.end, head)]
    for node in calls:
        before, after = ("(await ", ")") if is_operand(code, node) else ("await ", "")
        changes += [Change(node.start, node.start, before), *([Change(node.end, node.end, after)] if after else [])]
    return Draft("unsafe", f"open the file by `{head}`", tuple(changes), needs, (block.start, block.end))


def _has_aiofiles(project: Project) -> bool:
    imports = (binding for module in project.modules.values() for binding in module.bindings.get("aiofiles", ()))
    return any(binding.imported == (0, "aiofiles", None) for binding in imports)


def _is_method(func: tree.Expression, name: str) -> bool:
    return (
        isinstance(func, tree.Attribute) and func.attr in _METHODS and isinstance(func.value, tree.Name) and func.value.id == name
    )
