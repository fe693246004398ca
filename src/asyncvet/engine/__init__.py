"""A review from the files to the report: discover, read, link, run the rules, suppress, identify, sort."""

from __future__ import annotations

import os
import posixpath
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from asyncvet import rules
from asyncvet.catalogue import Catalogue, CatalogueError
from asyncvet.config import Settings, UsageError
from asyncvet.engine import environment
from asyncvet.engine.discovery import Discovery, discover
from asyncvet.engine.excerpts import excerpts
from asyncvet.engine.findings import identified, merged, relocated
from asyncvet.engine.reading import Reading, read, uncollected
from asyncvet.engine.selection import selected
from asyncvet.engine.suppression import suppressions
from asyncvet.graph import Project, link
from asyncvet.model import Finding, ReadError
from asyncvet.report import Report
from asyncvet.rules import Rule

__all__ = ["Progress", "Report", "Settings", "UsageError", "review"]

Progress = Callable[[str, int, int], None]
"""Told the stage (``reading``, ``linking``, ``checking``), how much of it is done, and how much there is."""


def review(
    paths: Sequence[Path], settings: Settings | None = None, *, root: Path | None = None, progress: Progress | None = None
) -> Report:
    """Review the Python files at and below some paths.

    The report is the same whatever the order of the paths and the number of processes.

    Args:
        paths: Files and folders.
        settings: What to look at and what to report; None means the defaults. No configuration file is read.
        root: Folder that the paths in the report are relative to; None means the current one.
        progress: Told how far the review is.

    Raises:
        UsageError: A path does not exist or holds no Python, or the settings name a rule or a file that does not exist.
    """
    started = time.perf_counter()
    settings = settings or Settings()
    root = Path(os.path.normpath((root or Path.cwd()).absolute()))
    tell = progress or (lambda stage, done, total: None)  # noqa: ARG005
    chosen = selected(rules.load(), settings)
    catalogue = _catalogue(settings)
    discovery = discover(paths, settings, root)
    library = environment.find(settings.python, discovery.base)
    with uncollected():
        reading = _read(discovery, settings, tell)
        tell("linking", 0, 1)
        project = link(reading.modules, catalogue, discovery.package, library)
        outcome = _check(project, chosen, tell)
    report = _as_seen_from(root, discovery.base, _report(discovery, settings, reading, project, outcome))
    failures = tuple(ReadError("", None, message, "rule") for message in outcome.failures.values())
    return msgspec.structs.replace(report, errors=report.errors + failures, seconds=time.perf_counter() - started)


class _Outcome(msgspec.Struct):
    """What the rules gave, and by code why some of them broke down."""

    findings: list[Finding]
    failures: dict[str, str]


def _catalogue(settings: Settings) -> Catalogue:
    try:
        return Catalogue.with_extra(settings.catalogue) if settings.catalogue else Catalogue.bundled()
    except CatalogueError as error:
        raise UsageError(str(error)) from error


def _read(discovery: Discovery, settings: Settings, tell: Progress) -> Reading:
    done = 0

    def count(files: int) -> None:
        nonlocal done
        done += files
        tell("reading", done, len(discovery.files))

    return read(discovery, settings.jobs, count)


def _check(project: Project, chosen: Sequence[Rule], tell: Progress) -> _Outcome:
    outcome = _Outcome([], {})
    for index, rule in enumerate(chosen):
        tell("checking", index, len(chosen))
        try:
            outcome.findings += rule.check(project)
        except Exception as error:  # the other rules' findings are still worth having
            place = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
            outcome.failures[rule.code] = f"rule {rule.code} {rule.name} failed, which is a fault of asyncvet: {what}"
    return outcome


def _report(discovery: Discovery, settings: Settings, reading: Reading, project: Project, outcome: _Outcome) -> Report:
    silent, problems = suppressions(reading.modules, rules.load())
    tests = {file.path for file in discovery.files if file.is_test and not file.is_named and not settings.include_tests}
    wanted = [
        finding for finding in outcome.findings if finding.severity >= settings.min_severity and finding.span.path not in tests
    ]
    candidates = merged(wanted)
    kept = [finding for finding in candidates if not silent.silence(finding)]
    texts = excerpts(kept, discovery.base)
    return Report(
        findings=tuple(identified(kept, texts)),
        errors=(*reading.errors, *(problem for problem in problems if problem.path not in tests)),
        files=len(reading.modules),
        lines=sum(facts.lines for facts in reading.modules.values()),
        unresolved_calls=project.statistics.unresolved_calls,
        test_files_skipped=len(tests),
        suppressed=len(candidates) - len(kept),
        failed_rules=tuple(outcome.failures),
        statistics=msgspec.structs.asdict(project.statistics),
        excerpts=texts,
    )


def _as_seen_from(root: Path, base: Path, report: Report) -> Report:
    """The report with the paths that are relative to `base` made relative to `root`."""
    if root == base:
        return report
    prefix = Path(os.path.relpath(base, root)).as_posix()

    def rename(path: str) -> str:
        return posixpath.normpath(posixpath.join(prefix, path))

    return msgspec.structs.replace(
        report,
        findings=tuple(relocated(finding, rename) for finding in report.findings),
        errors=tuple(msgspec.structs.replace(error, path=rename(error.path)) for error in report.errors),
        excerpts={(rename(path), line, column): text for (path, line, column), text in report.excerpts.items()},
    )
