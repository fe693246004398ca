"""Checks for file-system metadata calls on the event loop: `exists`, `stat`, `mkdir`, `unlink`, `listdir` and the like.

## Why is this bad?

On a local disk such a call takes microseconds and is often tolerable. On a network file system, an overlay or a sleeping disk it
takes as long as the other side likes, and the event loop waits with it.

## Example

```python
from pathlib import Path


async def has_model(name: str) -> bool:
    return Path("/models", name).exists()
```

Use instead:

```python
import asyncio
from pathlib import Path


async def has_model(name: str) -> bool:
    return await asyncio.to_thread(Path("/models", name).exists)
```

## When it is fine

The same call in a thread; code that no asynchronous code reaches; a service whose files are all on a fast local disk may ignore
this rule as a whole. What provably runs once, at start-up or in a command-line program, is not reported.

## Known limits

Of 63 findings drawn from ten packages and read sternly, all but one were true, and one was found worth an edit on its own: the rule is
for services whose files lie on a network share, and weighs little. It stays on because people who label faults of services do name such
calls; `min-severity = "medium"` leaves it out.
The tool does not know which file system a path is on. A path object whose type the source does not tell is not seen.

## Fix safety

Unsafe, as other coroutines run where none could before: the call becomes `await asyncio.to_thread(call, ...)`. Left alone is what blocking-call leaves alone.

## References

- [Python documentation, "Developing with asyncio", section "Running Blocking Code"](https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code)
- anyio documentation, "Asynchronous file I/O support"
"""

from collections.abc import Iterator

from asyncvet.graph.project import Project
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report metadata calls on the loop."""
    for stall in project.stalls("metadata"):
        if stall.runs_once:
            continue  # Microseconds, once in the life of a process, are worth no edit.
        what = f"`{stall.call}` touches the file system on the event loop"
        if stall.sink.api.category != "metadata":
            what = f"`{stall.call}` blocks the event loop for a short time"
        if not stall.is_direct:
            what += f": it reaches `{stall.sink.name}`"
        yield project.stall_finding(RULE, stall, f"{what}; {project.remedy(stall)}")


RULE = Rule(code="AV102", name="blocking-metadata-call", severity=Severity.LOW, item=1, check=check, fix="unsafe")
