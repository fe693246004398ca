"""Make a dependency that neither blocks nor computes a coroutine."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft, everything
from asyncvet.fix.text import Change
from asyncvet.graph import Project, walk
from asyncvet.graph.scopes import last_name
from asyncvet.model import Finding

_DEPENDS = frozenset({"Depends", "Security"})


def fix(finding: Finding, code: Code) -> Draft | str:
    """Write `async def`, where everything that names the function hands it to `Depends`."""
    function = code.function(finding)
    if function is None or function.owner is not None:
        return "it is a method, which a class below may have as a plain one"
    if code.ask(_other_uses).get(function.name):
        return f"`{function.name}` is named elsewhere than in `Depends`, where it may be called as a plain function"
    if any(isinstance(node, tree.Call) and last_name(node.func) == "super" for node in everything(walk.body(function))):
        return "it is more than a plain function"
    return Draft("safe", f"make `{function.name}` an `async def`", (Change(function.node.start, function.node.start, "async "),))


def _other_uses(project: Project) -> dict[str, int]:
    """How often each name stands elsewhere than in `Depends(name)`, all modules together."""
    uses: dict[str, int] = {}
    for module in project.modules.values():
        nodes = list(everything(module.facts.body))
        given = {
            id(arg)
            for node in nodes
            if isinstance(node, tree.Call) and last_name(node.func) in _DEPENDS
            for arg in (*node.args, *(keyword.value for keyword in node.keywords))
        }
        for node in nodes:
            if isinstance(node, tree.Name | tree.Attribute) and id(node) not in given:
                uses[last_name(node)] = uses.get(last_name(node), 0) + 1
    return uses
