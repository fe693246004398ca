"""Checks for `with` over an object that only `async with` can enter, and for `for` over what only `async for` can iterate.

## Why is this bad?

The statement fails the first time it runs: with `AttributeError: __enter__` or `TypeError: object is not iterable`, or it opens
nothing at all. It hides in branches that tests do not reach: error handling, shutdown, a second back end.

## Example

```python
import asyncio

lock = asyncio.Lock()


async def book(seat: int, free: set[int]) -> bool:
    with lock:
        return seat in free
```

Use instead:

```python
import asyncio

lock = asyncio.Lock()


async def book(seat: int, free: set[int]) -> bool:
    async with lock:
        return seat in free
```

## When it is fine

Objects that have both protocols; a plain `with` over what a function gives once it was awaited.

## Known limits

Objects whose class has a base that is not known are left alone.

## Fix safety

There is no automatic fix: in a plain function the statement needs an asynchronous caller.

## References

- [Python documentation, "Asynchronous Context Managers"](https://docs.python.org/3/reference/datamodel.html#asynchronous-context-managers) and "Asynchronous Iterators" in the data model
"""

from collections.abc import Callable, Iterator

from asyncvet.facts import tree
from asyncvet.graph.project import Project
from asyncvet.graph.protocols import is_only_async_iterable, is_only_async_manager
from asyncvet.graph.scopes import Body, Function, shown
from asyncvet.graph.values import Value
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_CONSUMERS = frozenset(
    f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "sorted", "sum", "min", "max", "any", "all", "enumerate")
)


def check(project: Project) -> Iterator[Finding]:
    """Report plain statements over asynchronous objects."""
    bodies: tuple[Body, ...] = (*project.modules.values(), *project.functions)
    for scope in bodies:
        for site in scope.sites:
            node = site.node
            if isinstance(node, tree.With) and not node.is_async:
                for item in node.items:
                    yield from _report(project, scope, item.value, "with {}", is_only_async_manager)
            elif isinstance(node, tree.For) and not node.is_async:
                yield from _report(project, scope, node.iter, "for ... in {}", is_only_async_iterable)
            elif isinstance(node, tree.Comprehension):
                for generator in node.generators:
                    if not generator.is_async:
                        yield from _report(project, scope, generator.iter, "for ... in {}", is_only_async_iterable)
        for called in project.sites(scope):
            if isinstance(called.node, tree.Call) and called.node.args and not _CONSUMERS.isdisjoint(called.names):
                text = f"{shown(called.node.func)}({{}})"
                yield from _report(project, scope, called.node.args[0], text, is_only_async_iterable)


def _report(
    project: Project, scope: Body, expr: tree.Expression, text: str, is_async: Callable[[Project, Value], bool]
) -> Iterator[Finding]:
    values = project.values(expr, scope)
    if not values or not all(is_async(project, value) for value in values):
        return
    statement = text.format(shown(expr))
    lacks = "__enter__" if text.startswith("with") else "__iter__"
    remedy = f"async {statement}" if text.startswith(("with", "for")) else f"[item async for item in {shown(expr)}]"
    where = "" if isinstance(scope, Function) and scope.is_async else " in a coroutine"
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(scope, expr),
        function=scope.qualname,
        message=f"`{statement}` fails: the object is asynchronous and has no `{lacks}`; write `{remedy}`{where}",
    )


RULE = Rule(code="AV105", name="sync-use-of-async-resource", severity=Severity.HIGH, item=3, check=check, needs_loop=False)
