"""Writes a draft as a catalogue file: TOML, in a fixed order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from asyncvet.engine.learning.classes import Summary
from asyncvet.engine.learning.distribution import Distribution
from asyncvet.engine.learning.draft import Draft
from asyncvet.engine.learning.outcomes import Outcome


def toml(distribution: Distribution, found: Draft) -> str:
    """The text of a catalogue file."""
    lines = [f"distribution = {_quoted(distribution.name)}", f"version = {_quoted(distribution.version)}"]
    if distribution.compiled:
        lines.append(f"underivable = {_list(distribution.compiled)}")
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, outcome in found.outcomes.items():
        groups.setdefault(tuple(_entry(outcome)), []).append(name)
    for entry, names in sorted(groups.items(), key=lambda group: (group[0], min(group[1]))):
        lines += ["", "[[api]]", f"names = {_list(sorted(names))}", *entry]
    for kind in sorted(found.types, key=lambda each: each.name):
        lines += ["", "[[type]]", *_type(kind)]
    if found.aliases:
        lines += ["", "[alias]", *(f"{_quoted(path)} = {_quoted(name)}" for path, name in sorted(found.aliases.items()))]
    return "\n".join(lines) + "\n"


def _entry(outcome: Outcome) -> Iterator[str]:
    """The lines of an entry, but for its names."""
    if outcome.is_async:
        yield "is_async = true"
    if outcome.sink is not None:
        api = outcome.sink.api
        yield f"effect = {_quoted(api.effect)}"
        yield f"category = {_quoted(api.category or '')}"
        if api.stall != "unbounded":
            yield f"stall = {_quoted(api.stall)}"
        if outcome.bound:
            yield f"bound = {_list(outcome.bound)}"
        if outcome.is_kept:
            yield "is_kept = true"
        example = ", for example" if outcome.is_example else ""
        yield f"why = {_quoted(f'reaches `{outcome.sink.name}`{example}')}"
    if outcome.unless_given:
        yield f"only_if = [{', '.join(_condition(name, position) for name, position in outcome.unless_given)}]"
    if outcome.returns:
        yield f"returns = {_quoted(outcome.returns)}"


def _condition(name: str, position: int | None) -> str:
    """The condition that an argument is not given."""
    place = "" if position is None else f", position = {position}"
    return f"{{ argument = {_quoted(name)}{place}, present = false }}"


def _type(kind: Summary) -> Iterator[str]:
    yield f"names = {_list([kind.name])}"
    if kind.bases:
        yield f"bases = {_list(kind.bases)}"
    if kind.enter:
        yield f"enter = {_quoted(kind.enter)}"
    if kind.iterates:
        yield f"iterates = {_quoted(kind.iterates)}"
    if kind.attributes:
        parts = ", ".join(f"{name} = {_quoted(notation)}" for name, notation in sorted(kind.attributes.items()))
        yield f"attributes = {{ {parts} }}"


def _list(parts: Iterable[str | int]) -> str:
    return f"[{', '.join(map(_quoted, parts))}]"


def _quoted(text: str | int) -> str:
    return json.dumps(text, ensure_ascii=False)
