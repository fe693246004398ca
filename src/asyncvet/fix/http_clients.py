"""Send a request by httpx instead of requests, where the project uses httpx already."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.blocks import above
from asyncvet.fix.code import Code, Draft, everything
from asyncvet.fix.text import Change
from asyncvet.graph import Project, walk
from asyncvet.graph.scopes import last_name, shown
from asyncvet.model import Finding

_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_ARGUMENTS = frozenset({"params", "headers", "json", "data", "timeout", "cookies", "allow_redirects"})
"""Arguments that mean the same to both; `data` if it is a dictionary."""
_RESULTS = frozenset({"status_code", "json", "text", "content", "headers", "raise_for_status", "cookies"})
"""What both give of a response."""


def by_httpx(finding: Finding, code: Code) -> Draft | str:
    """Write a statement `response = requests.get(...)` as one of an `httpx.AsyncClient`, if both mean the same by all that it says.

    The errors that are raised are other ones, so that a file that names those of requests stays as it is.
    """
    call = code.at(finding, tree.Call)
    statement = code.statement(call) if call is not None else None
    if call is None or len(finding.chain) > 1 or not isinstance(statement, tree.Assign) or statement.value is not call:
        return "only a statement that sets a name to a response is written anew"
    method = last_name(call.func)
    target = statement.targets[0]
    if method not in _METHODS or finding.sink is None or finding.sink.name != f"requests.{method}" or not code.ask(_has_httpx):
        return "it is no request of requests, or the project does not use httpx"
    if not isinstance(target, tree.Name) or len(statement.targets) != 1 or statement.annotation is not None:
        return "the response has no plain name"
    if not _means_the_same(call) or not _is_plainly_used(code, target) or _names_errors(code):
        return "requests and httpx differ in what is asked for here"
    client = code.free_name(("client", "http_client"), code.scope(call.start))
    made = code.refer("httpx", "AsyncClient", call)
    if client is None or made is None or not code.is_alone(statement):
        return "the name `httpx` is taken"
    redirects = next((keyword for keyword in call.keywords if keyword.name == "allow_redirects"), None)
    follow = code.source(redirects.value) if redirects is not None else str(method != "head")
    head = above(code, statement, f"async with {made[0]}(follow_redirects={follow}) as {client}:")
    if head is None:
        return "the statement shares its line"
    changes = [
        head,
        *code.text.indented(statement.start, statement.end),
        Change(call.start, call.func.end, f"await {client}.{method}"),
    ]
    if redirects is not None:
        before = max(node.end for node in (*call.args, *call.keywords) if node.end < redirects.start)
        changes.append(Change(before, redirects.end, ""))
    return Draft("unsafe", f"send `{shown(call)}` by httpx", tuple(changes), made[1], (statement.start, statement.end))


def _has_httpx(project: Project) -> bool:
    return any(b.imported == (0, "httpx", None) for module in project.modules.values() for b in module.bindings.get("httpx", ()))


def _means_the_same(call: tree.Call) -> bool:
    """Whether httpx takes the arguments for what requests does; without a time limit the two differ."""
    given = {keyword.name: keyword.value for keyword in call.keywords}
    if len(call.args) != 1 or not set(given) <= _ARGUMENTS or isinstance(call.args[0], tree.Starred):
        return False
    timeout = given.get("timeout")
    is_form = "data" not in given or isinstance(given["data"], tree.Dict)
    return is_form and isinstance(timeout, tree.Const) and timeout.kind in ("int", "float")


def _is_plainly_used(code: Code, target: tree.Name) -> bool:
    """Whether a function asks nothing of a response but what both libraries give."""
    nodes = list(everything(walk.body(code.scope(target.start))))
    asked = {id(n.value) for n in nodes if isinstance(n, tree.Attribute) and n.attr in _RESULTS}
    return all(n is target or id(n) in asked for n in nodes if isinstance(n, tree.Name) and n.id == target.id)


def _names_errors(code: Code) -> bool:
    return any(
        isinstance(n, tree.Attribute)
        and n.attr.endswith(("Error", "Exception", "Timeout", "exceptions"))
        and last_name(n.value) == "requests"
        for n in code.nodes
    ) or code.imports("requests.exceptions")
