"""Evidence: what each item of the checklist speaks of in the code, and where the pattern that it asks for stands."""

import textwrap

import pytest

from asyncvet.catalogue import Catalogue
from asyncvet.facts import extract
from asyncvet.graph import link
from asyncvet.graph.evidence import evidence

CATALOGUE = Catalogue.bundled()


def lines(item: int, source: str) -> tuple[list[int], list[int]]:
    """Lines of what an item speaks of, and of its good pattern."""
    project = link({"app.py": extract(textwrap.dedent(source).encode())}, CATALOGUE)
    (found,) = (each for each in evidence(project) if each.item == item)
    return [span.line for span in found.subjects], [span.line for span in found.good]


CASES = {
    1: (
        """\
        import asyncio
        async def main():
            await asyncio.sleep(1)
        def plain(): pass
        """,
        [2],
        [3],
    ),
    2: (
        """\
        import asyncio, bcrypt
        async def main():
            await asyncio.to_thread(bcrypt.hashpw, b"a", b"b")
        def plain():
            return bcrypt.hashpw(b"a", b"b")
        """,
        [5],
        [3],
    ),
    3: (
        """\
        import asyncio, httpx
        lock = asyncio.Lock()
        async def main():
            async with httpx.AsyncClient() as client, lock, asyncio.timeout(3):
                pass
        """,
        [4],
        [4],
    ),
    4: (
        """\
        import asyncio, threading
        lock, thread_lock = asyncio.Lock(), threading.Lock()
        cache = {}
        async def main(key):
            async with lock:
                cache[key] = local = 1
            with thread_lock:
                pass
        """,
        [6, 7],
        [5],
    ),
    5: (
        """\
        import asyncio
        one = asyncio.Lock()
        many: dict[str, asyncio.Lock] = {}
        async def main(key):
            async with one:
                pass
            async with many[key]:
                pass
        """,
        [5, 7],
        [7],
    ),
    6: (
        """\
        import asyncio
        async def work(): pass
        async def main():
            task = asyncio.create_task(work())
            asyncio.create_task(work())
            await task
        """,
        [4, 5],
        [4],
    ),
    7: (
        """\
        import asyncio
        async def work():
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                raise
        async def main():
            await asyncio.create_task(work())
        """,
        [2],
        [5],
    ),
    8: (
        """\
        import asyncio
        from contextlib import suppress
        async def stop(task: asyncio.Task, order):
            task.cancel()
            order.cancel()
            with suppress(asyncio.CancelledError):
                await task
        """,
        [4],
        [6],
    ),
    9: (
        """\
        from collections.abc import AsyncIterator
        from contextlib import asynccontextmanager
        async def good() -> AsyncIterator[int]:
            yield 1
        async def bad():
            yield 1
        @asynccontextmanager
        async def other():
            yield 1
        """,
        [3, 5],
        [3],
    ),
    10: (
        """\
        async def stream(source):
            async for item in source:
                yield item
            [item async for item in source]
        """,
        [1, 4],
        [2],
    ),
    11: (
        """\
        import asyncio
        async def main(a, b):
            await asyncio.gather(a, b)
            await asyncio.wait([a, b])
        """,
        [3, 4],
        [3],
    ),
    12: (
        """\
        import asyncio
        async def main(a, b):
            await asyncio.gather(a, b)
            async with asyncio.TaskGroup() as group:
                group.create_task(a)
        """,
        [3, 5],
        [4],
    ),
    13: (
        """\
        import asyncio
        from fastapi import FastAPI
        app = FastAPI()
        @app.get("/a")
        async def a():
            await asyncio.sleep(1)
        @app.get("/b")
        def b(): pass
        """,
        [5, 8],
        [5],
    ),
    14: (
        """\
        from contextlib import asynccontextmanager
        from fastapi import FastAPI
        @asynccontextmanager
        async def lifespan(app):
            yield
        app = FastAPI(lifespan=lifespan)
        @app.on_event("startup")
        async def start(): pass
        """,
        [4, 8],
        [4],
    ),
    15: (
        """\
        from fastapi import Depends, FastAPI
        app = FastAPI()
        async def one(): pass
        def two(): pass
        @app.get("/")
        async def a(x=Depends(one), y=Depends(two)): pass
        """,
        [3, 4],
        [3],
    ),
    16: (
        """\
        from celery import shared_task
        @shared_task
        def good(): pass
        @shared_task
        async def bad(): pass
        """,
        [3, 5],
        [3],
    ),
    17: (
        """\
        import asyncio
        from functools import partial
        from celery import shared_task
        @shared_task
        def job(): pass
        async def main(own):
            result = job.delay()
            result.get()
            job()
            await asyncio.to_thread(job.apply_async, [1])
            await own(partial(job.apply_async, args=[1]))
        """,
        [7, 8, 9, 10, 11],
        [7, 10, 11],
    ),
    18: (
        """\
        async def main(work):
            try:
                await work()
            except ValueError as error:
                raise KeyError from error
            except KeyError:
                pass
        """,
        [4, 6],
        [4],
    ),
    19: (
        """\
        import asyncio, requests
        async def main(work):
            await asyncio.wait_for(work(), 3)
        def plain():
            requests.get("a", timeout=3)
            requests.get("a", timeout=None)
        """,
        [5, 6],
        [3, 5],
    ),
}


@pytest.mark.parametrize("item", CASES)
def test_an_item(item: int) -> None:
    source, subjects, good = CASES[item]
    assert lines(item, source) == (subjects, good)


def test_every_item_has_a_case() -> None:
    assert [each.item for each in evidence(link({}, CATALOGUE))] == list(CASES) == list(range(1, 20))


def test_code_without_a_loop_has_none() -> None:
    project = link({"app.py": extract(b"def f(x):\n    return x.get()\n")}, CATALOGUE)
    assert [each.item for each in evidence(project) if each.subjects or each.good] == []
