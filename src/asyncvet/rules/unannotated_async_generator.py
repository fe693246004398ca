"""Checks for asynchronous generators that declare no return type, or one that they cannot have.

## Why is this bad?

A reader of `async def events(job)` expects to await it. That it streams stands in its body only, at a `yield` that may be a
screen away, and a type checker takes its items for anything. With `-> str` or `-> list[str]` the signature says what is not so:
callers await it, or use `for`, and find out at run time.

## Example

```python
import asyncio


async def ticks(count: int):
    for number in range(count):
        await asyncio.sleep(1)
        yield number
```

Use instead:

```python
import asyncio
from collections.abc import AsyncGenerator


async def ticks(count: int) -> AsyncGenerator[int]:
    for number in range(count):
        await asyncio.sleep(1)
        yield number
```

## When it is fine

`AsyncGenerator`, `AsyncIterator`, `AsyncIterable` and names that stand for them; a method whose base class declares it;
functions under `@asynccontextmanager`, such as a lifespan, which nobody iterates; fixtures of tests. Before Python 3.13
`AsyncGenerator` takes a second argument: `AsyncGenerator[int, None]`.

## Known limits

A method of a class whose base comes from a library is left alone, as the base may declare it. An annotation that is an unknown
name is believed. The type of the items is not compared with what is yielded.

## Fix safety

Safe: an annotation changes nothing at run time, and a function with a decorator that might read it is left alone. The type of the items is what
every `yield` shows, what a wrong annotation said, or `Any`: narrow it where you know more. A generator that takes what is sent to it is
left alone.

## References

- [Python documentation, `collections.abc.AsyncGenerator`](https://docs.python.org/3/library/collections.abc.html#collections.abc.AsyncGenerator) and `typing.AsyncGenerator`
- PEP 525, "Asynchronous Generators"
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.generators import badly_annotated
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report generators whose signature does not say that they stream."""
    for function, annotation in badly_annotated(project):
        problem = f"declares `{annotation}`" if annotation else "declares no return type"
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(function, _signature(function)),
            function=function.qualname,
            message=f"`{function.name}` is an asynchronous generator and {problem}; write `-> AsyncGenerator[...]`",
            advice="Name the type of the items: `-> AsyncGenerator[Item]`, before Python 3.13 `-> AsyncGenerator[Item, None]`.",
        )


def _signature(function: Function) -> tree.Node:
    node = function.node
    assert isinstance(node, tree.FunctionDef)
    return tree.Node(node.start, node.name_start + len(node.name.encode()))


RULE = Rule(code="AV401", name="unannotated-async-generator", severity=Severity.MEDIUM, item=9, check=check, fix="safe")
