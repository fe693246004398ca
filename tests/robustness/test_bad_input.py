"""Input that nobody hopes for: the command says what it could not read, reports the rest, and ends."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from asyncvet.cli import main

SLEEP = "import time\n\n\nasync def main():\n    time.sleep(1)\n"
"""A file with a finding in line 5."""

SLOWEST = 60
"""Seconds that a review of one odd file may take on a slow, busy machine. Most take one."""


class Outcome(NamedTuple):
    """Status, findings as path and line, and errors as path, line and message."""

    status: int
    findings: list[tuple[str, int]]
    errors: list[tuple[str, int | None, str]]


def reviewed(folder: Path, files: dict[str, str | bytes], capsys: pytest.CaptureFixture[str]) -> Outcome:
    """What `asyncvet check --select AV101` says of files, and of a sound one beside them, which is left out of the outcome."""
    for path, content in {**files, "sound.py": SLEEP}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
    os.chdir(folder)
    started = time.monotonic()
    status = main(["check", "--format", "json", "--select", "AV101"])
    assert time.monotonic() - started < SLOWEST
    out, err = capsys.readouterr()
    report = json.loads(out)
    findings = [(finding["path"], finding["line"]) for finding in report["findings"]]
    findings.remove(("sound.py", 5))
    assert err == ""
    return Outcome(status, sorted(findings), [(error["path"], error["line"], error["message"]) for error in report["errors"]])


@pytest.fixture(autouse=True)
def _come_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


ENCODED: dict[str, tuple[bytes, list[int], list[tuple[int | None, str]]]] = {
    "latin-1": (b"# coding: latin-1\nname = '\xe9'\n" + SLEEP.encode(), [7], []),
    "byte order mark": (b"\xef\xbb\xbf" + SLEEP.encode(), [5], []),
    "utf-16": (SLEEP.encode("utf-16"), [], [(None, "line 1 is not valid utf-8: invalid start byte")]),
    "undecodable": (b"name = '\xff'\n" + SLEEP.encode(), [], [(None, "line 1 is not valid utf-8: invalid start byte")]),
    "unknown encoding": (b"# coding: klingon\n", [], [(None, "the file cannot be decoded: unknown encoding: klingon")]),
    "crlf": (SLEEP.replace("\n", "\r\n").encode(), [5], []),
    "cr": (SLEEP.replace("\n", "\r").encode(), [5], []),
    "nul bytes": (b"name = '\0'\n" + SLEEP.encode(), [6], [(1, "the file contains NUL bytes")]),
    "empty": (b"", [], []),
    "conflict": (b"<<<<<<< HEAD\n" + SLEEP.encode(), [6], [(1, "invalid syntax: <<<<<<< HEAD")]),
}


@pytest.mark.parametrize("name", ENCODED)
def test_bytes(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What can be read of a file is reviewed, what cannot is told."""
    content, lines, errors = ENCODED[name]
    expected = Outcome(1, [("a.py", line) for line in lines], [("a.py", *error) for error in errors])
    assert reviewed(tmp_path, {"a.py": content}, capsys) == expected


