"""Imports that an edit adds or leaves unused: where they go is checked by the tool that teams sort them with."""

import subprocess
import sys
from pathlib import Path

import pytest

from asyncvet.catalogue import Catalogue
from asyncvet.facts import extract, tree
from asyncvet.fix.code import Code, Need
from asyncvet.fix.imports import import_changes
from asyncvet.fix.text import Change, Text
from asyncvet.graph import link

CATALOGUE = Catalogue.bundled()
HEADS = [
    "",
    '"""Doc."""\n\n',
    '"""Doc."""\nx = 1\n',
    "# licence\n\n",
    "import abc\n\n",
    "import zlib\n\n",
    "import abc\nfrom zlib import crc32\n\n",
    "from __future__ import annotations\n\nimport zlib\n\nimport httpx\n\nfrom . import other\n\n",
    "import httpx\nfrom fastapi import FastAPI\n\n",
    "from __future__ import annotations\n\n",
    "from . import other\n\n",
    "from contextlib import AsyncExitStack, aclosing\n\n",
    "from contextlib import AsyncExitStack, aclosing, asynccontextmanager, nullcontext\n\n",
    "import abc\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import asyncio\n\n",
    "import abc  # for classes\n\n# of others\nimport httpx\n\n",
    "from contextlib import (\n    AsyncExitStack,\n    aclosing,\n"
    "    asynccontextmanager,\n    closing,\n    redirect_stdout,\n)\n\n",
]
"""What stands at the top of a file; each sorted."""

NEEDS = [
    (Need("asyncio"),),
    (Need("contextlib", "suppress"),),
    (Need("asyncio"), Need("contextlib", "suppress"), Need("collections.abc", "AsyncIterator"), Need("typing", "Any")),
    (Need("contextlib", "AbstractContextManager"), Need("contextlib", "suppress")),
]


def code(source: str, **others: str) -> Code:
    texts = {"app.py": source, **{f"{name}.py": text for name, text in others.items()}}
    project = link({path: extract(text.encode()) for path, text in texts.items()}, CATALOGUE)
    text = Text.read(source.encode())
    assert text is not None
    return Code(project, project.modules["app.py"], text, {})


def edited(source: str, *needs: Need, gone: str = "", **others: str) -> str:
    """The source with some imports added and a piece of its code gone."""
    found = code(source, **others)
    changes = [Change(source.index(gone), source.index(gone) + len(gone), "pass")] if gone else []
    return found.text.changed([*changes, *import_changes(found, changes, needs)]).decode()


def test_sorted_into_place(tmp_path: Path) -> None:
    """What was sorted is sorted with more imports, each is there once, and adding them again changes nothing."""
    for number, head in enumerate(HEADS):
        source = f"{head}\ndef main() -> None:\n    pass\n".removeprefix("\n")
        (tmp_path / f"before_{number}.py").write_text(source)
        for other, needs in enumerate(NEEDS):
            result = edited(source, *needs)
            (tmp_path / f"after_{number}_{other}.py").write_text(result)
            assert [need for need in needs if not is_imported(need, result)] == []
            assert edited(result, *needs) == result
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "I", "."]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout == "All checks passed!\n"


def is_imported(need: Need, source: str) -> bool:
    """Whether the top of a file imports what is needed, once."""
    found = [
        (name if need.name else None)
        for statement in extract(source.encode()).body
        if isinstance(statement, tree.Import | tree.ImportFrom)
        for name, _ in statement.names
        if (isinstance(statement, tree.ImportFrom) and (statement.module, name) == (need.module, need.name))
        or (isinstance(statement, tree.Import) and (name, None) == (need.module, need.name))
    ]
    return found == [need.name]


@pytest.mark.parametrize(
    ("source", "gone", "left"),
    [
        ("import abc\nimport time\n\ntime.sleep(1)\n", "time.sleep(1)", "import abc\n\npass\n"),
        ("import time\n\nimport httpx\n\ntime.sleep(1)\n", "time.sleep(1)", "import httpx\n\npass\n"),
        ("from time import sleep, time\n\nsleep(time())\n", "sleep(time())", "pass\n"),
        (
            "from time import sleep, time\n\nsleep(1)\nprint(time())\n",
            "sleep(1)",
            "from time import time\n\npass\nprint(time())\n",
        ),
        ("import time\n\ntime.sleep(1)\ntime.time()\n", "time.sleep(1)", "import time\n\npass\ntime.time()\n"),
        ("import time\n\n__all__ = ['time']\ntime.sleep(1)\n", "time.sleep(1)", "import time\n\n__all__ = ['time']\npass\n"),
        ("import time  # noqa\n\ntime.sleep(1)\n", "time.sleep(1)", "import time  # noqa\n\npass\n"),
        ("import time as time\n\ntime.sleep(1)\n", "time.sleep(1)", "import time as time\n\npass\n"),
        ("import abc\n\nx = 1\n", "x = 1", "import abc\n\npass\n"),
        ("def f():\n    import time\n    time.sleep(1)\n", "time.sleep(1)", "def f():\n    pass\n"),
        (
            "try:\n    import time\nexcept ImportError:\n    pass\ntime.sleep(1)\n",
            "time.sleep(1)",
            "try:\n    import time\nexcept ImportError:\n    pass\npass\n",
        ),
        (
            "import time\n\ndef f(x: 'time.struct_time'):\n    time.sleep(1)\n",
            "time.sleep(1)",
            "import time\n\ndef f(x: 'time.struct_time'):\n    pass\n",
        ),
    ],
)
def test_left_unused(source: str, gone: str, left: str) -> None:
    """An import goes if nothing but what has gone used it, and it says of itself nothing else."""
    assert edited(source, gone=gone) == left


def test_one_that_another_file_takes_stays() -> None:
    source = "import abc\nimport time\n\ntime.sleep(1)\n"
    assert edited(source, gone="time.sleep(1)", other="from app import time\n") == source.replace("time.sleep(1)", "pass")


def test_one_goes_where_another_comes() -> None:
    source = "import time\n\nimport httpx\n\ntime.sleep(1)\n"
    assert edited(source, Need("asyncio"), gone="time.sleep(1)") == "import asyncio\n\nimport httpx\n\npass\n"
