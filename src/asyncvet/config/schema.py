"""The JSON schema of a configuration, made of its form."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import msgspec

from asyncvet.config.form import Form

_DIALECT = "http://json-schema.org/draft-07/schema#"
"""The dialect that editors of TOML understand."""


def text() -> str:
    """The schema as a file: of `asyncvet.toml`, and of the table `[tool.asyncvet]`."""
    return json.dumps(schema(), indent=2) + "\n"


def schema() -> dict[str, Any]:
    """The schema of a configuration."""
    (reference,), definitions = msgspec.json.schema_components((Form,), ref_template="#/definitions/{name}")
    parts = {name: _part(part) for name, part in definitions.items()}
    top = parts.pop(reference["$ref"].rpartition("/")[2])
    return {
        "$schema": _DIALECT,
        "$id": "asyncvet.schema.json",
        **top,
        "title": "asyncvet",
        "definitions": dict(sorted(parts.items())),
    }


def _part(part: dict[str, Any]) -> dict[str, Any]:
    """A definition in which each key has its meaning: its own, or what the docstring's list of attributes says of it."""
    described = dict(part)
    summary, _, attributes = inspect.cleandoc(part.get("description", "")).partition("\n\nAttributes:\n")
    meanings = dict(re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", attributes, flags=re.MULTILINE))
    if summary:
        described["description"] = " ".join(summary.split())
    properties = {}
    for key, value in part.get("properties", {}).items():
        meaning = meanings.get(key)
        properties[key] = {**value, "description": " ".join(meaning.split())} if meaning else value
    return described | ({"properties": properties} if properties else {})
