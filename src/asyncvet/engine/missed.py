"""Why an alarm was missed: the first call on an observed stack that the graph does not know, or the library call that no entry tells of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from asyncvet.facts import tree
from asyncvet.graph import Project
from asyncvet.graph.scopes import Function, shown
from asyncvet.graph.sites import CallSite
from asyncvet.graph.unknowns import why_unknown
from asyncvet.model import MissedAlarm, Seen
from asyncvet.monitor.observation import Observation


class Place(NamedTuple):
    """A frame of a stack in a file of the project; `function` is its qualified name within the module."""

    path: str
    line: int
    function: str


def missed_alarm(project: Project, observation: Observation, stack: Sequence[Place], seen: Seen) -> MissedAlarm:
    """What an observation that nothing predicted comes to.

    Args:
        project: The project.
        observation: One of them.
        stack: Its frames in files of the project, the outermost first; there is one.
        seen: All of them.
    """
    call = observation.call or observation.primitive
    reason, entry = _reason(project, observation, stack, call)
    innermost = stack[-1]
    return MissedAlarm(
        path=innermost.path, line=innermost.line, function=innermost.function, call=call, seen=seen, reason=reason, entry=entry
    )


def _reason(project: Project, observation: Observation, stack: Sequence[Place], call: str) -> tuple[str, str]:
    functions = [_function(project, place) for place in stack]
    start = max((at for at, function in enumerate(functions) if function and function.is_async), default=None)
    if start is None:
        outermost = stack[0]
        return f"the event loop is not known to run `{outermost.function}` ({outermost.path}:{outermost.line})", ""
    for at in range(start, len(stack) - 1):
        caller, callee = functions[at], functions[at + 1]
        if (
            caller
            and callee
            and not any(callee is target.function for site in _on(project, caller, stack[at].line) for target in site.targets)
        ):
            return _unknown_edge(project, caller, stack[at], stack[at + 1]), ""
    innermost = functions[-1]
    sites = list(_on(project, innermost, stack[-1].line)) if innermost else []
    if observation.category == "cpu" and _is_own(project, call):
        return f"`{stack[-1].function}` computes in its own code, of which no rule speaks", ""
    return _unknown_call(project, sites, observation, call)


def _function(project: Project, place: Place) -> Function | None:
    """The function that a frame ran in: the innermost of its name that holds its line."""
    module = project.modules.get(place.path)
    found = None
    for function in module.functions if module else ():
        first, last = (function.module.facts.position(offset)[0] for offset in (function.node.start, function.node.end))
        if first <= place.line <= last and function.name == place.function.rpartition(".")[2]:
            found = function
    return found


def _on(project: Project, function: Function, line: int) -> Iterator[CallSite]:
    """The call sites of a function that a line is part of."""
    position = function.module.facts.position
    return (s for s in project.sites(function) if position(s.node.start)[0] <= line <= position(s.node.end)[0])


def _unknown_edge(project: Project, caller: Function, at: Place, callee: Place) -> str:
    lead = f"the call at {at.path}:{at.line} is not known to run `{callee.function}` ({callee.path})"
    calls = [site.node for site in _on(project, caller, at.line) if isinstance(site.node, tree.Call) and not site.is_resolved]
    why = [sentence for call in calls for sentence in why_unknown(project, call.func, caller)]
    return "; ".join([lead, *why, "`--learn-edges` adds it"])


def _unknown_call(project: Project, sites: Sequence[CallSite], observation: Observation, call: str) -> tuple[str, str]:
    known = project.catalogue.api(call) or project.catalogue.api(observation.primitive)
    if any(site.is_resolved and name in (call, observation.primitive) for site in sites for name in site.names) and known:
        return f"the catalogue knows `{call}`, and says that it does not block here", ""
    unresolved = [site.node.func for site in sites if isinstance(site.node, tree.Call) and not site.is_resolved]
    if unresolved and sites:
        why = [sentence for expr in unresolved for sentence in why_unknown(project, expr, sites[0].scope)]
        return "; ".join([f"nothing is known of what `{shown(unresolved[0])}` calls", *why]), "" if known else _entry(
            project, observation, call
        )
    if known:
        return f"the catalogue knows `{call}`, but the call on this line is not known to reach it", ""
    return f"the catalogue does not know `{call}`", _entry(project, observation, call)


def _is_own(project: Project, call: str) -> bool:
    roots = {module.qualname.partition(".")[0] for module in project.modules.values()}
    return "." not in call or call.partition(".")[0] in roots or call.startswith("builtins.")


def _entry(project: Project, observation: Observation, call: str) -> str:
    """A file for the catalogue, to be looked over: how long it waits on the worst day was not seen."""
    if "." not in call or "<" in call or _is_own(project, call):
        return ""
    primitive = next(iter(project.catalogue.api(observation.primitive)), None)
    computes = observation.category == "cpu"
    category = observation.category if observation.category not in ("", "cpu") else (primitive.category if primitive else None)
    lines = [
        f"distribution = {json.dumps(call.partition('.')[0])}",
        'version = "unknown"',
        "",
        "[[api]]",
        f"names = [{json.dumps(call)}]",
        f'effect = "{"cpu-bound" if computes else "blocks"}"',
        f'category = "{category or ("numeric" if computes else "network")}"',
        f"why = {json.dumps('was seen to ' + ('compute' if computes else 'wait') + ' on the event loop')}",
    ]
    return "\n".join(lines)
