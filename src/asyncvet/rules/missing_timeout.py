"""Checks for calls to other systems that nothing bounds: no timeout of their own, none of their client, none above them.

## Why is this bad?

A server that accepts the connection and then says nothing is not an error for a client without a timeout: the call waits, for
hours or for ever. The route that waits for it never answers, the thread or the connection of the pool that it holds is gone,
and the service stops when all of them are. `requests`, `urllib`, `smtplib`, `redis` and `asyncpg` have no default; `httpx`
has 5 s, which `timeout=None` takes away.

In [the harm lab](../../harm.md#no-timeout), with a silent service behind it, a request still hangs when its client gives up after
6.0 s; in the good form it is answered with a 504 after 1.1 s.

## Example

```python
import httpx


async def price(client_id: str) -> str:
    async with httpx.AsyncClient(timeout=None) as client:
        answer = await client.get(f"https://prices.example/{client_id}")
    return answer.text
```

Use instead:

```python
import httpx


async def price(client_id: str) -> str:
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.get(f"https://prices.example/{client_id}")
    return answer.text
```

## When it is fine

A timeout of the call, of the client or session, or anywhere above: `asyncio.timeout`, `wait_for`, `anyio.fail_after`,
`move_on_after`, a decorator or a time limit of a Celery task. A client with a default timeout of ten minutes or less
(`aiohttp` 300 s, `openai` and `anthropic` 600 s). Scripts and commands, which a person watches. A client whose construction
the source does not show, or that is given `**options`.

## Known limits

Queries of a database driver whose timeout is set on the server (`statement_timeout`) cannot be told from those without; only
what makes the connection is asked. redis-py has a default of 5 s since version 8, which is not taken into account, as
services that allow older ones have none. A timeout that is a variable counts as one.

## Fix safety

Unsafe: how long is long enough is for the author to say. The call or the client gets 30 s by the argument that bounds it, or the
statement goes under `asyncio.timeout(30)` where it has none. What took longer then fails. There is no edit where the argument takes
an object that is made elsewhere.

## References

- [Requests documentation, "Advanced Usage", section "Timeouts"](https://requests.readthedocs.io/en/latest/user/advanced/#timeouts)
- HTTPX documentation, "Timeouts"
- Python documentation, "Coroutines and Tasks", section "Timeouts"
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Body, Function, Module, shown
from asyncvet.graph.serving import serving
from asyncvet.graph.sites import CallSite
from asyncvet.graph.timeouts import Endless, Timeouts
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report endless waits in code that serves, once for a client that causes them."""
    timeouts = Timeouts(project)
    served = serving(project)
    served |= {function for function in project.functions if _makes_served(function, served)}
    modules = dict.fromkeys(function.module for function in project.functions if function in served)
    bodies: tuple[Body, ...] = (*modules, *(function for function in project.functions if function in served))
    for scope in bodies:
        for site in project.sites(scope):
            found = timeouts.endless(site)
            if found is not None and not timeouts.is_bounded(scope, site.node):
                yield _finding(project, scope, found, timeouts.requests(found))


def _makes_served(function: Function, served: frozenset[Function]) -> bool:
    """Whether a function makes the objects of a class whose methods serve, be it at import time."""
    methods = (method for methods in function.owner.methods.values() for method in methods) if function.owner is not None else ()
    return function.name == "__init__" and any(method in served for method in methods)


def _finding(project: Project, scope: Body, found: Endless, requests: list[CallSite]) -> Finding:
    runs_on_loop = isinstance(scope, Function) and scope.is_async
    once = isinstance(scope, Function) and not found.makes_client and project.contexts.runs_once(scope)
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity.lowered() if once else RULE.severity,
        span=project.span(scope, found.site.node),
        function=scope.qualname if not isinstance(scope, Module) else scope.name,
        message=_message(found),
        advice="A server that is silent holds the caller, and the thread or connection that it uses, for as long as it likes.",
        chain=tuple(project.frame(site.scope, site.node) for site in (found.site, *requests)) if requests else (),
        runs_in=project.contexts.runs_in(scope) if runs_on_loop and isinstance(scope, Function) else (),
        runs_once=once,
    )


def _message(found: Endless) -> str:
    call = f"`{found.text}`"
    what = f"{call} makes a client whose requests wait" if found.makes_client else f"{call} waits"
    if found.given is not None:
        given = "None" if isinstance(found.given, tree.Const) else shown(found.given)
        return f"{what} for ever if the other side is silent, by `{found.argument}={given}`; say how many seconds"
    if found.argument:
        return f"{what} for ever if the other side is silent; pass `{found.argument}=`"
    return f"{what} for as long as the other side is silent; put it into `async with asyncio.timeout(...)`"


RULE = Rule(code="AV803", name="missing-timeout", severity=Severity.HIGH, item=19, check=check, fix="unsafe", needs_loop=False)
