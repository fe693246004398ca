"""arq: the coroutines that a worker's settings list.

Source: arq's documentation, "Usage": `WorkerSettings.functions`, `cron_jobs`, `on_startup`, `on_shutdown`.
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.entry_points import EntryPoint, Role, View
from asyncvet.graph.entry_points.references import functions
from asyncvet.graph.scopes import Binding, Class

_HOOKS: dict[str, Role] = {"on_startup": "startup", "on_shutdown": "shutdown", "on_job_start": "handler", "on_job_end": "handler"}


def find(view: View) -> Iterator[EntryPoint]:
    """Jobs and hooks of worker settings."""
    for module in view.modules:
        for cls in module.classes:
            if "functions" in cls.bindings and ("redis_settings" in cls.bindings or cls.name.endswith("WorkerSettings")):
                yield from _of_settings(cls, view)


def _of_settings(cls: Class, view: View) -> Iterator[EntryPoint]:
    for binding in cls.bindings["functions"]:
        for item in binding.value.items if isinstance(binding.value, tree.Sequence) else ():
            for function in functions(item, binding.scope, view):
                if function.is_async:
                    yield EntryPoint(function, "handler", "event-loop", f"arq job {function.name}")
    for name, role in _HOOKS.items():
        for binding in cls.bindings.get(name, ()):
            yield from _hook(binding, role, view)


def _hook(binding: Binding, role: Role, view: View) -> Iterator[EntryPoint]:
    if isinstance(binding.value, tree.Expr):
        for function in filter(lambda f: f.is_async, functions(binding.value, binding.scope, view)):
            yield EntryPoint(function, role, "event-loop", f"arq {binding.name} {function.name}")