def test_a_block_that_is_still_being_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The head alone is reported as it stands, and nothing breaks down over the body that is not there."""
    typed = "async def f(path):\n    with open(path) as file:\n"
    assert reviewed(tmp_path, {"typed.py": typed}, capsys) == Outcome(1, [("typed.py", 2)], [])


def test_a_file_that_may_not_be_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "closed.py":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    expected = Outcome(1, [], [("closed.py", None, "cannot be read: Permission denied")])
    assert reviewed(tmp_path, {"closed.py": SLEEP}, capsys) == expected


def test_nothing_but_what_cannot_be_read_is_no_clean_bill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The text says so before it says that nothing was found."""
    (tmp_path / "a.py").write_bytes(SLEEP.encode("utf-16"))
    assert main(["check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "Could not be read; findings may be missing:",
        "  a.py: line 1 is not valid utf-8: invalid start byte",
        "",
        "No findings",
    ]


@pytest.mark.parametrize("name", ["my-script.py", "1st.py", "a b.py", "a.b.py", "class.py", "é\n.py", "some-folder/x.py", "-.py"])
def test_a_file_whose_name_is_no_identifier_is_reviewed(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reviewed(tmp_path, {name: SLEEP}, capsys) == Outcome(1, [(name, 5)], [])


def test_a_module_of_the_project_stands_for_that_of_the_standard_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files: dict[str, str | bytes] = {
        "queue.py": "import time\n\n\nclass Queue:\n    def get(self):\n        return 1\n\n    def put(self):\n        time.sleep(1)\n",
        "logging.py": "def getLogger(): ...\n",
        "app.py": "import queue\n\n\nasync def main():\n    queue.Queue().get()\n    queue.Queue().put()\n",
    }
    assert reviewed(tmp_path, files, capsys) == Outcome(1, [("app.py", 6)], [])


def test_what_is_reviewed_never_runs(tmp_path: Path) -> None:
    """The command starts in a folder whose modules are named as those that it imports itself."""
    for name in ("logging", "queue", "json", "argparse", "msgspec", "asyncio"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name} ran')\n")
    (tmp_path / "app.py").write_text(SLEEP)
    command = [sys.executable, "-m", "asyncvet", "check", "--select", "AV101", "app.py"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=SLOWEST)
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.startswith("app.py:5:5: AV101")


CIRCLES: dict[str, tuple[dict[str, str], list[tuple[str, int]]]] = {
    "imports": (
        {
            "a.py": "import b\nimport time\nfrom b import g\n\n\ndef f():\n    time.sleep(1)\n\n\nasync def m():\n    g()\n    b.h()\n",
            "b.py": "import a\nfrom a import f\n\n\ndef g():\n    f()\n\n\ndef h():\n    a.f()\n",
        },
        [("a.py", 11), ("a.py", 12)],
    ),
    "star imports": (
        {
            "a.py": "import time\nfrom b import *\n\n\ndef f():\n    time.sleep(1)\n\n\nasync def m():\n    g()\n    missing()\n",
            "b.py": "from a import *\nfrom b import *\n\n\ndef g():\n    f()\n",
        },
        [("a.py", 10)],
    ),
    "re-exports": (
        {
            "p/__init__.py": "from p.a import f, x\n",
            "p/a.py": "from p import x\nfrom p.b import f\n",
            "p/b.py": "from p import f\nfrom p.a import f as again\n\n\nasync def m():\n    f()\n    again()\n",
        },
        [],
    ),
    "imports of itself": (
        {
            "a.py": "import a.b.c\nfrom . import a\nfrom ....... import x\nfrom .a import a as b\n\n\n"
            "async def m():\n    a()\n    b()\n    x()\n"
        },
        [],
    ),
    "base classes": (
        {
            "a.py": "import time\n\n\nclass A(B):\n    def f(self):\n        time.sleep(1)\n        super().f()\n\n\nclass B(A): ...\n\n\n"
            "class C(C): ...\n\n\nasync def m(a: A, b: B, c: C):\n    a.f()\n    b.f()\n    b.g()\n    c.h()\n",
        },
        [("a.py", 17), ("a.py", 18)],
    ),
    "a class that is its own base through an import": (
        {
            "a.py": "from b import A\n\n\nclass A(A): ...\n\n\nasync def m():\n    A().f()\n",
            "b.py": "from a import A\n\n\nclass A(A): ...\n",
        },
        [],
    ),
    "aliases of types": (
        {
            "a.py": "import time\nfrom typing import Dict, List, Union\n\nJson = Union[Dict[str, 'Json'], List['Json'], str]\n"
            "type Tree = dict[str, Tree] | list[Tree]\nA = 'B'\nB = 'A'\nC = list['C']\n\n\n"
            "async def m(x: Json, y: Tree, z: A, c: C):\n    x.get('a').get('b')\n    y['a']['b'].f()\n    z.f()\n"
            "    for i in c:\n        i.f()\n    time.sleep(1)\n",
        },
        [("a.py", 17)],
    ),
    "decorators": (
        {
            "a.py": "import time\n\n\n@deco\ndef deco(f):\n    @deco\n    def inner():\n        return f()\n\n    return inner\n\n\n"
            "@deco\nasync def m():\n    time.sleep(1)\n    deco(m)()\n\n\n@K.f\nclass K:\n    f = K\n",
        },
        [("a.py", 15)],
    ),
    "values": (
        {
            "a.py": "import time\n\nx = x.y\n\n\nclass A:\n    def __init__(self):\n        self.a = self.a.b\n        self.b = self.c\n"
            "        self.c = self.b\n\n\nasync def m():\n    global x\n    x = x.y\n    for x in x:\n        x = x(x)\n"
            "    A().a.b.c()\n    f = lambda: f()\n    f()\n    time.sleep(1)\n",
        },
        [("a.py", 21)],
    ),
    "iterators": (
        {
            "a.py": "import time\nfrom collections import defaultdict\n\n\nclass A:\n    def __iter__(self):\n        return self\n\n"
            "    def next(self):\n        return 1\n\n    __next__ = next\n\n\nclass B:\n    def __iter__(self):\n        return C()\n\n\n"
            "class C:\n    def __iter__(self):\n        return B()\n\n\ntable = defaultdict(defaultdict)\n"
            "deep = defaultdict(lambda: defaultdict(defaultdict))\n\n\nasync def m():\n    for a in A():\n        a.f()\n"
            "    for b in B():\n        b.f()\n    table[1].f()\n    deep[1][2].f()\n    time.sleep(1)\n",
        },
        [("a.py", 36)],
    ),
    "names that test themselves": (
        {
            "a.py": "import time\n\n\ndef g(loop=None):\n    loop = loop if loop else other\n    if loop:\n        time.sleep(1)\n\n\n"
            "async def m():\n    g()\n",
        },
        [("a.py", 11)],
    ),
    "lambdas": (
        {
            "a.py": "import time\n\nf = lambda x: x(x)\n\n\nasync def m():\n    f(f)\n    (lambda x: x(x))(lambda x: x(x))\n"
            "    time.sleep(1)\n",
        },
        [("a.py", 9)],
    ),
    "calls": (
        {
            "a.py": "import time\n\n\n"
            + "".join(f"def f{i}(x):\n    return f{(i + 1) % 300}(x) or f{(i + 7) % 300}(x)\n" for i in range(300))
            + "\n\nasync def m():\n    f0(1)\n    time.sleep(1)\n",
        },
        [("a.py", 608)],
    ),
}


@pytest.mark.parametrize("name", CIRCLES)
def test_circles_end(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What leads back to itself is followed once; what can be told is told."""
    files, findings = CIRCLES[name]
    assert reviewed(tmp_path, dict(files), capsys) == Outcome(1, findings, [])


LARGE: dict[str, tuple[str, list[int]]] = {
    "parentheses": (f"x = {'(' * 5000}1{')' * 5000}\n{SLEEP}", [6]),
    "a chain of calls": (
        "import time\n\n\n"
        + "".join(f"def f{i}():\n    f{i + 1}()\n" for i in range(200))
        + "def f200():\n    time.sleep(1)\nasync def m():\n    f0()\n",
        [407],
    ),
    "a line of base classes": (
        "import time\n\n\nclass C0:\n    def f(self):\n        time.sleep(1)\n"
        + "".join(f"class C{i + 1}(C{i}): ...\n" for i in range(1000))
        + "async def m():\n    C1000().f()\n",
        [1008],
    ),
    "methods": (
        "import time\n\n\nclass A:\n"
        + "".join(f"    def m{i}(self):\n        return self.m{i ^ 1}()\n" for i in range(3000))
        + "    async def m(self):\n        self.m0()\n        time.sleep(1)\n",
        [6007],
    ),
    "assignments": (
        "import time\n\n\nasync def m(x):\n" + "".join(f"    x = f(x, {i})\n" for i in range(20_000)) + "    time.sleep(1)\n",
        [20_005],
    ),
    "assignments that may not be made": (
        "import time\n\n\nasync def m(x):\n" + "    if x:\n        x = f(x)\n    x.g()\n" * 2000 + "    time.sleep(1)\n",
        [6005],
    ),
    "a generated client": (
        "import requests\n\n\nclass Client:\n    def send(self, path, **body):\n        return requests.post(path, json=body)\n"
        + "".join(
            f"\n    def call_{i}(self, a{i}: int = {i}, *, b: str | None = None, **more: object) -> dict[str, object]:\n"
            f'        """Call {i}."""\n        body = {{"a": a{i}, "b": b, **more}}\n        return self.send("/{i}", **body)\n'
            for i in range(10_000)
        )
        + "\n\nasync def m(client: Client):\n    client.call_9999(1)\n",
        [50_010],
    ),
    "functions in functions": (
        "".join("  " * level + f"def f{level}():\n" for level in range(90))
        + "".join(" " * 180 + line + "\n" for line in SLEEP.split("\n")),
        [95],
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_code_ends(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a generator of code may write takes no more than some seconds."""
    source, lines = LARGE[name]
    assert reviewed(tmp_path, {"a.py": source}, capsys) == Outcome(1, [("a.py", line) for line in lines], [])


def test_ten_megabytes_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table as generators write it. Larger files are read only if they are named."""
    source = "TABLE = [\n" + "    (1, 'some text', None, 2.5, {'key': 0}),\n" * 230_000 + "]\n" + SLEEP
    assert len(source) > 10_000_000
    assert reviewed(tmp_path, {"a.py": source}, capsys) == Outcome(1, [("a.py", 230_007)], [])
