"""Files of observations, read. Quick to import: a command that is given none pays nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from asyncvet.config import UsageError
from asyncvet.model import ReadError
from asyncvet.monitor.observation import Observation, read_observations

FAULTS = 5
"""So many lines of a file that cannot be read are named, the others counted."""


class Observed(msgspec.Struct, frozen=True):
    """Observations, and what of their files could not be read.

    Attributes:
        learn: Add the calls that were seen to the graph, where it knows nothing of what is called.
    """

    observations: tuple[Observation, ...] = ()
    errors: tuple[ReadError, ...] = ()
    learn: bool = False


def read(files: Sequence[Path], learn: bool = False) -> Observed:
    """The observations of some files.

    Raises:
        UsageError: A file cannot be read, or holds no observation though it holds something.
    """
    observations: list[Observation] = []
    errors: list[ReadError] = []
    for file in files:
        try:
            found, faults = read_observations(file)
        except OSError as error:
            raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
        if faults and not found:
            raise UsageError(f"{file}: holds no observation that can be read: {faults[0]}")
        observations += found
        errors += [ReadError(str(file), None, f"left out: {fault}") for fault in faults[:FAULTS]]
        if len(faults) > FAULTS:
            errors.append(ReadError(str(file), None, f"left out: {len(faults) - FAULTS} more lines"))
    return Observed(tuple(observations), tuple(errors), learn)
