"""Checks for asynchronous clients, sessions, connections, files and engines that a function opens and nobody closes.

## Why is this bad?

An open client holds sockets, file descriptors and places in the pools of the other side. Collecting the object does not close
them properly: it cannot await. Opened once a request, they are used up after some thousand requests; closed only where all goes well,
they leak with every error.

## Example

```python
import httpx


async def title(url: str) -> str:
    client = httpx.AsyncClient(timeout=5)
    response = await client.get(url)
    return response.text
```

Use instead:

```python
import httpx


async def title(url: str) -> str:
    async with httpx.AsyncClient(timeout=5) as client:
        response = await client.get(url)
        return response.text
```

## When it is fine

`async with`, also by an `AsyncExitStack`; closing in `finally`; ownership that is handed on: returned, yielded, passed to a call,
put into a container or a global, or stored on an object that closes it or can be closed. What belongs to another resource, such as a
session's connection; the last lines of a script, whose end closes everything; plain clients.

## Known limits

What is passed to a call counts as handed on, though the callee may only use it. Clients that close themselves when they are
collected, as those of some SDKs do, are left alone. Which classes hold resources is the catalogue's knowledge.

## Fix safety

Unsafe, as the object is closed where the code that uses it, or what was got from it, ends: that code moves into an `async with`. A call
that closed it there goes. Left alone: objects that `async with` does not enter, that have no local name, or that are opened or closed
by further calls.

## References

- [HTTPX documentation, "Async Support"](https://www.python-httpx.org/async/), section "Opening and closing clients"
- aiohttp documentation, "Client Session"
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.ownership import Opened
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report resources that stay open."""
    for opened in project.ownership.find():
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(opened.function, opened.node),
            function=opened.function.qualname,
            message=f"`{_call(opened)}` is {opened.fate}; {_remedy(opened)}",
        )


def _call(opened: Opened) -> str:
    node = opened.node
    return f"await {shown(node.value)}" if isinstance(node, tree.Await) else shown(node)


def _remedy(opened: Opened) -> str:
    if opened.fate == "kept and never closed":
        return f"give the class a method that awaits `{opened.holder}.{opened.closer}()`, and call it at shutdown"
    name = opened.holder or "resource"
    if opened.is_entered:
        return f"write `async with {_call(opened)} as {name}:`"
    return f"close it by `{name}.{opened.closer}()` in a `finally`"


RULE = Rule(
    code="AV104", name="unmanaged-async-resource", severity=Severity.MEDIUM, item=3, check=check, fix="unsafe", needs_loop=False
)
