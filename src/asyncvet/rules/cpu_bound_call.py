"""Checks for long computations on the event loop: loading and running models, password hashing, parsing of images, audio, data
frames and large documents, training, compression, and checksums of whole uploads.

## Why is this bad?

A computation holds the loop's thread as a blocking call does: no other request is served until it ends. Hashing one password
takes tens to hundreds of milliseconds, a model's answer seconds, loading it minutes. A checksum takes about a second for each gigabyte
of an upload, and whoever uploads decides how large it is.

In [the harm lab](../../harm.md#parsing-on-the-loop), with the text of a PDF's page extracted on the loop, the loop stands still
for up to 206 ms and `/health` takes 183 ms at p99, against 56 ms in the good form.

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
reaches. Checksums of texts, keys and tokens, of one chunk at a time, and of anything but what one call has read to its end from
an upload, a request's body or a file; signatures by `hmac`.

## Known limits

Only calls of known libraries count: a loop written in Python over large data is not seen. How large an input is at run time is
not known: a limit of a few megabytes on uploads, wherever it is set, makes their checksum harmless. A parameter `bytes = File()` is
not seen as an upload.

## Fix safety

Unsafe, as other coroutines run where none could before: the call in the coroutine that the chain starts in becomes
`await asyncio.to_thread(call, ...)`. That frees the loop where the library lets go of the interpreter's lock; a computation in Python
itself wants a process. Left alone is what blocking-call leaves alone.

## References

- [Python documentation, "Developing with asyncio", section "Running Blocking Code"](https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code)
- Python documentation, `asyncio.to_thread` and `concurrent.futures.ProcessPoolExecutor`
"""

from collections.abc import Iterator

from asyncvet.graph.hashing import Hashed, hashed_at_once
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report long computations on the loop."""
    for stall in project.stalls("cpu"):
        what = f"`{stall.call}` computes on the event loop"
        if not stall.is_direct:
            what += f": it reaches `{stall.sink.name}`"
        yield project.stall_finding(RULE, stall, f"{what}; {project.remedy(stall)}")
    for hashed in hashed_at_once(project):
        yield _of_whole(hashed, project)


def _of_whole(hashed: Hashed, project: Project) -> Finding:
    first, last = hashed.way[0], hashed.way[-1]
    call = shown(first.node)
    where = "" if first is last else f" by `{shown(last.node)}`"
    read = shown(hashed.source)
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=Severity.LOW if hashed.is_body else Severity.MEDIUM,
        span=project.span(hashed.function, first.node),
        function=hashed.function.qualname,
        message=f"`{call}` hashes all that `{read}` gives on the event loop{where}, however large that is; "
        "hash it in a function that `asyncio.to_thread` runs",
        chain=tuple(project.frame(site.scope, site.node) for site in hashed.way),
        runs_in=project.contexts.runs_in(hashed.function),
    )


RULE = Rule(code="AV103", name="cpu-bound-call", severity=Severity.HIGH, item=2, check=check, fix="unsafe")
