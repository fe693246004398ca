"""Cases by what they exercise, and what of the catalogue no case exercises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from asyncvet.catalogue.schema import Api, Condition

Run = Callable[[Path], object]
"""Makes the observation; it is given a directory of its own."""

AnyRun = TypeVar("AnyRun", bound=Run)

BOUND = "bound"
"""What a case exercises that shows how the entry's `bound` ends the wait."""


class Subject(NamedTuple):
    """What a case is about: a name, and the condition under which it does not block or the bound of its wait (else empty)."""

    name: str
    aspect: str = ""

    def __str__(self) -> str:
        return f"{self.name}[{self.aspect}]" if self.aspect else self.name


class Cases:
    """A collection of cases, filled by the modules that define them."""

    def __init__(self) -> None:
        self.by_subject: dict[Subject, Run] = {}

    def add(self, name: str, run: Run, aspect: str = "") -> None:
        """Register one case. A subject has one case only."""
        subject = Subject(name, aspect)
        if subject in self.by_subject:
            raise ValueError(f"{subject} has a case already")
        self.by_subject[subject] = run

    def exercises(self, *names: str, aspect: str = "") -> Callable[[AnyRun], AnyRun]:
        """Register the decorated function as the case of each of `names`."""

        def register(run: AnyRun) -> AnyRun:
            for name in names:
                self.add(name, run, aspect)
            return run

        return register

    def missing(self, apis: Iterable[Api]) -> list[str]:
        """The subjects of these entries that have no case."""
        return [str(subject) for subject in subjects(apis) if subject not in self.by_subject]

    def unfounded(self, apis: Iterable[Api]) -> list[str]:
        """The cases whose subject is in none of these entries."""
        known = set(subjects(apis))
        return [str(subject) for subject in self.by_subject if subject not in known]


def subjects(apis: Iterable[Api]) -> Iterator[Subject]:
    """What is to be exercised of these entries: names that stall, their conditions and their bounds."""
    found: dict[Subject, None] = {}
    for api in apis:
        if api.effect in ("blocks", "cpu-bound"):
            aspects = ["", *map(label, (*api.unless, *api.only_if)), *[BOUND] * bool(api.bound)]
            found |= dict.fromkeys(Subject(name, aspect) for name in api.names for aspect in aspects)
    yield from found


def label(condition: Condition) -> str:
    """A condition in short: ``timeout=0``, ``#0=0`` (by position only), ``cadata absent``, ``mode^=rb``, ``constructor maxsize=0``."""
    argument = condition.argument or f"#{condition.position}"
    if condition.of == "constructor":
        argument = f"constructor {argument}"
    if condition.present is not None:
        return f"{argument} {'present' if condition.present else 'absent'}"
    if condition.starts_with is not None:
        return f"{argument}^={condition.starts_with}"
    if condition.is_none is not None:
        return f"{argument} {'is' if condition.is_none else 'is not'} None"
    if condition.literal is not None:
        return f"{argument} {'literal' if condition.literal else 'not literal'}"
    return f"{argument}={condition.equals}"
