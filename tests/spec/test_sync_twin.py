"""The sync twin differs from the text by async and await alone."""

import pytest

from tests.spec.sync_twin import strip_async


@pytest.mark.parametrize(
    ("text", "twin"),
    [
        ("async def f():\n    pass\n", "def f():\n    pass\n"),
        ("    async  with a as b, c:\n", "    with a as b, c:\n"),
        ("async for x in y: pass\n", "for x in y: pass\n"),
        ("x = [await y async for y in z]\n", "x = [y for y in z]\n"),
        ("return await(f(await g()))\n", "return (f(g()))\n"),
        ("s = 'async def await'  # await async\n", "s = 'async def await'  # await async\n"),
        ("import asyncio\nasyncio.awaited(async_=1)\n", "import asyncio\nasyncio.awaited(async_=1)\n"),
        ('x = "é"; await f()\n', 'x = "é"; f()\n'),
        ("x = (await\n  f())\n", "x = (\n  f())\n"),
    ],
)
def test_strip_async(text: str, twin: str) -> None:
    """Only the two keywords go; strings, comments and names that hold them stay."""
    indented = text.startswith(" ")
    assert strip_async(f"if 1:\n{text}        pass\n" if indented else text) == (
        f"if 1:\n{twin}        pass\n" if indented else twin
    )
