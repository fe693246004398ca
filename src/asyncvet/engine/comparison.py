"""The findings of a review beside those of the baseline."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import NamedTuple

from asyncvet.engine.baseline import Baseline, Entry, Standing
from asyncvet.engine.findings import Key, key
from asyncvet.engine.judgement import Judgement
from asyncvet.engine.loading import Loaded
from asyncvet.model import ReadError


class Comparison(NamedTuple):
    """What a baseline makes of a review.

    Attributes:
        accepted: The findings that it accepts, with the entries that do.
        kept: Entries whose findings stand, at the places where they stand now, and those of which the review knows nothing.
        gone: Entries whose findings are no more.
        new: The findings that are to be reported and that it does not accept, as entries.
    """

    accepted: dict[Key, Entry]
    kept: list[Entry]
    gone: list[Entry]
    new: list[Entry]


def compare(judgement: Judgement, known: Baseline, loaded: Loaded) -> Comparison:
    """Match the findings that no comment accepts with what a baseline accepts."""
    folder = known.file.absolute().parent
    named = _namer(loaded, folder)
    standing = _standing(judgement, loaded, named)
    accepted = known.matched(standing)
    tried = {(named(path), code) for path, code in judgement.tried}
    codes = {code for _, code in tried}
    left = sorted(set(known.entries) - set(accepted.values()))

    def is_gone(entry: Entry) -> bool:
        return (entry.path, entry.code) in tried or (entry.code in codes and not (folder / entry.path).exists())

    gone = [entry for entry in left if is_gone(entry)]
    kept = [entry for entry in left if not is_gone(entry)]
    new = []
    for one in standing:
        own = accepted.get(key(one.finding))
        if own is not None:  # of one that has not moved, not a letter changes
            kept.append(own if (own.path, own.fingerprint) == (one.entry.path, one.entry.fingerprint) else one.entry)
        elif key(one.finding) not in judgement.light:
            new.append(one.entry)
    return Comparison(accepted, kept, gone, new)


def told(gone: list[Entry], known: Baseline, loaded: Loaded) -> tuple[ReadError, ...]:
    """What a report says of entries whose findings are no more."""
    folder = known.file.absolute().parent
    return tuple(
        ReadError(
            PurePath(os.path.relpath(folder / entry.path, loaded.discovery.base)).as_posix(),
            None,
            f"{entry.code} in `{entry.function}`: {entry.message.partition('; ')[0]}",
            "baseline",
        )
        for entry in gone
    )


def _standing(judgement: Judgement, loaded: Loaded, named: Callable[[str], str]) -> list[Standing]:
    found = []
    for finding in judgement.standing:
        identity = judgement.identities[key(finding)]
        module = loaded.project.modules[finding.span.path].qualname
        entry = Entry(named(finding.span.path), finding.function, finding.code, identity.fingerprint, finding.message)
        found.append(Standing(finding, identity, entry, finding.function.removeprefix(module).removeprefix(".")))
    return found


def _namer(loaded: Loaded, folder: Path) -> Callable[[str], str]:
    """What gives a path of the project as a baseline in a folder has it."""
    return lambda path: PurePath(os.path.relpath(loaded.file(path), folder)).as_posix()
