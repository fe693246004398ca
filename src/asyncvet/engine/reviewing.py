"""From the files to the report: read, link, run the rules, suppress, identify, sort."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from asyncvet import rules
from asyncvet.config import Settings
from asyncvet.engine.changes import Changes
from asyncvet.engine.excerpts import excerpts
from asyncvet.engine.findings import identified, merged, relocated
from asyncvet.engine.inputs import Inputs
from asyncvet.engine.loading import Loaded, load_inputs
from asyncvet.engine.phases import Phases
from asyncvet.engine.progress import Progress
from asyncvet.engine.scope import ChangeScope
from asyncvet.engine.selection import selected
from asyncvet.engine.suppression import Suppressions, suppressions
from asyncvet.fix import Fixes
from asyncvet.graph import Project
from asyncvet.graph.evidence import evidence
from asyncvet.model import Evidence, Finding, ReadError, Span
from asyncvet.report import Examined, Report, RuleText
from asyncvet.rules import Rule


def answer(inputs: Inputs, tell: Progress, phases: Phases, changes: Changes | None, examine: bool) -> Report:
    """Review what was found. `asyncvet.engine.review` says what the arguments mean.

    Raises:
        UsageError: The settings name a rule or a file that does not exist.
    """
    settings = inputs.settings
    chosen = selected(rules.load(), settings)
    return report_on(load_inputs(inputs, tell, phases), settings, chosen, tell, phases, changes, examine)


def report_on(
    loaded: Loaded,
    settings: Settings,
    chosen: Sequence[Rule],
    tell: Progress,
    phases: Phases,
    changes: Changes | None = None,
    examine: bool = False,
) -> Report:
    """Run rules over a project that is linked already. `asyncvet.engine.review` says what the arguments mean.

    What `tell` raises ends it.
    """
    with phases.phase("entry points"):
        loaded.project.contexts  # noqa: B018  # computed when it is first asked for, which would be on some rule's account
    with phases.phase("rules"):
        outcome = _check(loaded.project, chosen, tell, phases)
    with phases.phase("report"):
        report = _as_seen_from_root(loaded, _report(_done(loaded, settings, outcome, changes), examine))
    failures = tuple(ReadError("", None, message, "rule") for _, message in outcome.failures)
    return msgspec.structs.replace(report, errors=report.errors + failures)


class _Outcome(msgspec.Struct):
    """What the rules gave: those that ran to their end, and those that broke down, with the reason."""

    findings: list[Finding]
    ran: list[Rule]
    failures: list[tuple[Rule, str]]


def _check(project: Project, chosen: Sequence[Rule], tell: Progress, phases: Phases) -> _Outcome:
    outcome = _Outcome([], [], [])
    for index, rule in enumerate(chosen):
        tell("checking", index, len(chosen))
        try:
            with phases.rule(rule.name):
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
        scope: What tells whether a change brings a finding about; None if everything is reported.
    """

    loaded: Loaded
    settings: Settings
    outcome: _Outcome
    scope: ChangeScope | None

    def findings(self, is_heavy: bool) -> list[Finding]:
        """The findings in what is reported on: those of the severities asked for, or the lighter ones."""
        return merged(
            finding
            for finding in self.outcome.findings
            if (finding.severity >= self.settings.min_severity) == is_heavy
            and finding.span.path not in self.loaded.tests
            and finding.span.path not in self.loaded.generated
        )

    def related(self, found: list[Finding]) -> list[Finding]:
        """Those of the findings that the change under review brings about."""
        return found if self.scope is None else self.scope.findings(found)


def _done(loaded: Loaded, settings: Settings, outcome: _Outcome, changes: Changes | None) -> _Done:
    scope = None if changes is None else ChangeScope(changes, loaded.project, loaded.discovery.base)
    return _Done(loaded, settings, outcome, scope)


