"""Answers to questions about one place: `asyncvet why` as text, `asyncvet graph` as text, SVG or Graphviz, and both as JSON."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from asyncvet import __version__
from asyncvet.graph.explanation import Explanation
from asyncvet.graph.neighbourhood import CallGraph

SCHEMA_VERSION = 1


def as_json(answer: Explanation | CallGraph) -> str:
    """The whole answer as one JSON object in ASCII. Keys are only ever added within a schema version."""
    content: dict[str, Any] = msgspec.to_builtins(answer)
    tool = {"name": "asyncvet", "version": __version__}
    return json.dumps({"schema_version": SCHEMA_VERSION, "tool": tool, **content}, indent=2) + "\n"
