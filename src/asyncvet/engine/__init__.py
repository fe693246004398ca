"""A review: discover the files; take the report of an earlier review if nothing has changed; else make it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from asyncvet.config import Settings, UsageError
from asyncvet.engine.answers import Answers
from asyncvet.engine.changes import Changes
from asyncvet.engine.collector import uncollected
from asyncvet.engine.inputs import gather
from asyncvet.engine.observed import Observed
from asyncvet.engine.phases import Phases
from asyncvet.engine.progress import Progress
from asyncvet.report import Report

__all__ = ["Phases", "Progress", "Report", "Settings", "UsageError", "review"]


def review(  # noqa: PLR0913  # each says one thing of a review, by name
    paths: Sequence[Path],
    settings: Settings | None = None,
    *,
    root: Path | None = None,
    progress: Progress | None = None,
    changes: Changes | None = None,
    examine: bool = False,
    phases: Phases | None = None,
    observed: Observed | None = None,
) -> Report:
    """Review the Python files at and below some paths.

    The report is the same whatever the order of the paths, the number of processes, and what is known from earlier reviews.

    Args:
        paths: Files and folders.
        settings: What to look at and what to report; None means the defaults. No configuration file is read.
        root: Folder that the paths in the report are relative to; None means the current one.
        progress: Told how far the review is.
        changes: Report only what these bring about; None means everything.
        examine: Gather what the verdicts on the checklist are made of.
        phases: Told where the time goes.
        observed: What was seen at run time, to be laid beside what is found.

    Raises:
        UsageError: A path does not exist or holds no Python, or the settings name a rule or a file that does not exist.
    """
    started = time.perf_counter()
    phases = phases or Phases()
    with uncollected():
        with phases.phase("discover"):
            inputs = gather(paths, settings or Settings(), root)
        try:
            with phases.phase("look for a kept report"):
                answers = Answers(inputs, changes, examine) if observed is None else None
                report = answers.recall() if answers is not None else None
            if report is None:
                from asyncvet.engine import reviewing  # noqa: PLC0415  # slow to import, and a report that is kept needs none of it

                report = reviewing.answer(inputs, progress or _nobody, phases, changes, examine, observed)
                if answers is not None:
                    answers.keep(report)
        finally:  # what was read before a fault, or an interrupt, is kept too
            with phases.phase("keep"):
                inputs.contents.close()
    problem = inputs.contents.store.problem
    notes = report.notes if problem is None else (*report.notes, problem)
    return replace(report, notes=notes, seconds=time.perf_counter() - started)


def _nobody(stage: str, done: int, total: int) -> None:
    """Told how far the review is where nobody wants to know."""
