"""The server: its tools as agents see them, and their errors as answers that say what to do."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, Field

from asyncvet import __version__
from asyncvet.config import UsageError
from asyncvet.mcp.answers import LEAST, MOST, USUAL, Page
from asyncvet.mcp.tools import Preview, RulePage, Tools, Why

INSTRUCTIONS = """\
asyncvet reads the whole Python project and reports what stalls its event loop, loses tasks, swallows cancellation or races on shared
state, each with the chain of calls that leads there. It runs nothing and edits nothing.

After an edit of async code, call review_diff: it answers only what the change brings about. Mend findings at the place where one edit ends
most of them: a root cause is one entry, and its chain shows every call from the event loop down to the call that blocks. Call why with
path:line before moving code between sync and async: it says where that line runs. A finding that is right but accepted gets the
comment `# asyncvet: ignore[CODE] reason` on its line, with a true reason.
"""

Most = Annotated[int, Field(description=f"bound on the characters of the answer, from {LEAST} to {MOST}")]
Cursor = Annotated[str | None, Field(description="next_cursor of the page before; none for the first page")]

_Tool = TypeVar("_Tool", bound=Callable[..., CallToolResult])


def serve(folder: Path) -> int:
    """Answer an agent over standard input and output until it is gone."""
    build(Tools(folder)).run()
    gc.freeze()  # the process ends here; a last collection of all that was linked would take seconds
    return 0


def build(tools: Tools) -> MCPServer[dict[str, object]]:
    """The server over one project."""
    server: MCPServer[dict[str, object]] = MCPServer(
        "asyncvet", title="asyncvet", instructions=INSTRUCTIONS, version=__version__, log_level="CRITICAL"
    )
    _add_reviews(server, tools)
    _add_explanations(server, tools)
    return server


# The tools run in threads of the library's pool, so that the loop stays free; they share one project.
_one_at_a_time = threading.Lock()


@contextmanager
def _turn() -> Iterator[None]:
    """One tool's turn; what its caller can mend is an answer, not a failure."""
    with _one_at_a_time:
        try:
            yield
        except UsageError as error:
            raise ToolError(str(error)) from error


def _tool(server: MCPServer[dict[str, object]], title: str) -> Callable[[_Tool], _Tool]:
    return server.tool(title=title, annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False))


def _add_reviews(server: MCPServer[dict[str, object]], tools: Tools) -> None:
    @_tool(server, "Findings of the project")
    def check(
        path: Annotated[str, Field(description="file or folder of the project whose findings to show")] = ".",
        min_severity: Annotated[str, Field(description="low, medium, high or critical")] = "low",
        select: Annotated[
            list[str] | None, Field(description="rules to run, by code, name or prefix; none for the usual")
        ] = None,
        max_characters: Most = USUAL,
        cursor: Cursor = None,
    ) -> Annotated[CallToolResult, Page]:
        """Find what stalls the event loop, loses tasks or races on shared state. The gravest root causes come first."""
        with _turn():
            found = tools.check(path, min_severity, select or [], max_characters, cursor)
        return _answer(found, found.text)

    @_tool(server, "Review of a change")
    def review_diff(
        since: Annotated[
            str, Field(description="revision of git that the change starts from; what is not committed counts")
        ] = "HEAD",
        diff: Annotated[str | None, Field(description="unified diff that is already applied, in place of git's own")] = None,
        max_characters: Most = USUAL,
        cursor: Cursor = None,
    ) -> Annotated[CallToolResult, Page]:
        """Find what a change brings about, in its own lines and, through calls, in code that it leaves alone."""
        with _turn():
            found = tools.review_diff(since, diff, max_characters, cursor)
        return _answer(found, found.text)


def _add_explanations(server: MCPServer[dict[str, object]], tools: Tools) -> None:
    @_tool(server, "Where a line runs, and why it is reported or not")
    def why(
        place: Annotated[str, Field(description="path:line, such as app/main.py:12")],
        max_characters: Most = USUAL,
    ) -> Annotated[CallToolResult, Why]:
        """Tell where the code on a line runs (event loop, thread, process), what its calls reach, and why that is reported or not."""
        with _turn():
            found = tools.why(place, max_characters)
        return _answer(found, found.explanation)

    @_tool(server, "A rule's page")
    def rule(
        name: Annotated[str | None, Field(description="code or name of the rule; none lists all rules")] = None,
    ) -> Annotated[CallToolResult, RulePage]:
        """Show why a rule matters, a bad and a good example, when it is fine, and its limits; or list all rules."""
        with _turn():
            found = tools.rule(name)
        return _answer(found, found.page)

    @_tool(server, "Preview of a fix")
    def fix_preview(
        path: Annotated[str, Field(description="file of the finding")],
        line: Annotated[int, Field(description="line of the finding")],
        code: Annotated[str | None, Field(description="code or name of its rule, where the line has several")] = None,
    ) -> Annotated[CallToolResult, Preview]:
        """Show what the automatic fix of a finding would change, as a diff. Nothing is written."""
        with _turn():
            found = tools.fix_preview(path, line, code)
        return _answer(found, f"{found.code}: {found.title} ({found.safety})\n{found.diff}")


def _answer(found: BaseModel, text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=found.model_dump())
