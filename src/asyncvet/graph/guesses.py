"""What a call is by its name, where nothing tells its type: only what no asynchronous library has in this form."""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.scopes import Site, last_name

_SESSIONS = frozenset({"db", "session", "db_session", "dbsession"})
_ENDS = frozenset({"all", "first", "one", "one_or_none", "scalar", "count", "delete", "update", "get"})


def guessed(site: Site, node: tree.Call) -> Iterator[str]:
    """The dotted name of the library function that a call of unknown type surely is, if it is sure.

    `session.query(User).filter_by(...).all()`: an asynchronous session of SQLAlchemy has no `query`.
    """
    func = node.func
    if not site.awaited and isinstance(func, tree.Attribute) and func.attr in _ENDS and _is_query(func.value):
        yield f"sqlalchemy.orm.Query.{func.attr}"


def _is_query(expr: tree.Node) -> bool:
    """Whether an expression is a chain of calls that begins with a session's `query`."""
    while isinstance(expr, tree.Call) and isinstance(expr.func, tree.Attribute):
        if expr.func.attr == "query":
            return last_name(expr.func.value) in _SESSIONS and bool(expr.args)
        expr = expr.func.value
    return False
