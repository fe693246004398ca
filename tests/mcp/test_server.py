"""The agents' server, as a real process that the official client speaks with."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import TextContent

from asyncvet import rules
from asyncvet.mcp.preview import fix_diff
from asyncvet.model import Edit, Fix, Span

APP = dedent("""\
    from fastapi import FastAPI

    from helper import wait

    app = FastAPI()


    @app.get("/items")
    async def items():
        await something()
        wait()


    @app.get("/more")
    async def more():
        await something()
        wait()
    """)
WAITS = "import time\n\n\ndef wait():\n    time.sleep(5)\n"
HARMLESS = "def wait():\n    pass\n"

CAUSE = {
    "code": "AV101",
    "rule": "blocking-call",
    "severity": "critical",
    "path": "app.py",
    "line": 11,
    "column": 5,
    "function": "app.items",
    "message": "`wait()` blocks the event loop for up to 5 s: it reaches `time.sleep`; use `await asyncio.to_thread(wait)`",
    "chain": ["app.py:11 app.items: wait()", "helper.py:5 helper.wait: time.sleep(5)"],
    "runs_in": ["event-loop: route GET /items"],
    "scope": None,
    "fix": "run `wait` in a thread",
    "findings": 2,
    "also": ["app.py:17"],
}
TEXT = dedent("""\
    2 findings from 1 root cause: 2 critical

    app.py:11:5: AV101 blocking-call critical
      `wait()` blocks the event loop for up to 5 s: it reaches `time.sleep`; use `await asyncio.to_thread(wait)`
      | app.py:11 app.items: wait()
      | helper.py:5 helper.wait: time.sleep(5)
      runs in: event-loop: route GET /items
      also: app.py:17
      fix: run `wait` in a thread (fix_preview shows it)""")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with two routes that block in another file, by one root cause."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "helper.py").write_text(WAITS, encoding="utf-8")
    (tmp_path / "asyncvet.toml").write_text("ignore = ['AV601']\n", encoding="utf-8")
    return tmp_path


class Agent:
    """An agent that has started the server."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, tool: str, **arguments: object) -> tuple[dict[str, Any], str]:
        """What a tool answers: the structured content and the text."""
        result = await self.client.call_tool(tool, arguments)
        (content,) = result.content
        assert isinstance(content, TextContent)
        assert not result.is_error, content.text
        return result.structured_content or {}, content.text

    async def failed(self, tool: str, **arguments: object) -> str:
        """What a tool says that cannot answer, without the words that the library puts in front."""
        result = await self.client.call_tool(tool, arguments)
        (content,) = result.content
        assert isinstance(content, TextContent)
        assert (result.is_error, result.structured_content) == (True, None)
        return content.text.removeprefix(f"Error executing tool {tool}: ")


@asynccontextmanager
async def agent(folder: Path) -> AsyncIterator[Agent]:
    """An agent at work in a folder."""
    server = StdioServerParameters(command=sys.executable, args=["-m", "asyncvet", "mcp"], cwd=folder, env={**os.environ})
    async with Client(stdio_client(server)) as client:
        yield Agent(client)


async def write(file: Path, text: str) -> None:
    """Write a file as an agent would."""
    await asyncio.to_thread(file.write_text, text, encoding="utf-8")


def git(folder: Path, *arguments: str) -> None:
    """Run git with no configuration of the machine's user."""
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_tools(shop: Path) -> None:
    """Each tool says what it is for, that it changes nothing, and what its answer looks like."""

    async def scenario() -> None:
        async with agent(shop) as me:
            tools = (await me.client.list_tools()).tools
            assert {tool.name: sorted((tool.output_schema or {})["properties"]) for tool in tools} == {
                "check": ["by_severity", "causes", "findings", "next_cursor", "not_read", "root_causes", "verdicts"],
                "review_diff": ["by_severity", "causes", "findings", "next_cursor", "not_read", "root_causes", "verdicts"],
                "why": ["contexts", "explanation", "findings", "is_cut", "line", "path", "source"],
                "rule": ["page", "rules"],
                "fix_preview": ["code", "diff", "safety", "title"],
            }
            assert {(bool(tool.description), tool.annotations and tool.annotations.read_only_hint) for tool in tools} == {
                (True, True)
            }

    asyncio.run(scenario())


def test_check(shop: Path) -> None:
    """One root cause is one entry; what is on the disk counts at each call."""

    async def scenario() -> None:
        async with agent(shop) as me:
            whole = {
                "findings": 2,
                "root_causes": 1,
                "by_severity": {"critical": 2},
                "next_cursor": None,
                "not_read": [],
                "verdicts": {},
            }
            nothing = {**whole, "findings": 0, "root_causes": 0, "by_severity": {}, "causes": []}
            assert await me.call("check") == ({**whole, "causes": [CAUSE]}, TEXT)
            assert await me.call("check", path="helper.py") == (nothing, "0 findings from 0 root causes")
            assert await me.call("check", select=["AV102"]) == (nothing, "0 findings from 0 root causes")
            await write(shop / "helper.py", HARMLESS)
            assert await me.call("check") == (nothing, "0 findings from 0 root causes")
            await write(shop / "broken.py", "def f(:\n")
            answer, text = await me.call("check", min_severity="high")
            assert (answer["not_read"], text) == (
                ["broken.py:1: invalid syntax: missing )"],
                "0 findings from 0 root causes\nnot read: broken.py:1: invalid syntax: missing )",
            )

    asyncio.run(scenario())


