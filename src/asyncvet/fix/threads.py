"""Hand a blocking call to a thread: `call(x)` becomes `await asyncio.to_thread(call, x)` in the coroutine that the chain starts in."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft
from asyncvet.fix.extraction import block_around, block_in_thread
from asyncvet.fix.text import Change
from asyncvet.fix.thread_safety import bound_to_thread
from asyncvet.graph.scopes import Function, last_name, shown
from asyncvet.model import Finding

_LAZY = frozenset({"glob", "rglob", "iglob", "iterdir", "scandir"})
"""Functions that give an iterator, whose steps are what blocks. What `os.walk` gives may be changed on the way."""


def in_thread(finding: Finding, code: Code) -> Draft | str:
    """Run the call of a finding in a thread. Other coroutines then run meanwhile, so what the call reads can change under it."""
    call = code.at(finding, tree.Call)
    if call is None:
        return f"what blocks is no call; move it into a function and await `asyncio.to_thread(function)`: {finding.message}"
    if problem := unawaitable(code, call):
        return problem
    block = block_around(code, call)
    moved = _moved(code, block) if block is not None else None
    if isinstance(moved, Draft):
        return moved
    if problem := _unfit(finding, code, call):
        return moved if isinstance(moved, str) and _is_item(code, call) else problem
    to_thread = code.refer("asyncio", "to_thread", call)
    opening = _opening(code, call)
    if to_thread is None or opening is None:
        return "the name `asyncio` is taken"
    head, needs = to_thread
    before, after = ("(", ")") if is_operand(code, call) else ("", "")
    title = f"run `{shown(call.func)}` in a thread"
    if _is_lazy(finding):
        if not _is_gone_through(code, call):
            return f"`{shown(call)}` reads when it is gone through; do that in a function for `asyncio.to_thread`"
        lazily = (
            Change(call.start, call.start, f"{before}await {head}(lambda: list("),
            Change(call.end, call.end, f")){after}"),
        )
        return Draft("unsafe", title, lazily, needs)
    return Draft("unsafe", title, _handed_over(code, call, opening, f"{before}await {head}(", after), needs)


def _handed_over(code: Code, call: tree.Call, opening: int, head: str, after: str) -> tuple[Change, ...]:
    """A call whose function becomes the first argument of another, laid out as it was, or over more lines if it gets too long."""
    text = code.text
    func = text.between(call.start, opening).rstrip()
    arguments = text.between(opening + 1, call.end - 1)
    closing = Change(call.end, call.end, after)
    if any(argument.start == opening for argument in call.args):  # a generator expression with no parentheses of its own
        changes = [Change(call.start, opening + 1, f"{head}{func}, ("), Change(call.end, call.end, f"){after}")]
    elif not call.args and not call.keywords:
        changes = [Change(call.start, opening + 1, f"{head}{func}"), closing]
    elif "\n" not in text.between(call.start, call.end) and text.is_too_long(call.start, len(head) + 2):
        indentation = text.indentation(call.start)
        first = Change(call.start, opening + 1, f"{head}\n{indentation}{text.unit}{func}, ")
        changes = [first, Change(call.end - 1, call.end - 1, f"\n{indentation}"), closing]
    else:
        space = arguments[: len(arguments) - len(arguments.lstrip())]
        changes = [Change(call.start, opening + 1, f"{head}{space}{func}," + ("" if space else " ")), closing]
    return tuple(change for change in changes if change.text or change.start < change.end)


def _opens_file(finding: Finding) -> bool:
    """Whether it is `open` itself that a finding is about: a thread can open a file that the block then reads."""
    return len(finding.chain) == 1 and finding.sink is not None and finding.sink.name.rpartition(".")[2] == "open"


def _is_lazy(finding: Finding) -> bool:
    return (
        len(finding.chain) == 1
        and finding.sink is not None
        and finding.sink.name != "glob.glob"
        and finding.sink.name.rpartition(".")[2] in _LAZY
    )


def _is_gone_through(code: Code, call: tree.Call) -> bool:
    """Whether a loop or comprehension goes through all that a call gives, and nothing else asks for it."""
    holder = next(iter(code.around(call)), None)
    return isinstance(holder, tree.For | tree.Generator) and holder.iter is call and not holder.is_async


def _moved(code: Code, block: tree.With) -> Draft | str:
    """A block as a function that a thread runs, unless something in it must not."""
    sites = [site for site in code.project.sites(code.scope(block.start)) if block.start <= site.node.start < block.end]
    if problem := bound_to_thread(code, sites):
        return problem
    return block_in_thread(code, block)


def _is_item(code: Code, call: tree.Call) -> bool:
    return isinstance(next(iter(code.around(call)), None), tree.WithItem)


def is_operand(code: Code, node: tree.Node) -> bool:
    """Whether something is done with a value that binds closer than `await` does: an attribute, an item or a call of it."""
    holder = next(iter(code.around(node)), None)
    is_called = isinstance(holder, tree.Call) and holder.func is node
    return is_called or (isinstance(holder, tree.Attribute | tree.Subscript) and holder.value is node)


def unawaitable(code: Code, node: tree.Node) -> str:
    """Why no `await` can stand before a node; empty if it can."""
    function = code.scope(node.start)
    if not isinstance(function, Function) or not function.is_async or not isinstance(function.node, tree.FunctionDef):
        return "it stands in no coroutine, where nothing can be awaited; hand it to a thread: `loop.run_in_executor(None, ...)`"
    if node.start < function.node.body[0].start:
        return "it stands in the head of the function"
    inner = node
    for around in code.around(node):
        if isinstance(around, tree.ClassDef):
            return "it stands in the body of a class"
        if isinstance(around, tree.Comprehension) and around.kind == "generator":
            first = around.generators[0].iter
            if not first.start <= inner.start < first.end:
                return "it stands in a generator expression, which an await would make an asynchronous one; use a list"
    return ""


def _unfit(finding: Finding, code: Code, call: tree.Call) -> str:
    """Why a call must stay in its thread; empty if nothing is known against it."""
    function = code.scope(call.start)
    holder = next(iter(code.around(call)), None)
    line, column = code.facts.position(call.start)
    if finding.chain and (finding.chain[0].line, finding.chain[0].column) != (line, column):
        return f"what waits is the block around `{shown(call)}`; move the block into a function that `asyncio.to_thread` runs"
    if isinstance(holder, tree.Call) and last_name(holder.func) in ("to_thread", "run_in_executor", "run_sync"):
        return f"it is called before the thread has it; write `{last_name(holder.func)}({shown(call.func)}, ...)`"
    if isinstance(holder, tree.WithItem) and not _opens_file(finding):
        return f"the block that uses `{shown(call)}` waits as well"
    if finding.sink is not None and finding.sink.category == "lock":
        return "a lock of threads; use one of asyncio, or take it in the function that runs in the thread"
    site = next((site for site in code.project.sites(function) if site.node is call), None)
    if site is not None:
        if problem := bound_to_thread(code, [site]):
            return problem
        if any(target.function.is_async for target in site.targets):
            return f"`{shown(call)}` may give a coroutine as well; tell the two kinds apart first"
        if any(target.function.is_generator for target in site.targets):
            return f"`{shown(call)}` makes a generator, whose steps block; go through it in a function for `asyncio.to_thread`"
    return ""


def _opening(code: Code, call: tree.Call) -> int | None:
    """Where the parenthesis stands that opens a call's arguments."""
    offset = call.func.end
    while offset < call.end and code.text.utf8[offset : offset + 1] in b" \t\r\n\\)":
        offset += 1
    return offset if code.text.utf8[offset : offset + 1] == b"(" else None
