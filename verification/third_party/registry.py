"""What the tests of this folder exercise, by the names of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import asyncvet.catalogue
from asyncvet.catalogue import Api
from asyncvet.catalogue.reader import read_catalogue
from verification.cases import BOUND, Subject, subjects

Test = TypeVar("Test", bound=Callable[..., None])

AWAITS = "awaits"
"""What a test exercises that shows how the loop serves others while the call waits."""
HARMLESS = "harmless"
"""What a test exercises that shows how a call without effect returns while the server is silent."""

EXERCISED: set[Subject] = set()


def exercises(*names: str, aspect: str = "") -> Callable[[Test], Test]:
    """Say that the decorated test proves of each of `names` that it blocks or computes, or the `aspect` of it."""

    def register(test: Test) -> Test:
        EXERCISED.update(Subject(name, aspect) for name in names)
        return test

    return register


class Entry(NamedTuple):
    """An entry of the catalogue, by its distribution and its place in the file."""

    distribution: str
    place: int
    api: Api

    def subjects(self) -> set[Subject]:
        """What can be exercised of it."""
        aspects = []
        if self.api.is_async or self.api.effect == "pure":
            aspects = [AWAITS if self.api.is_async else HARMLESS, *[BOUND] * bool(self.api.bound)]
        return {*subjects([self.api]), *(Subject(name, aspect) for name in self.api.names for aspect in aspects)}


def third_party() -> Iterator[tuple[str, str, list[Entry]]]:
    """Each distribution of the catalogue but the standard library: its name, the version that was read, its entries."""
    for path in sorted(Path(asyncvet.catalogue.__file__).with_name("data").glob("*.toml")):
        file = read_catalogue(path)
        if file.distribution != "python":
            yield file.distribution, file.version, [Entry(file.distribution, place, api) for place, api in enumerate(file.api)]
