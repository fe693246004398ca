"""Sleep by the loop, use the asynchronous libraries that the project has, and run everything else that blocks in a thread."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft
from asyncvet.fix.extraction import block_around
from asyncvet.fix.files import by_aiofiles
from asyncvet.fix.http_clients import by_httpx
from asyncvet.fix.text import Change
from asyncvet.fix.threads import in_thread, is_operand, unawaitable
from asyncvet.model import Finding


def fix(finding: Finding, code: Code) -> Draft | str:
    """Write `await asyncio.sleep(...)` for a `time.sleep` that stands in a coroutine itself; a thread for the rest."""
    call = code.at(finding, tree.Call)
    if call is None or finding.sink is None or finding.sink.name != "time.sleep" or len(finding.chain) > 1:
        return _otherwise(finding, code)
    if problem := unawaitable(code, call):
        return problem
    sleep = code.refer("asyncio", "sleep", call)
    if sleep is None or is_operand(code, call) or len(call.args) != 1 or call.keywords:
        return in_thread(finding, code)
    if code.imports("trio") or code.imports("anyio"):
        return "the file is not of asyncio alone; use `trio.sleep` or `anyio.sleep`"
    name, needs = sleep
    return Draft("safe", f"write `await {name}(...)`", (Change(call.start, call.func.end, f"await {name}"),), needs)


def _otherwise(finding: Finding, code: Code) -> Draft | str:
    """Of the ways to end a blocking call that is no sleep, the first that fits: httpx, aiofiles, a thread."""
    call = code.at(finding, tree.Call)
    block = block_around(code, call) if call is not None else None
    drafts = [by_httpx(finding, code), by_aiofiles(code, block) if block is not None else ""]
    return next((draft for draft in drafts if isinstance(draft, Draft)), None) or in_thread(finding, code)
