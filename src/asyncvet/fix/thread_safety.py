"""What must stay in the thread that it runs in: code that uses the event loop, and objects that belong to one thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from asyncvet.facts import tree
from asyncvet.fix.code import Code, everything
from asyncvet.graph import Project, walk
from asyncvet.graph.scopes import Binding, Class, Function, last_name
from asyncvet.graph.sites import CallSite, Mode

_LOOP_FREE = frozenset(
    {"run", "iscoroutinefunction", "iscoroutine", "isfuture", "run_coroutine_threadsafe", "new_event_loop", "to_thread", "sleep"}
)
"""Functions of asyncio that a thread beside the loop may call."""
_OF_ONE_THREAD = ("sqlite3.", "tkinter.", "signal.", "threading.local", "contextvars.ContextVar.set")
_LOCAL_TO_THREADS = frozenset({"scoped_session", "local"})
"""Functions that make an object which is another one in each thread."""
_DEEP = 8
"""Calls that are followed."""


def bound_to_thread(code: Code, sites: Iterable[CallSite]) -> str:
    """Why what some sites run must stay in its thread; empty if nothing is known against another one."""
    sites = list(sites)
    local = code.ask(_thread_locals)
    for site in sites:
        if name := next(filter(_is_bound, site.names), ""):
            return f"it uses `{name}`, which belongs to the thread of the event loop"
        if name := next(_named(local, [site.node]), ""):
            return f"`{name}` is another object in each thread; move all that uses it into one function for `asyncio.to_thread`"
    for function in _reached(code, sites):
        if name := next((name for site in code.project.sites(function) for name in site.names if _is_bound(name)), ""):
            return f"`{function.name}` uses `{name}`, which belongs to the thread of the event loop; split it"
        if name := next(_named(local, walk.body(function)), ""):
            return f"`{function.name}` uses `{name}`, which is another object in each thread"
    return ""


def _is_bound(name: str) -> bool:
    module, _, rest = name.partition(".")
    return (module == "asyncio" and rest not in _LOOP_FREE) or name.startswith(_OF_ONE_THREAD)


def _reached(code: Code, sites: Iterable[CallSite]) -> Iterator[Function]:
    """The functions of the project that sites run in their thread, some calls deep."""
    seen: set[Function] = set()
    level = list(sites)
    for _ in range(_DEEP):
        functions = {target.function for site in level for target in site.targets if target.mode is Mode.INLINE} - seen
        seen |= functions
        own = [function for function in functions if not function.module.is_external]
        yield from sorted(own, key=lambda function: (function.path, function.node.start))
        level = [site for function in own for site in code.project.sites(function)]


def _thread_locals(project: Project) -> frozenset[str]:
    """The names and attributes that are bound to an object of each thread."""
    return frozenset(
        binding.name
        for module in project.modules.values()
        for bindings in (*module.bindings.values(), *(_attributes(cls) for cls in module.classes))
        for binding in bindings
        if isinstance(binding.value, tree.Call) and last_name(binding.value.func) in _LOCAL_TO_THREADS
    )


def _attributes(cls: Class) -> list[Binding]:
    own = [binding for bindings in cls.bindings.values() for binding in bindings]
    return own + [binding for bindings in cls.attribute_bindings.values() for _, binding in bindings]


def _named(names: frozenset[str], nodes: Iterable[tree.Node]) -> Iterator[str]:
    found = (last_name(node) for node in everything(nodes) if isinstance(node, tree.Name | tree.Attribute)) if names else ()
    return (name for name in found if name in names)
