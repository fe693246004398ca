"""Handlers that a decorator, or a call with the function as its argument, registers with a framework: a table, one row a framework.

Each row says where the framework runs a plain `def`; an `async def` always runs on the event loop. Rows name their source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.entry_points import EntryPoint, Role, View, Where
from asyncvet.graph.entry_points.references import functions, is_of, is_under
from asyncvet.graph.scopes import Function, Scope, last_name


@dataclass(frozen=True, slots=True)
class Registration:
    """How a framework takes hold of functions.

    Attributes:
        homes: The framework's classes or modules whose members register.
        names: The decorators.
        plain: Where a plain `def` runs; None where only coroutines will do.
        label: What a reader calls the function; its name follows.
        callees: Calls that are given the function, with the place of the argument.
        served_by: Modules one of which the project imports if it serves by an event loop; without one, a plain `def` runs in a
            worker thread. Empty: always.
    """

    homes: tuple[str, ...]
    names: frozenset[str]
    plain: Where | None
    label: str
    callees: tuple[tuple[str, tuple[str | int, ...]], ...] = ()
    role: Role = "handler"
    served_by: tuple[str, ...] = ()


_SANIC_STARTS = frozenset({"before_server_start", "after_server_start", "before_server_stop", "after_server_stop", "listener"})

_TABLE = (
    # Sanic's guide, "Handlers", "Listeners", "Middleware": a plain function is called as it is.
    Registration(("sanic",), _SANIC_STARTS, "event-loop", "listener", (("register_listener", (0,)),), "startup"),
    Registration(
        ("sanic",),
        frozenset({"on_request", "on_response", "signal", "exception"}),
        "event-loop",
        "handler",
        (("register_middleware", (0,)),),
    ),
    # aiohttp.web reference, "Application.on_startup": signals send to coroutines.
    Registration(("aiohttp.web",), frozenset({"middleware"}), None, "middleware", role="middleware"),
    # MCP Python SDK 1, `func_metadata.call_fn_with_arg_validation`: a plain tool is called on the loop. Version 2 has another
    # module, `mcp.server.mcpserver`, and calls it in a thread.
    Registration(
        ("mcp.server.fastmcp", "mcp.server.FastMCP"),
        frozenset({"tool", "resource", "prompt"}),
        "event-loop",
        "MCP tool",
        (("add_tool", ("fn", 0)),),
    ),
    # FastMCP from version 3, "Tools", "Sync functions": in a thread. (Version 2: on the loop, and nothing in the code tells it.)
    Registration(
        ("fastmcp", "mcp.server.mcpserver", "mcp.server.MCPServer"),
        frozenset({"tool", "resource", "prompt"}),
        "worker-thread",
        "MCP tool",
        (("add_tool", ("fn", 0)), ("from_function", ("fn", 0))),
    ),
    # Pydantic AI, "Function Tools": plain functions run in a thread.
    Registration(
        ("pydantic_ai",),
        frozenset({"tool", "tool_plain", "system_prompt", "instructions", "output_validator", "result_validator"}),
        "worker-thread",
        "agent tool",
        (("Tool", ("function", 0)),),
    ),
    # python-socketio, "The Socket.IO Server", "Defining Event Handlers": `AsyncServer` calls a plain one on the loop.
    Registration(
        ("socketio.AsyncServer", "socketio.async_server", "socketio.AsyncClient", "socketio.async_client"),
        frozenset({"event", "on"}),
        "event-loop",
        "Socket.IO event",
        (("on", ("handler", 1)),),
    ),
    # Strawberry, "Async": plain resolvers run where the schema is executed.
    Registration(
        ("strawberry",),
        frozenset({"field", "mutation", "subscription"}),
        "event-loop",
        "GraphQL resolver",
        (("field", ("resolver",)), ("mutation", ("resolver",))),
        served_by=(
            "strawberry.fastapi",
            "strawberry.asgi",
            "strawberry.aiohttp",
            "strawberry.litestar",
            "strawberry.sanic",
            "strawberry.quart",
            "strawberry.channels.GraphQLHTTPConsumer",
            "strawberry.django.views.AsyncGraphQLView",
        ),
    ),
    # Ariadne, "Resolvers": the ASGI application executes queries on the loop.
    Registration(
        ("ariadne",),
        frozenset({"field", "source"}),
        "event-loop",
        "GraphQL resolver",
        (("set_field", ("resolver", 1)),),
        served_by=("ariadne.asgi",),
    ),
    # aiogram 3, `CallableObject.call`: `asyncio.to_thread`.
    Registration(
        ("aiogram",),
        frozenset({"message", "callback_query", "edited_message", "inline_query", "chat_member", "my_chat_member", "errors"}),
        "worker-thread",
        "Telegram update handler",
    ),
    # discord.py and Pycord, "Event Reference", "Commands": coroutines; checks may be plain and are called on the loop.
    Registration(
        ("discord",),
        frozenset({"event", "listen", "command", "hybrid_command", "slash_command", "user_command", "message_command", "error"}),
        None,
        "Discord handler",
    ),
    Registration(
        ("discord",), frozenset(), "event-loop", "Discord check", (("check", ("predicate", 0)), ("add_check", ("func", 0)))
    ),
    # python-telegram-bot, "BaseHandler": coroutines.
    Registration(
        ("telegram.ext",),
        frozenset(),
        None,
        "Telegram update handler",
        (
            ("CommandHandler", ("callback", 1)),
            ("MessageHandler", ("callback", 1)),
            ("CallbackQueryHandler", ("callback", 0)),
            ("InlineQueryHandler", ("callback", 0)),
            ("add_error_handler", ("callback", 0)),
        ),
    ),
    # FastStream, `to_async`: a thread pool.
    Registration(("faststream",), frozenset({"subscriber", "publisher"}), "worker-thread", "subscriber"),
    # Dramatiq, "Actors": threads of a worker process, also for what awaits (`async_to_sync`).
    Registration(("dramatiq",), frozenset({"actor"}), "worker-process", "dramatiq actor"),
    # Taskiq, "Getting started": plain tasks run in an executor of the worker.
    Registration(
        ("taskiq", "taskiq_redis", "taskiq_aio_pika", "taskiq_nats"), frozenset({"task"}), "worker-thread", "taskiq task"
    ),
    # arq, "Cron Jobs": coroutines.
    Registration(("arq",), frozenset(), None, "arq job", (("cron", ("coroutine", 0)), ("func", ("coroutine", 0)))),
    # APScheduler 3, `AsyncIOExecutor`: plain jobs run in the loop's thread pool, those of other schedulers in theirs.
    Registration(
        ("apscheduler",),
        frozenset({"scheduled_job"}),
        "worker-thread",
        "scheduled job",
        (("add_job", ("func", 0)), ("add_schedule", ("func_or_task_id", 0))),
    ),
)


def find(view: View) -> Iterator[EntryPoint]:
    """Registered handlers."""
    imported = _imported(view)
    table = [row for row in _TABLE if imported & {home.partition(".")[0] for home in row.homes}]
    for function in view.functions if table else ():
        for decorator in function.decorators:
            func = decorator.func if isinstance(decorator, tree.Call) else decorator
            for row in _of(func, function.parent or function.module, view, table, decorates=True):
                yield from _entries(row, function, imported)
    for scope in view.bodies if table else ():
        for site in scope.sites:
            if isinstance(site.node, tree.Call):
                yield from _called(site.node, scope, view, table, imported)


def _called(
    node: tree.Call, scope: Scope, view: View, table: list[Registration], imported: frozenset[str]
) -> Iterator[EntryPoint]:
    """What a call registers: its argument, or, of a decorator that is applied by hand, the function it is given."""
    for row in _of(node.func, scope, view, table, decorates=False):
        place = dict(row.callees)[last_name(node.func)]
        for function in functions(argument_at(node, place), scope, view):
            yield from _entries(row, function, imported)
    if isinstance(node.func, tree.Call) and node.args:
        for row in _of(node.func.func, scope, view, table, decorates=True):
            for function in functions(node.args[0], scope, view):
                yield from _entries(row, function, imported)


def _of(func: tree.Expression, scope: Scope, view: View, table: list[Registration], decorates: bool) -> Iterator[Registration]:
    name = last_name(func)
    for row in table:
        if name in (row.names if decorates else _callee_names(row)) and is_of(func, scope, view, row.homes):
            yield row


@cache
def _callee_names(row: Registration) -> frozenset[str]:
    return frozenset(name for name, _ in row.callees)


def _entries(row: Registration, function: Function, imported: frozenset[str]) -> Iterator[EntryPoint]:
    """The entry point of a function that a row registers; none for a plain one where it would fail."""
    is_served = not row.served_by or any(is_under(path, row.served_by) for path in imported)
    plain: Where | None = row.plain if is_served else "worker-thread"
    where = "event-loop" if function.is_async and plain != "worker-process" else plain
    if where is not None:
        yield EntryPoint(function, row.role, where, f"{row.label} {function.name}")


def _imported(view: View) -> frozenset[str]:
    """Dotted names that the project imports, and the top-level packages of them."""
    found = {name for module in view.modules for _, name in module.imports}
    for scope in view.bodies:
        for bindings in scope.bindings.values():
            for level, module, name in (binding.imported for binding in bindings if binding.imported is not None):
                if level == 0:
                    found |= {module, f"{module}.{name}"}
    return frozenset(found | {path.partition(".")[0] for path in found})
