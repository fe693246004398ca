"""What really blocks an event loop, seen while the program runs: strictly in tests, lightly in production.

What this module names is imported when it is first asked for, so that production pays for what it uses.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES: dict[str, str] = {
    "MonitorMiddleware": "middleware",
    "Observation": "observation",
    "StackFrame": "observation",
    "OpenTelemetry": "exporters",
    "PrometheusCollector": "exporters",
    "prometheus_text": "exporters",
    "start": "light",
    "stop": "light",
    "strict": "session",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
