"""Accepting what stands: a baseline is written, or what is fixed drops out of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from asyncvet import rules
from asyncvet.config import Settings
from asyncvet.engine import baseline
from asyncvet.engine.baseline import Baseline, Entry
from asyncvet.engine.collector import uncollected
from asyncvet.engine.comparison import Comparison, compare
from asyncvet.engine.inputs import Inputs, gather
from asyncvet.engine.judgement import judge
from asyncvet.engine.loading import load_inputs
from asyncvet.engine.phases import Phases
from asyncvet.engine.progress import Progress
from asyncvet.engine.reviewing import run


class Acceptance(msgspec.Struct, frozen=True):
    """What became of a baseline.

    Attributes:
        entries: Number of findings that it accepts now.
        added: Those that it did not accept before.
        gone: Those that it accepted before.
        refused: Findings that stand and that it does not accept.
        failed_rules: Codes of the rules that broke down.
    """

    entries: int
    added: tuple[Entry, ...]
    gone: tuple[Entry, ...]
    refused: tuple[Entry, ...]
    failed_rules: tuple[str, ...]


def accept(
    paths: Sequence[Path],
    settings: Settings,
    file: Path,
    *,
    root: Path | None = None,
    progress: Progress | None = None,
    with_new: bool = False,
) -> Acceptance:
    """Accept the findings that stand: write a baseline, or let what is fixed drop out of one.

    Args:
        paths: Files and folders.
        settings: What to look at and what would be reported.
        file: The baseline. One that is there takes in nothing new unless it is told to.
        root: Folder that the paths are relative to; None means the current one.
        progress: Told how far the review is.
        with_new: Accept what a baseline that is there does not accept yet.

    Raises:
        UsageError: As in `asyncvet.engine.review`; or the baseline cannot be used, or not be written.
    """
    known = baseline.read(file) if file.exists() else None
    with uncollected():
        inputs = gather(paths, settings, root)
        try:
            found, failed = _compared(inputs, known or Baseline(file), progress or (lambda stage, done, total: None))  # noqa: ARG005
        finally:
            inputs.contents.close()
    added = found.new if with_new or known is None else []
    entries = (*found.kept, *added)
    baseline.write(Baseline(file, entries))
    return Acceptance(len(set(entries)), tuple(added), tuple(found.gone), () if added else tuple(found.new), failed)


def _compared(inputs: Inputs, known: Baseline, tell: Progress) -> tuple[Comparison, tuple[str, ...]]:
    """What stands beside what a baseline accepts, and the codes of the rules that broke down."""
    chosen = inputs.discovery.governance.rules(rules.load())
    phases = Phases()
    loaded = load_inputs(inputs, tell, phases)
    outcome = run(chosen, loaded.project, tell, phases)
    judgement = judge(outcome.findings, outcome.ran, rules.load(), loaded)
    return compare(judgement, known, loaded), tuple(rule.code for rule, _ in outcome.failures)
