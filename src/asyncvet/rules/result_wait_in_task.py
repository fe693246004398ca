"""Checks for Celery tasks that wait for the result of another task.

## Why is this bad?

The waiting task keeps its worker process, so the task that it waits for must find another one. Once every process of the pool
waits, none is left to run what they wait for: the workers stand still for ever, under load first. Celery raises a `RuntimeError`
for this where it can see it.

## Example

```python
from celery import shared_task


@shared_task
def resize(path: str) -> str:
    return path


@shared_task
def publish(path: str) -> None:
    small = resize.delay(path).get()
    print(small)
```

Use instead:

```python
from celery import chain, shared_task


@shared_task
def resize(path: str) -> str:
    return path


@shared_task
def announce(path: str) -> None:
    print(path)


def publish(path: str) -> None:
    chain(resize.s(path), announce.s()).delay()
```

## When it is fine

A `chain`, `group` or `chord`; a wait that says it is meant, by `allow_join_result()` or `disable_sync_subtasks=False`; a result
whose state the code has asked for before; a task whose body is called or applied here.

## Known limits

That the two tasks use different workers, which makes the wait wasteful and not deadly, is not seen. A result whose type the
source does not tell is not seen.

## Fix safety

There is no automatic fix: what comes after the wait becomes a task of its own.

## References

- [Celery documentation, "Tasks", section "Avoid launching synchronous subtasks"](https://docs.celeryq.dev/en/stable/userguide/tasks.html#avoid-launching-synchronous-subtasks)
- Celery documentation, "Canvas: Designing Work-flows"
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph import celery, walk
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function, last_name, shown
from asyncvet.graph.sites import CallSite
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_POLLED = frozenset({"celery.result.AsyncResult.ready", "celery.result.ResultSet.ready"})


def check(project: Project) -> Iterator[Finding]:
    """Report waits for tasks in code that a task runs."""
    for function in project.functions:
        for site in project.sites(function):
            if not _waits(site) or celery.is_allowed_to_wait(site):
                continue
            tasks = _tasks(function, project)
            if tasks:
                yield Finding(
                    code=RULE.code,
                    name=RULE.name,
                    item=RULE.item,
                    severity=RULE.severity,
                    span=project.span(function, site.node),
                    function=function.qualname,
                    message=f"`{shown(site.node)}` waits for another task in a Celery task, whose worker process stands still; "
                    "use a `chain` or `chord`",
                    chain=tuple(project.frame(function, node) for node in (site.node, *_sleeps(site))),
                    advice="Once every process of the pool waits, nothing is left to run what they wait for.",
                    runs_in=tasks,
                )


def _waits(site: CallSite) -> bool:
    """Whether a call waits for a result, or asks for its state in a `while` loop that sleeps in between."""
    if any(call.api.category == "celery-result" and call.name.startswith("celery.result.") for call in site.apis):
        return not celery.is_known_ready(site)
    loop = site.site.statement
    return isinstance(loop, tree.While) and any(name in _POLLED for name in site.names) and bool(_sleeps(site))


def _sleeps(site: CallSite) -> list[tree.Call]:
    """Where a `while` loop that asks for the state of a result sleeps before it asks again."""
    loop = site.site.statement
    nodes = walk.nodes(loop.body) if isinstance(loop, tree.While) else iter(())
    return [node for node in nodes if isinstance(node, tree.Call) and last_name(node.func) == "sleep"][:1]


def _tasks(function: Function, project: Project) -> tuple[str, ...]:
    return tuple(f"{entry.where}: {entry.label}" for entry in celery.entries(function, project))


RULE = Rule(code="AV705", name="result-wait-in-task", severity=Severity.HIGH, item=16, check=check, needs_loop=False)
