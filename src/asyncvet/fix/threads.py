"""Hand a blocking call to a thread: `call(x)` becomes `await asyncio.to_thread(call, x)` in the coroutine that the chain starts in."""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft
from asyncvet.fix.text import Change
from asyncvet.graph.scopes import Function, Module, last_name, shown
from asyncvet.graph.sites import CallSite, Mode
from asyncvet.model import Finding

_LOOP_FREE = frozenset(
    {"run", "iscoroutinefunction", "iscoroutine", "isfuture", "run_coroutine_threadsafe", "new_event_loop", "to_thread", "sleep"}
)
"""Functions of asyncio that a thread beside the loop may call."""
_OF_ONE_THREAD = ("sqlite3.", "tkinter.", "signal.", "threading.local", "contextvars.ContextVar.set")
_DEEP = 8


def in_thread(finding: Finding, code: Code) -> Draft | str:
    """Run the call of a finding in a thread. Other coroutines then run meanwhile, so what the call reads can change under it."""
    call = code.at(finding, tree.Call)
    if call is None:
        return f"what blocks is no call; move it into a function and await `asyncio.to_thread(function)`: {finding.message}"
    problem = unawaitable(code, call) or _unfit(finding, code, call)
    if problem:
        return problem
    to_thread = code.refer("asyncio", "to_thread", call)
    opening = _opening(code, call)
    if to_thread is None or opening is None:
        return "the name `asyncio` is taken"
    head, needs = to_thread
    func = code.text.between(call.start, opening).rstrip()
    before, after = ("(", ")") if is_operand(code, call) else ("", "")
    if any(argument.start == opening for argument in call.args):  # a generator expression with no parentheses of its own
        rest, after = f"{func}, (", f"){after}"
    else:
        rest = _first(code, call, opening, func)
    changes = [Change(call.start, opening + 1, f"{before}await {head}({rest}")]
    if after:
        changes.append(Change(call.end, call.end, after))
    return Draft("unsafe", f"run `{shown(call.func)}` in a thread", tuple(changes), needs)


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
    if isinstance(holder, tree.WithItem):
        return f"the block that uses `{shown(call)}` waits as well; move it into a function that `asyncio.to_thread` runs"
    if finding.sink is not None and finding.sink.category == "lock":
        return "a lock of threads; use one of asyncio, or take it in the function that runs in the thread"
    if finding.sink is not None and finding.sink.name.startswith(_OF_ONE_THREAD):
        return f"`{finding.sink.name}` belongs to one thread; move all that uses the object into one function for `asyncio.to_thread`"
    site = next((site for site in code.project.sites(function) if site.node is call), None)
    if site is not None:
        for below, name in _reached(code, site):
            if name:
                return f"`{below.name}` uses the event loop (`{name}`), which a thread must not; split it"
        if any(target.function.is_generator for target in site.targets):
            return f"`{shown(call)}` makes a generator, whose steps block; go through it in a function for `asyncio.to_thread`"
    return ""


def _reached(code: Code, site: CallSite) -> Iterator[tuple[Function | Module, str]]:
    """The functions that a site runs in its thread, each with what it uses of the loop."""
    seen: set[Function] = set()
    level = [site]
    for _ in range(_DEEP):
        functions = {t.function for at in level for t in at.targets if t.mode is Mode.INLINE} - seen
        seen |= functions
        level = []
        for function in sorted(functions, key=lambda function: (function.path, function.node.start)):
            for inner in code.project.sites(function) if not function.module.is_external else ():
                yield function, next(filter(_needs_loop, inner.names), "")
                level.append(inner)


def _needs_loop(name: str) -> bool:
    module, _, rest = name.partition(".")
    return (module == "asyncio" and rest not in _LOOP_FREE) or name.startswith(_OF_ONE_THREAD)


def _opening(code: Code, call: tree.Call) -> int | None:
    """Where the parenthesis stands that opens a call's arguments."""
    offset = call.func.end
    while offset < call.end and code.text.utf8[offset : offset + 1] in b" \t\r\n\\)":
        offset += 1
    return offset if code.text.utf8[offset : offset + 1] == b"(" else None


def _first(code: Code, call: tree.Call, opening: int, func: str) -> str:
    """The function as first argument of those that follow an opening parenthesis, laid out as they are."""
    arguments = code.text.between(opening + 1, call.end - 1)
    if not call.args and not call.keywords:
        return func
    first = arguments.lstrip()
    return f"{arguments[: len(arguments) - len(first)]}{func}," + ("" if arguments[:1].isspace() else " ")
