"""Make a dependency that neither blocks nor computes a coroutine."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft, everything
from asyncvet.fix.text import Change
from asyncvet.graph import walk
from asyncvet.graph.scopes import Function, Module, last_name
from asyncvet.model import Finding

_DEPENDS = frozenset({"Depends", "Security"})


def fix(finding: Finding, code: Code) -> Draft | str:
    """Write `async def`, where everything that names the function hands it to `Depends`."""
    function = code.function(finding)
    if function is None or function.owner is not None:
        return "it is a method, which a class below may have as a plain one"
    if _is_used_otherwise(code, function):
        return f"`{function.name}` is named elsewhere than in `Depends`, where it may be called as a plain function"
    if any(isinstance(node, tree.Call) and last_name(node.func) == "super" for node in everything(walk.body(function))):
        return "it is more than a plain function"
    return Draft("safe", f"make `{function.name}` an `async def`", (Change(function.node.start, function.node.start, "async "),))


def _is_used_otherwise(code: Code, function: Function) -> bool:
    """Whether a file that can know a function names it elsewhere than in `Depends(function)`."""
    name = function.name
    for module in code.project.modules.values():
        if name not in module.bindings and not _may_import(module, function.module):
            continue
        nodes = list(everything(module.facts.body))
        given = {
            id(arg)
            for node in nodes
            if isinstance(node, tree.Call) and last_name(node.func) in _DEPENDS
            for arg in _arguments(node)
        }
        named = (node for node in nodes if isinstance(node, tree.Name | tree.Attribute) and last_name(node) == name)
        if any(id(node) not in given for node in named):
            return True
    return False


def _may_import(module: Module, other: Module) -> bool:
    """Whether something in a module has the name of another module, or stands for all that one has."""
    inner = (scope.bindings for scope in (*module.functions, *module.classes))
    imports = (
        binding for bindings in (module.bindings, *inner) for each in bindings.values() for binding in each if binding.imported
    )
    return bool(module.stars) or any(
        other.name in (name, path.rpartition(".")[2])
        for binding in imports
        if binding.imported
        for _, path, name in [binding.imported]
    )


def _arguments(call: tree.Call) -> list[tree.Expression]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]
