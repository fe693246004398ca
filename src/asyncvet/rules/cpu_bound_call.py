"""Checks for long computations on the event loop: loading and running models, password hashing, parsing of images, audio, data
frames and large documents, training, and compression.

## Why is this bad?

A computation holds the loop's thread as a blocking call does: no other request is served until it ends. Hashing one password
takes tens to hundreds of milliseconds, a model's answer seconds, loading it minutes.

## Example

```python
import bcrypt


async def register(password: bytes) -> bytes:
    return bcrypt.hashpw(password, bcrypt.gensalt())
```

Use instead:

```python
import asyncio

import bcrypt


async def register(password: bytes) -> bytes:
    return await asyncio.to_thread(bcrypt.hashpw, password, bcrypt.gensalt())
```

## When it is fine

The same work in `asyncio.to_thread`, an executor or a process pool; small constant inputs; work that no asynchronous code
reaches.

## Known limits

Only calls of known libraries count: a loop written in Python over large data is not seen. How large an input is at run time is
not known.

## Fix safety

There is no automatic fix: work that holds the interpreter's lock wants a process, not a thread.

## References

- Python documentation, "Developing with asyncio", section "Running Blocking Code"
- Python documentation, `asyncio.to_thread` and `concurrent.futures.ProcessPoolExecutor`
"""

from collections.abc import Iterator

from asyncvet.graph.project import Project
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report long computations on the loop."""
    for stall in project.stalls("cpu"):
        what = f"`{stall.call}` computes on the event loop"
        if not stall.is_direct:
            what += f": it reaches `{stall.sink.name}`"
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            message=f"{what}; {project.remedy(stall)}",
            **project.stall_details(stall, RULE.severity),
        )


RULE = Rule(code="AV103", name="cpu-bound-call", severity=Severity.HIGH, item=2, check=check)