def test_pages(shop: Path) -> None:
    """Pages keep to the bound, follow each other without a gap, and end when the code changes under them."""
    routes = "".join(f"\n\nasync def task_{number}():\n    time.sleep({number + 1})\n" for number in range(30))
    (shop / "many.py").write_text(f"import time\n{routes}", encoding="utf-8")

    async def scenario() -> None:
        async with agent(shop) as me:
            cursor, places, sizes = None, [], []
            while True:
                answer, text = await me.call("check", path="many.py", max_characters=1_000, cursor=cursor)
                places += [cause["line"] for cause in answer["causes"]]
                sizes.append(len(text))
                cursor = answer["next_cursor"]
                if cursor is None:
                    break
            assert places == [5 + 4 * number for number in range(30)]
            assert (len(sizes) > 5, max(sizes) < 1_200) == (True, True)
            first, _ = await me.call("check", path="many.py", max_characters=1_000)
            await write(shop / "many.py", f"import time\n{routes[40:]}")
            assert await me.failed("check", path="many.py", cursor=first["next_cursor"]) == (
                "the findings are others than when this cursor was given; leave it out and begin again"
            )

    asyncio.run(scenario())


def test_review_of_a_change(shop: Path) -> None:
    """Only what the change brings about, by git or by a diff, with the verdicts on it."""
    git(shop, "init", "-q")
    (shop / "helper.py").write_text(HARMLESS, encoding="utf-8")
    git(shop, "add", ".")
    git(shop, "commit", "-qm", "Begin")

    async def scenario() -> None:
        async with agent(shop) as me:
            answer, text = await me.call("review_diff")
            assert (answer["findings"], text.splitlines()[0]) == (0, "0 findings from 0 root causes")
            await write(shop / "helper.py", WAITS)
            answer, text = await me.call("review_diff")
            assert answer == {
                "findings": 2,
                "root_causes": 1,
                "by_severity": {"critical": 2},
                "causes": [{**CAUSE, "scope": "changed"}],
                "next_cursor": None,
                "not_read": [],
                "verdicts": {"FAIL": 1, "NOT APPLICABLE": 17, "NOT CHECKED": 1},
            }
            assert text.splitlines()[:4] == [
                "2 findings from 1 root cause: 2 critical",
                "checklist: 1 FAIL, 17 NOT APPLICABLE, 1 NOT CHECKED",
                "",
                "app.py:11:5: AV101 blocking-call critical (changed)",
            ]
            diff = await asyncio.to_thread(subprocess.check_output, ["git", "diff"], cwd=shop, text=True)
            assert (await me.call("review_diff", diff=diff))[0] == answer
            assert await me.failed("review_diff", diff="no diff") == "diff: is not a unified diff"
            assert await me.failed("review_diff", since="gone") == (
                f"there is no revision `gone` in {shop}; if it is a branch of a shallow clone, fetch it; or give the change itself as diff"
            )

    asyncio.run(scenario())


def test_why(shop: Path) -> None:
    """Where a line runs, in words and in parts; cut where it is too long."""

    async def scenario() -> None:
        async with agent(shop) as me:
            answer, text = await me.call("why", place="helper.py:5")
            assert answer == {
                "path": "helper.py",
                "line": 5,
                "source": "time.sleep(5)",
                "contexts": ["event-loop"],
                "findings": [],
                "explanation": text,
                "is_cut": False,
            }
            assert text.splitlines()[:6] == [
                "helper.py:5",
                "    time.sleep(5)",
                "",
                "def helper.wait  (helper.py:4)",
                "  runs on the event loop: route GET /items",
                "      ╰ app.py:11  wait()",
            ]
            assert (await me.call("why", place="app.py:11"))[0]["findings"] == ["AV101 blocking-call: reported"]
            assert await me.failed("why", place="app.py") == (
                "`app.py` is not a file, a colon and the number of a line, such as app/main.py:12"
            )
            assert await me.failed("why", place="app.py:99") == f"{shop / 'app.py'}: there is no line 99; the file has 17"

    asyncio.run(scenario())


def test_rules(shop: Path) -> None:
    """The page of a rule, or the list of all."""

    async def scenario() -> None:
        async with agent(shop) as me:
            rule = next(rule for rule in rules.load() if rule.code == "AV101")
            page = f"# blocking-call (AV101)\n\n{rule.page.text}"
            line = {"code": "AV101", "name": "blocking-call", "severity": "critical", "is_preview": False}
            assert await me.call("rule", name="blocking-call") == ({"rules": [line], "page": page}, page)
            answer, _ = await me.call("rule")
            assert [each["code"] for each in answer["rules"]] == [rule.code for rule in rules.load()]
            assert (
                await me.failed("rule", name="blocking-cal") == "there is no rule `blocking-cal`; did you mean `blocking-call`?"
            )

    asyncio.run(scenario())


