"""The cases of the standard library, and the shapes that many of them share.

Setups are given the case's directory, which `furnish` has filled, and what they make is made in the process that makes the call.
"""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from verification.cases import BOUND, Cases
from verification.observing import (
    Call,
    Errors,
    observe_bound,
    observe_kernel_after,
    observe_no_kernel,
    observe_no_wait,
    observe_wait,
)

CASES = Cases()

Arguments = tuple[object, ...] | Callable[[Path], tuple[object, ...]]
Receiver = Callable[[Path], Any]

Setup = Callable[[Path], tuple[Call, Call]]
"""Gives a call that waits, and the call, of another thread, that ends the wait."""

KEPT: list[object] = []
"""What has to live as long as the case."""

LINES = 20_000
"""Lines of the furnished file: more than any buffer holds."""

SECONDS = 0.1
"""What bounds are set to."""


def furnish(directory: Path) -> None:
    """Fill a case's directory: a large file, a small one, a tree of directories, a link, and an empty directory."""
    (directory / "file").write_text("a line of text\n" * LINES, encoding="utf-8")
    (directory / "small").write_text("text\n", encoding="utf-8")
    (directory / "tree" / "inner").mkdir(parents=True)
    (directory / "tree" / "inner" / "leaf").write_text("leaf\n", encoding="utf-8")
    (directory / "link").symlink_to(directory / "file")
    (directory / "empty").mkdir()


def resolve(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """What a dotted name of the catalogue stands for in this interpreter."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


def method(receiver: object, name: str, *arguments: object) -> Call:
    """The call of a method; `__iter__` stands for a whole loop over the receiver."""
    if name == "__iter__":
        return partial(exhaust, receiver)
    if name == "__exit__":
        return partial(getattr(receiver, name), None, None, None)
    return partial(getattr(receiver, name), *arguments)


def exhaust(iterable: object) -> None:
    """Iterate to the end, and keep nothing."""
    deque(iterable, maxlen=0)  # type: ignore[call-overload]


def exhausting(call: Callable[..., object], *arguments: object) -> Call:
    """A call of a generator function, and the loop over what it gives."""
    return lambda: exhaust(call(*arguments))


def on_disk(
    name: str,
    setup: Callable[[Path], Call],
    *,
    aspect: str = "",
    at: Callable[[Path], Path] = lambda directory: directory,
    through: Collection[str] = (),
) -> None:
    """A case whose call, which `setup` gives, stands in system calls about files of the directory (or `at`, or `through` others)."""
    CASES.add(name, lambda d: observe_kernel_after(partial(setup, d), at=None if through else at(d), through=through), aspect)


def functions_on_disk(table: Mapping[str, Arguments]) -> None:
    """A case for each function, with its arguments."""
    for name, arguments in table.items():
        on_disk(name, lambda d, name=name, arguments=arguments: partial(resolve(name), *_given(arguments, d)))  # type: ignore[misc]


def methods_on_disk(owner: str, receivers: Iterable[Receiver], table: Mapping[str, Arguments]) -> None:
    """A case for each method of `owner`, made on each of the receivers."""
    makers = tuple(receivers)
    for name, arguments in table.items():
        CASES.add(f"{owner}.{name}", partial(_observe_method, makers, name, arguments))


def _observe_method(makers: tuple[Receiver, ...], name: str, arguments: Arguments, directory: Path) -> None:
    for number, maker in enumerate(makers):
        place = directory / str(number)
        place.mkdir()
        furnish(place)
        observe_kernel_after(lambda: method(maker(place), name, *_given(arguments, place)), at=place)  # noqa: B023 - made here and now


def _given(arguments: Arguments, directory: Path) -> tuple[object, ...]:
    return arguments(directory) if callable(arguments) else arguments


def in_memory(name: str, aspect: str, setup: Callable[[Path], Call]) -> None:
    """A case whose call makes no system call about files at all."""
    CASES.add(name, lambda d: observe_no_kernel(partial(setup, d)), aspect)


def waits(name: str, setup: Setup, *, raises: Errors = ()) -> None:
    """A case whose call, the first that `setup` gives, waits until the second is made by another thread."""
    CASES.add(name, lambda d: observe_wait(*setup(d), raises=raises))


def returns(name: str, aspect: str, setup: Callable[[Path], Call], *, raises: Errors = ()) -> None:
    """A case whose call returns though nobody answers."""
    CASES.add(name, lambda d: observe_no_wait(setup(d), raises=raises), aspect)


def ends(name: str, setup: Callable[[Path], Call], *, raises: Errors = ()) -> None:
    """A case whose call, told to wait `SECONDS`, ends after them though nobody answers."""
    CASES.add(name, lambda d: observe_bound(setup(d), SECONDS, raises=raises), BOUND)


def only(setup: Setup) -> Callable[[Path], Call]:
    """The call that waits, without what ends the wait."""

    def make(directory: Path) -> Call:
        call, release = setup(directory)
        KEPT.append(release)
        return call

    return make
