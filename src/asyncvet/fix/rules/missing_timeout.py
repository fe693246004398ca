"""Say how many seconds a call may wait."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.arguments import with_keyword
from asyncvet.fix.blocks import wrapped
from asyncvet.fix.code import Code, Draft, Need
from asyncvet.fix.text import Change
from asyncvet.graph import Project
from asyncvet.graph.scopes import Body, shown
from asyncvet.graph.timeouts import Endless, Timeouts
from asyncvet.model import Finding

SECONDS = 30
"""Longer than most answers take, and shorter than a client waits for a route."""

_SIMPLE = (tree.Assign, tree.AugAssign, tree.ExprStmt, tree.Return)
_SESSIONS = "aiohttp."
_OF_SECONDS = ("timeout", "timeout_seconds", "time_limit", "max_wait_time", "lifetime", "total")


def fix(finding: Finding, code: Code) -> Draft | str:
    """Pass the argument that bounds the call, or put the statement under `asyncio.timeout` where it has none."""
    call = code.at(finding, tree.Call)
    found = code.ask(_endless).get((finding.span.path, call.start)) if call is not None else None
    if call is None or found is None:
        return "the call is made elsewhere; bound it there"
    if found.given is None and not found.argument:
        return _under_timeout(code, call)
    seconds = _seconds(code, found, call)
    if seconds is None:
        return f"`{found.argument}` of `{shown(call.func)}` takes an object; pass one with seconds in it"
    text, needs = seconds
    title = f"pass `{found.argument}={text}`; see whether that is long enough"
    if found.given is not None:
        return Draft("unsafe", title, (Change(found.given.start, found.given.end, text),), needs)
    return Draft("unsafe", title, (with_keyword(code, call, f"{found.argument}={text}"),), needs)


def _endless(project: Project) -> dict[tuple[str, int], Endless]:
    """The calls that wait without end, by file and offset."""
    timeouts = Timeouts(project)
    found: dict[tuple[str, int], Endless] = {}
    bodies: tuple[Body, ...] = (*project.modules.values(), *project.functions)
    for scope in bodies:
        for site in project.sites(scope):
            endless = timeouts.endless(site)
            if endless is not None:
                found[scope.path, site.node.start] = endless
    return found


def _seconds(code: Code, found: Endless, call: tree.Call) -> tuple[str, tuple[Need, ...]] | None:
    """What to pass for the argument; None if that is neither a number nor known."""
    if found.given is not None and not isinstance(found.given, tree.Const):
        return None
    if any(name.startswith(_SESSIONS) for name in found.site.names) and found.argument == "timeout":
        made = code.refer("aiohttp", "ClientTimeout", call)
        return (f"{made[0]}(total={SECONDS})", made[1]) if made is not None else None
    is_number = found.argument.endswith(_OF_SECONDS)
    return (str(SECONDS), ()) if is_number else None


def _under_timeout(code: Code, call: tree.Call) -> Draft | str:
    statement = code.statement(call)
    function = code.scope(call.start)
    awaits = [node for node in code.around(call) if isinstance(node, tree.Await)]
    if statement is None or not awaits or not isinstance(statement, _SIMPLE):
        return f"`{shown(call)}` is not awaited in a statement of its own; put it into `async with asyncio.timeout({SECONDS}):`"
    timeout = code.refer("asyncio", "timeout", statement)
    if timeout is None:
        return f"a name in `{function.name}` hides `asyncio`"
    changes = wrapped(code, [statement], f"async with {timeout[0]}({SECONDS}):")
    if changes is None:
        return f"`{shown(call)}` shares its line; give it a line of its own"
    return Draft("unsafe", f"give it {SECONDS} s; see whether that is long enough", changes, timeout[1])
