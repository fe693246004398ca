"""A review from the files to the report: discover, read, link, run the rules, suppress, identify, sort."""

from __future__ import annotations

import os
import posixpath
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from asyncvet import rules
from asyncvet.catalogue import Catalogue, CatalogueError
from asyncvet.config import Settings, UsageError
from asyncvet.engine import environment
from asyncvet.engine.changes import Changes
from asyncvet.engine.discovery import Discovery, discover
from asyncvet.engine.excerpts import excerpts
from asyncvet.engine.findings import identified, merged, relocated
from asyncvet.engine.reading import Reading, read, uncollected
from asyncvet.engine.scope import ChangeScope
from asyncvet.engine.selection import selected
from asyncvet.engine.suppression import Suppressions, suppressions
from asyncvet.graph import Project, link
from asyncvet.graph.evidence import Evidence, evidence
from asyncvet.model import Finding, ReadError, Span
from asyncvet.report import Examined, Report
from asyncvet.rules import Rule

__all__ = ["Progress", "Report", "Settings", "UsageError", "review"]

Progress = Callable[[str, int, int], None]
"""Told the stage (``reading``, ``linking``, ``checking``), how much of it is done, and how much there is."""


def review(
    paths: Sequence[Path],
    settings: Settings | None = None,
    *,
    root: Path | None = None,
    progress: Progress | None = None,
    changes: Changes | None = None,
    examine: bool = False,
) -> Report:
    """Review the Python files at and below some paths.

    The report is the same whatever the order of the paths and the number of processes.

    Args:
        paths: Files and folders.
        settings: What to look at and what to report; None means the defaults. No configuration file is read.
        root: Folder that the paths in the report are relative to; None means the current one.
        progress: Told how far the review is.
        changes: Report only what these bring about; None means everything.
        examine: Gather what the verdicts on the checklist are made of.

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
        report = _report(_done(discovery, settings, reading, project, outcome, changes), examine)
    report = _as_seen_from(root, discovery.base, report)
    failures = tuple(ReadError("", None, message, "rule") for _, message in outcome.failures)
    return msgspec.structs.replace(report, errors=report.errors + failures, seconds=time.perf_counter() - started)


class _Outcome(msgspec.Struct):
    """What the rules gave: those that ran to their end, and those that broke down, with the reason."""

    findings: list[Finding]
    ran: list[Rule]
    failures: list[tuple[Rule, str]]


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
    outcome = _Outcome([], [], [])
    for index, rule in enumerate(chosen):
        tell("checking", index, len(chosen))
        try:
            outcome.findings += rule.check(project)
            outcome.ran.append(rule)
        except Exception as error:  # the other rules' findings are still worth having
            place = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
            outcome.failures.append((rule, f"rule {rule.code} {rule.name} failed, which is a fault of asyncvet: {what}"))
    return outcome


class _Done(msgspec.Struct):
    """What a review has come to when the rules have run.

    Attributes:
        tests: The test files whose findings are left out.
        scope: What tells whether a change brings a finding about; None if everything is reported.
    """

    discovery: Discovery
    settings: Settings
    reading: Reading
    project: Project
    outcome: _Outcome
    tests: set[str]
    scope: ChangeScope | None

    def findings(self, is_heavy: bool) -> list[Finding]:
        """The findings in what is reported on: those of the severities asked for, or the lighter ones."""
        return merged(
            finding
            for finding in self.outcome.findings
            if (finding.severity >= self.settings.min_severity) == is_heavy and finding.span.path not in self.tests
        )

    def related(self, found: list[Finding]) -> list[Finding]:
        """Those of the findings that the change under review brings about."""
        return found if self.scope is None else self.scope.findings(found)


def _done(
    discovery: Discovery, settings: Settings, reading: Reading, project: Project, outcome: _Outcome, changes: Changes | None
) -> _Done:
    tests = {file.path for file in discovery.files if file.is_test and not file.is_named and not settings.include_tests}
    scope = None if changes is None else ChangeScope(changes, project, discovery.base)
    return _Done(discovery, settings, reading, project, outcome, tests, scope)


def _report(done: _Done, examine: bool) -> Report:
    silent, problems = suppressions(done.reading.modules, rules.load())
    found = done.findings(is_heavy=True)
    candidates = done.related(found)
    kept = [finding for finding in candidates if not silent.silence(finding)]
    texts = excerpts(kept, done.discovery.base)
    return Report(
        findings=tuple(identified(kept, texts)),
        errors=(*done.reading.errors, *(problem for problem in problems if problem.path not in done.tests)),
        files=len(done.reading.modules),
        lines=sum(facts.lines for facts in done.reading.modules.values()),
        unresolved_calls=done.project.statistics.unresolved_calls,
        test_files_skipped=len(done.tests),
        suppressed=len(candidates) - len(kept),
        unrelated=len(found) - len(candidates),
        failed_rules=tuple(rule.code for rule, _ in done.outcome.failures),
        statistics=msgspec.structs.asdict(done.project.statistics),
        excerpts=texts,
        examined=_examined(done, silent) if examine else None,
    )


def _examined(done: _Done, silent: Suppressions) -> Examined:
    def outside_tests(spans: Iterable[Span]) -> tuple[Span, ...]:
        return tuple(span for span in spans if span.path not in done.tests)

    found = tuple(Evidence(each.item, outside_tests(each.subjects), outside_tests(each.good)) for each in evidence(done.project))
    lighter = (finding for finding in done.related(done.findings(is_heavy=False)) if not silent.silence(finding))
    return Examined(
        evidence=found if done.scope is None else done.scope.evidence(found),
        rules={rule.code: rule.item for rule in done.outcome.ran},
        broken=tuple(rule.item for rule, _ in done.outcome.failures),
        left_out=dict(sorted(Counter(finding.item for finding in lighter).items())),
        is_of_change=done.scope is not None,
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
        examined=report.examined and _renamed(report.examined, rename),
    )


def _renamed(examined: Examined, rename: Callable[[str], str]) -> Examined:
    def moved(spans: Iterable[Span]) -> tuple[Span, ...]:
        return tuple(msgspec.structs.replace(span, path=rename(span.path)) for span in spans)

    found = tuple(Evidence(each.item, moved(each.subjects), moved(each.good)) for each in examined.evidence)
    return msgspec.structs.replace(examined, evidence=found)