def _report(done: _Done, examine: bool) -> Report:
    loaded, reading, statistics = done.loaded, done.loaded.reading, done.loaded.project.statistics
    silent, problems = suppressions(reading.modules, rules.load())
    found = done.findings(is_heavy=True)
    candidates = done.related(found)
    fixes = Fixes(loaded.project, loaded.content)
    candidates = [msgspec.structs.replace(finding, fix=fixes.fix(finding)) for finding in candidates]
    told = excerpts(candidates, loaded.content)
    silenced = [silent.silence(finding) for finding in candidates]
    named = list(zip(identified(candidates, told.texts), silenced, strict=True))
    return Report(
        findings=tuple(finding for finding, is_silenced in named if not is_silenced),
        accepted=tuple(finding for finding, is_silenced in named if is_silenced),
        errors=(*reading.errors, *(problem for problem in problems if problem.path not in loaded.tests)),
        files=len(reading.modules),
        lines=sum(facts.lines for facts in reading.modules.values()),
        cached_files=loaded.cache.hits,
        notes=tuple(loaded.installed.notes()) if loaded.installed is not None else (),
        unresolved_calls=statistics.unresolved_calls,
        test_files_skipped=len(loaded.tests),
        generated_files_skipped=len(loaded.generated),
        suppressed=sum(silenced),
        unrelated=len(found) - len(candidates),
        failed_rules=tuple(rule.code for rule, _ in done.outcome.failures),
        statistics=msgspec.structs.asdict(statistics),
        excerpts=told.texts,
        marks=told.marks,
        rules=_speaking(done.outcome.ran, candidates),
        examined=_examined(done, silent) if examine else None,
    )


def _speaking(ran: Iterable[Rule], findings: Iterable[Finding]) -> tuple[RuleText, ...]:
    """What the rules that found these say about themselves."""
    codes = {finding.code for finding in findings}
    return tuple(RuleText(rule.code, rule.name, rule.severity, rule.text) for rule in ran if rule.code in codes)


def _examined(done: _Done, silent: Suppressions) -> Examined:
    def outside_tests(spans: Iterable[Span]) -> tuple[Span, ...]:
        return tuple(span for span in spans if span.path not in done.loaded.tests)

    found = tuple(
        Evidence(each.item, outside_tests(each.subjects), outside_tests(each.good)) for each in evidence(done.loaded.project)
    )
    lighter = (finding for finding in done.related(done.findings(is_heavy=False)) if not silent.silence(finding))
    return Examined(
        evidence=found if done.scope is None else done.scope.evidence(found),
        rules={rule.code: rule.item for rule in done.outcome.ran},
        broken=tuple(rule.item for rule, _ in done.outcome.failures),
        left_out=dict(sorted(Counter(finding.item for finding in lighter).items())),
        is_of_change=done.scope is not None,
    )


def _as_seen_from_root(loaded: Loaded, report: Report) -> Report:
    """The report with the paths that are relative to the project's base made relative to the root."""
    if loaded.root == loaded.discovery.base:
        return report
    rename = loaded.renamed
    return msgspec.structs.replace(
        report,
        findings=tuple(relocated(finding, rename) for finding in report.findings),
        errors=tuple(msgspec.structs.replace(error, path=rename(error.path)) for error in report.errors),
        accepted=tuple(relocated(finding, rename) for finding in report.accepted),
        excerpts={(rename(path), line, column): text for (path, line, column), text in report.excerpts.items()},
        marks={(rename(path), line, column): mark for (path, line, column), mark in report.marks.items()},
        examined=report.examined and _renamed(report.examined, rename),
    )


def _renamed(examined: Examined, rename: Callable[[str], str]) -> Examined:
    def moved(spans: Iterable[Span]) -> tuple[Span, ...]:
        return tuple(msgspec.structs.replace(span, path=rename(span.path)) for span in spans)

    found = tuple(Evidence(each.item, moved(each.subjects), moved(each.good)) for each in examined.evidence)
    return msgspec.structs.replace(examined, evidence=found)
