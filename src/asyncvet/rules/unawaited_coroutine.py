"""Checks for coroutines that are made and thrown away: called without `await`, or handed to what calls them as plain functions.

## Why is this bad?

Calling a coroutine function runs none of its body. Without `await`, a task or a runner the work is never done: the mail is not
sent, the row not deleted. The only trace is a `RuntimeWarning` when the coroutine is collected. As a condition a coroutine is
always true, so a check that forgets `await` always passes.

## Example

```python
async def send_receipt(order: int) -> None:
    print("sent", order)


async def pay(order: int) -> None:
    send_receipt(order)
```

Use instead:

```python
async def send_receipt(order: int) -> None:
    print("sent", order)


async def pay(order: int) -> None:
    await send_receipt(order)
```

## When it is fine

A coroutine that is stored and read again, returned, put into a container, or given to `gather`, a task, a runner or any other
call. Functions whose decorator makes something else of them: such a call is left alone unless the decorator is known to keep the
coroutine function. Methods that a subclass overrides with plain ones.

## Known limits

A coroutine that is stored in an attribute or a container and awaited nowhere is not followed. Decorators of libraries are not
looked into.

## Fix safety

There is no automatic fix: in a plain function, `await` means making it and its callers asynchronous.

## References

- [Python documentation, "Developing with asyncio", section "Detect never-awaited coroutines"](https://docs.python.org/3/library/asyncio-dev.html#detect-never-awaited-coroutines)
"""

from collections.abc import Iterator

from asyncvet.graph.coroutines import Lost, lost
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Body, Function, shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report coroutines that nobody awaits."""
    bodies: tuple[Body, ...] = (*project.modules.values(), *project.functions)
    for scope in bodies:
        for coroutine in lost(project, scope):
            yield Finding(
                code=RULE.code,
                name=RULE.name,
                item=RULE.item,
                severity=RULE.severity,
                span=project.span(scope, coroutine.node),
                function=scope.qualname,
                message=f"{_what(coroutine)}; {_remedy(coroutine)}",
            )


def _what(coroutine: Lost) -> str:
    call = f"`{shown(coroutine.node)}`"
    if coroutine.fate == "never read":
        return f"{call} makes a coroutine, kept in `{coroutine.name}` that nothing reads, so it never runs"
    if coroutine.fate == "taken for a value":
        return f"{call} is a coroutine here, not its result: it never runs, and as a condition it is always true"
    if coroutine.fate == "dropped by its caller":
        return f"{call} gives a coroutine, which whoever calls it here throws away"
    what = "an asynchronous generator that nothing iterates" if coroutine.is_stream else "a coroutine that nothing awaits"
    return f"{call} makes {what}: it never runs"


def _remedy(coroutine: Lost) -> str:
    call = shown(coroutine.node)
    if coroutine.fate == "dropped by its caller":
        return "hand over a plain function that starts a task and keeps it"
    if coroutine.is_stream:
        return f"write `async for ... in {call}`"
    if isinstance(coroutine.scope, Function) and coroutine.scope.is_async:
        return f"write `(await {call})`" if coroutine.fate == "taken for a value" else f"write `await {call}`"
    name = coroutine.scope.name
    return f"make `{name}` asynchronous and write `await {call}`, or hand the coroutine to a loop"


RULE = Rule(code="AV106", name="unawaited-coroutine", severity=Severity.CRITICAL, item=1, check=check)
