"""A catalogue file in the making: entries, types and aliases, reduced to what tells something."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from asyncvet.catalogue import Catalogue
from asyncvet.engine.learning.classes import Classes, Summary
from asyncvet.engine.learning.interface import Interface
from asyncvet.engine.learning.outcomes import Outcome, Outcomes
from asyncvet.graph.scopes import Function

_NAME = re.compile(r"[\w.]+")
_MANY = 8
"""So many methods of one class that do the same are written as ``X.*``."""


@dataclass(slots=True)
class Draft:
    """What a catalogue file says.

    Attributes:
        outcomes: What calls do, by name.
        types: The classes that are worth an entry of their own.
        aliases: Other import paths, and the names they stand for.
        callables: How many public functions, classes and methods were looked at.
    """

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    types: list[Summary] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    callables: int = 0


def draft(interface: Interface, outcomes: Outcomes, classes: Classes, catalogue: Catalogue) -> Draft:
    """What is worth telling of a distribution."""
    functions = {name: member for member, name in interface.names.items() if isinstance(member, Function)}
    calls = {
        name: replace(outcomes.of_function(function), returns=classes.returned(function)) for name, function in functions.items()
    }
    summaries = {summary.name: (cls, summary) for cls, summary in classes.summarise().items()}
    constructions = {name: outcomes.of_construction(cls) for name, (cls, _) in summaries.items()}
    telling = _telling([summary for _, summary in summaries.values()])
    found = Draft(callables=len(calls) + sum(1 + len(summary.methods) for _, summary in summaries.values()))
    for name, outcome in {**calls, **constructions}.items():
        _put(found.outcomes, name, telling.reduced(outcome))
    for name in sorted(telling.telling):
        _add_class(found, summaries[name][1], {key: each for key, (_, each) in summaries.items()}, telling)
    used = set(found.outcomes) | {kind.name for kind in found.types} | telling.telling
    for member, paths in interface.others.items():
        name = interface.names[member]
        if name in used:
            found.aliases.update({path: name for path in paths if catalogue.canonical(path) != name})
    return found


@dataclass(frozen=True, slots=True)
class _Telling:
    """Which classes of the distribution tell something: by what their objects do, or by what these give."""

    own: frozenset[str]
    telling: frozenset[str]

    def kept(self, notation: str) -> str:
        """A type, if it is one that tells something."""
        names = [name for name in _NAME.findall(notation) if "." in name]
        is_worth = bool(names) and all(name in self.telling or name not in self.own for name in names)
        return notation if is_worth or notation == "self" else ""

    def reduced(self, outcome: Outcome) -> Outcome:
        """An outcome without a type that tells nothing."""
        return replace(outcome, returns=self.kept(outcome.returns))


def _telling(summaries: list[Summary]) -> _Telling:
    known = {summary.name for summary in summaries}
    users: dict[str, set[str]] = {}
    telling: set[str] = set()
    for summary in summaries:
        notations = [*summary.attributes.values(), summary.enter, summary.iterates]
        notations += [outcome.returns for outcome in summary.methods.values()]
        used = {name for notation in notations for name in _NAME.findall(notation)}
        for name in (*used, *summary.bases):
            users.setdefault(name, set()).add(summary.name)
        is_outside = any("." in name and name not in known for name in used)
        if is_outside or any(not outcome.is_plain for outcome in summary.methods.values()):
            telling.add(summary.name)
    pending = sorted(telling)
    while pending:
        for user in users.get(pending.pop(), ()):
            if user not in telling:
                telling.add(user)
                pending.append(user)
    return _Telling(frozenset(known), frozenset(telling))


def _add_class(found: Draft, summary: Summary, summaries: dict[str, Summary], telling: _Telling) -> None:
    bases = tuple(base for base in summary.bases if base not in summaries or base in telling.telling)
    inherited: dict[str, Outcome] = {}
    for base in _above(summary, summaries):
        for name, outcome in base.methods.items():
            inherited.setdefault(name, telling.reduced(outcome))
    own = {name: telling.reduced(outcome) for name, outcome in summary.methods.items()}
    changed = {name: outcome for name, outcome in own.items() if inherited.get(name, Outcome()) != outcome}
    common = _common(own)
    if common is not None and not inherited:
        found.outcomes[f"{summary.name}.*"] = common
        changed = {name: outcome for name, outcome in own.items() if outcome != common}
        found.outcomes |= {f"{summary.name}.{name}": outcome for name, outcome in changed.items() if not name.startswith("_")}
    for name, outcome in changed.items():
        if name in inherited:
            found.outcomes[f"{summary.name}.{name}"] = outcome
        else:
            _put(found.outcomes, f"{summary.name}.{name}", outcome)
    attributes = {name: kept for name, notation in summary.attributes.items() if (kept := telling.kept(notation))}
    of_bases = {name: each for base in _above(summary, summaries) for name, each in base.attributes.items()}
    attributes = {name: kept for name, kept in attributes.items() if of_bases.get(name) != kept}
    kind = Summary(summary.name, bases, {}, attributes, telling.kept(summary.enter), telling.kept(summary.iterates))
    if kind.bases or kind.attributes or kind.enter or kind.iterates:
        found.types.append(kind)


def _above(summary: Summary, summaries: dict[str, Summary]) -> Iterator[Summary]:
    """The classes above one, nearest first."""
    seen = {summary.name}
    pending = list(summary.bases)
    while pending:
        name = pending.pop(0)
        if name not in seen and name in summaries:
            seen.add(name)
            yield summaries[name]
            pending = [*summaries[name].bases, *pending]


def _common(methods: dict[str, Outcome]) -> Outcome | None:
    """What nearly all methods of a class do, if there are many."""
    public = [outcome for name, outcome in methods.items() if not name.startswith("_")]
    counted = Counter(outcome for outcome in public if not outcome.is_plain)
    for outcome, count in counted.most_common(1):
        if count >= _MANY and count >= 3 * (len(public) - count):
            return outcome
    return None


def _put(outcomes: dict[str, Outcome], name: str, outcome: Outcome) -> None:
    if not outcome.is_plain or outcome.returns:
        outcomes[name] = outcome