def test_fix_preview(shop: Path) -> None:
    """The fix of a finding is shown and not made; what is no finding says what to do."""

    async def scenario() -> None:
        async with agent(shop) as me:
            diff = (
                dedent("""\
                --- a/app.py
                +++ b/app.py
                @@ -1,3 +1,5 @@
                +import asyncio
                +
                 from fastapi import FastAPI
                .
                 from helper import wait
                @@ -8,7 +10,7 @@
                 @app.get("/items")
                 async def items():
                     await something()
                -    wait()
                +    await asyncio.to_thread(wait)
                .
                .
                 @app.get("/more")
                """)
                .replace("\n.\n", "\n \n")
                .replace("\n.\n", "\n \n")
            )
            assert await me.call("fix_preview", path="app.py", line=11) == (
                {"code": "AV101", "title": "run `wait` in a thread", "safety": "unsafe", "diff": diff},
                f"AV101: run `wait` in a thread (unsafe)\n{diff}",
            )
            assert await me.failed("fix_preview", path="app.py", line=3) == (
                "app.py:3: there is no such finding; check tells which there are"
            )
            assert await me.failed("fix_preview", path="app.py", line=11, code="AV301") == (
                "app.py:11: there is no such finding; there is AV101; check tells which there are"
            )

    asyncio.run(scenario())


def test_diff_of_a_fix() -> None:
    """Edits of several files and lines, and one that only puts in, as one diff."""
    files = {
        "a.py": "import time\n\n\nasync def é():\n    time.sleep(1); time.sleep(\n        2\n    )\n".encode(),
        "b.py": b"x = 1",
    }
    edits = (
        Edit(Span("a.py", 1, 1, 1, 1), "import asyncio\n"),
        Edit(Span("a.py", 5, 5, 5, 15), "await asyncio.sleep"),
        Edit(Span("a.py", 5, 20, 7, 6), "await asyncio.sleep(2)"),
        Edit(Span("b.py", 1, 5, 1, 6), "2"),
    )
    assert fix_diff(Fix("safe", "sleep by the loop", edits), files.get).splitlines() == [
        "--- a/a.py",
        "+++ b/a.py",
        "@@ -1,8 +1,7 @@",
        "+import asyncio",
        " import time",
        " ",
        " ",
        " async def é():",
        "-    time.sleep(1); time.sleep(",
        "-        2",
        "-    )",
        "+    await asyncio.sleep(1); await asyncio.sleep(2)",
        " ",
        "--- a/b.py",
        "+++ b/b.py",
        "@@ -1 +1 @@",
        "-x = 1",
        "+x = 2",
    ]


def test_confined(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing outside of the project is answered about, by whatever path; nor is anything that is not there."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.py").write_text("secret = 1\n", encoding="utf-8")
    (shop / "link.py").symlink_to(outside / "secret.py")

    async def scenario() -> None:
        async with agent(shop) as me:
            for path in ("../outside", str(outside), "link.py", "/etc/passwd"):
                refused = f"{path}: is outside of the project {shop}; only what is in it can be asked about"
                assert await me.failed("check", path=path) == refused
                assert await me.failed("why", place=f"{path}:1") == refused
                assert await me.failed("fix_preview", path=path, line=1) == refused
            assert await me.failed("check", path="gone.py") == (
                f"gone.py: there is no such file or folder in the project; paths are relative to {shop}"
            )

    asyncio.run(scenario())


def test_bad_input(shop: Path) -> None:
    """Arguments and configurations that are not right are answered with what would be."""

    async def scenario() -> None:
        async with agent(shop) as me:
            said = {
                "cursor": await me.failed("check", cursor="second"),
                "bound": await me.failed("check", max_characters=3),
                "severity": await me.failed("check", min_severity="grave"),
                "rule": await me.failed("check", select=["AV101", "blocking"]),
            }
            assert said == {
                "cursor": "`second` is no cursor; take next_cursor of the page before, or leave it out for the first page",
                "bound": "max_characters is 3; it must be from 1000 to 60000",
                "severity": "there is no severity `grave`; the severities are low, medium, high, critical",
                "rule": "there is no rule `blocking`; did you mean `blocking-call`?",
            }
            file = shop / "asyncvet.toml"
            await write(file, "ignores = []\n")
            assert await me.failed("check") == f"{file}: there is no setting `ignores`; did you mean `ignore`?"
            await asyncio.to_thread(file.unlink)
            assert (await me.call("check"))[0]["findings"] == 2

    asyncio.run(scenario())


def test_no_folder(tmp_path: Path) -> None:
    """What is no folder is no project."""
    command = [sys.executable, "-m", "asyncvet", "mcp", "gone"]
    done = subprocess.run(command, cwd=tmp_path, input="", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "asyncvet: error: gone: there is no such folder\n")


def test_gone_agent(shop: Path) -> None:
    """The server ends with its agent, and says nothing."""
    command = [sys.executable, "-m", "asyncvet", "mcp"]
    done = subprocess.run(command, cwd=shop, input="no JSON\n", capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
