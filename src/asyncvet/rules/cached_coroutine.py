"""Checks for caches of plain functions (`functools.cache`, `lru_cache`, `cached_property`) on coroutine functions.

## Why is this bad?

Such a cache keeps what the function gives at once. For a coroutine function that is the coroutine, not its result: the first
caller awaits it, and every later one gets the same spent coroutine and `RuntimeError: cannot reuse already awaited coroutine`. A
cached asynchronous generator is empty from the second use on. Tests that call once do not see it.

## Example

```python
from functools import lru_cache


@lru_cache(maxsize=128)
async def exchange_rate(currency: str) -> float:
    return 1.0
```

Use instead:

```python
_rates: dict[str, float] = {}


async def load_rate(currency: str) -> float:
    return 1.0


async def exchange_rate(currency: str) -> float:
    rate = _rates.get(currency)
    return await load_rate(currency) if rate is None else rate
```

## When it is fine

Caches made for coroutines, such as `async_lru.alru_cache`, `aiocache.cached` and `async_property`; a cache above a decorator that
turns the coroutine into a task or a plain result; a cache of an object whose methods are coroutine functions.

## Known limits

Of other libraries only cachetools, and the cached properties of Django and Werkzeug, are known. A dictionary of coroutines kept by hand is not seen.

## Fix safety

There is no automatic fix: whether callers that come while the first one is loading shall wait for it is a decision.

## References

- [Python documentation, `functools.lru_cache`](https://docs.python.org/3/library/functools.html#functools.lru_cache) and `functools.cached_property`
- async-lru documentation
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.coroutines import is_coroutine_function
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Body, Function, Scope, shown
from asyncvet.graph.values import Bound, Coroutine, Symbol, Value
from asyncvet.model import Finding, Frame, Severity
from asyncvet.rules import Rule

_CACHES = frozenset(
    {
        "functools.cache",
        "functools.lru_cache",
        "functools.cached_property",
        "cachetools.cached",
        "cachetools.cachedmethod",
        "cachetools.func.lru_cache",
        "cachetools.func.ttl_cache",
        "django.utils.functional.cached_property",
        "werkzeug.utils.cached_property",
    }
)


def check(project: Project) -> Iterator[Finding]:
    """Report caches that keep coroutines."""
    for function in project.functions:
        for index, decorator in enumerate(function.decorators):
            cache = _cache(project, decorator, function.parent or function.module)
            if cache and _gives_coroutine(project, function, below=index + 1):
                chain = (project.frame(function, decorator), project.frame(function, function.head))
                yield _finding(project, function, decorator, cache, function.name, chain)
    bodies: tuple[Body, ...] = (*project.modules.values(), *project.functions)
    for scope in bodies:
        for site in scope.sites:
            node = site.node
            cache = _cache(project, node.func, scope) if isinstance(node, tree.Call) and node.args else ""
            if cache and isinstance(node, tree.Call) and any(map(_is_async, project.values(node.args[0], scope))):
                yield _finding(project, scope, node, cache, shown(node.args[0]))


def _cache(project: Project, expr: tree.Expression, scope: Scope) -> str:
    """The cache that an expression is: `cache`, or `lru_cache(maxsize=8)`."""
    func = expr.func if isinstance(expr, tree.Call) else expr
    paths = {value.path if isinstance(value, Symbol) else "" for value in project.values(func, scope)}
    return next(iter(paths)) if len(paths) == 1 and paths <= _CACHES else ""


def _gives_coroutine(project: Project, function: Function, below: int) -> bool:
    """Whether what the decorators from `below` on leave of a function gives a coroutine each time it is called."""
    if function.is_async:
        return is_coroutine_function(project, function, skip=below) or (function.is_generator and not function.is_context_manager)
    given = project.inference.returned(function)
    return not function.is_generator and bool(given) and all(isinstance(value, Coroutine) and value.function for value in given)


def _is_async(value: Value) -> bool:
    if isinstance(value, Bound):
        value = value.function
    return isinstance(value, Function) and value.is_async


def _finding(project: Project, scope: Body, node: tree.Node, cache: str, name: str, chain: tuple[Frame, ...] = ()) -> Finding:
    what = f"`{cache}` keeps the coroutine that `{name}` gives, and only the first caller can await it"
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(scope, node),
        function=scope.qualname,
        message=f"{what}; keep its awaited result, or use a cache made for coroutines such as `async_lru.alru_cache`",
        chain=chain,
    )


RULE = Rule(code="AV108", name="cached-coroutine", severity=Severity.HIGH, item=1, check=check)
