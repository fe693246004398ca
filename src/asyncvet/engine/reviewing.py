"""From the files to the report: read, link, run the rules, suppress, identify, sort."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import msgspec

from asyncvet import rules
from asyncvet.config import Settings
from asyncvet.engine import baseline, observations
from asyncvet.engine.changes import Changes
from asyncvet.engine.comparison import compare, told
from asyncvet.engine.excerpts import excerpts
from asyncvet.engine.findings import Key, identified, key, merged, relocated
from asyncvet.engine.inputs import Inputs
from asyncvet.engine.judgement import Judgement, judge
from asyncvet.engine.loading import Loaded, load_inputs
from asyncvet.engine.observed import Observed
from asyncvet.engine.phases import Phases
from asyncvet.engine.progress import Progress
from asyncvet.engine.scope import ChangeScope
from asyncvet.fix import Fixes
from asyncvet.graph import Project
from asyncvet.graph.evidence import evidence
from asyncvet.model import Evidence, Finding, ReadError, Span
from asyncvet.report import Examined, Report, RuleText
from asyncvet.rules import Rule


def answer(
    inputs: Inputs, tell: Progress, phases: Phases, changes: Changes | None, examine: bool, observed: Observed | None = None
) -> Report:
    """Review what was found. `asyncvet.engine.review` says what the arguments mean.

    Raises:
        UsageError: The settings name a rule or a file that does not exist.
    """
    loaded = load_inputs(inputs, tell, phases, observed)
    return report_on(loaded, inputs.settings, tell, phases, changes, examine, observed)


def report_on(
    loaded: Loaded,
    settings: Settings,
    tell: Progress,
    phases: Phases,
    changes: Changes | None = None,
    examine: bool = False,
    observed: Observed | None = None,
) -> Report:
    """Run rules over a project that is linked already. `asyncvet.engine.review` says what the arguments mean.

    What `tell` raises ends it.
    """
    chosen = loaded.governance.rules(rules.load())
    with phases.phase("entry points"):
        loaded.project.contexts  # noqa: B018  # computed when it is first asked for, which would be on some rule's account
    with phases.phase("rules"):
        outcome = run(chosen, loaded.project, tell, phases)
    with phases.phase("report"):
        done = _done(loaded, settings, outcome, changes)
        report = _report(done, examine)
        if observed is not None:
            report = _with_observations(report, done, observed)
        report = _as_seen_from_root(loaded, report)
    failures = tuple(ReadError("", None, message, "rule") for _, message in outcome.failures)
    return msgspec.structs.replace(report, errors=report.errors + failures)


class Outcome(msgspec.Struct):
    """What the rules gave: those that ran to their end, and those that broke down, with the reason."""

    findings: list[Finding]
    ran: list[Rule]
    failures: list[tuple[Rule, str]]


def run(chosen: Sequence[Rule], project: Project, tell: Progress, phases: Phases) -> Outcome:
    """Let rules look at a project. One that breaks down does not keep the others from it."""
    outcome = Outcome([], [], [])
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
        accepted: The findings that the baseline accepts.
        gone: What is said of its entries whose findings are no more.
        scope: What tells whether a change brings a finding about; None if everything is reported.
    """

    loaded: Loaded
    outcome: Outcome
    judgement: Judgement
    accepted: Collection[Key]
    gone: tuple[ReadError, ...]
    scope: ChangeScope | None

    def findings(self, is_heavy: bool) -> list[Finding]:
        """The findings in what is reported on: those of the severities asked for, or the lighter ones."""
        light = self.judgement.light
        return [finding for finding in self.judgement.findings if (key(finding) not in light) == is_heavy]

    def stands(self, finding: Finding) -> bool:
        """Whether neither a comment nor the baseline accepts it."""
        return key(finding) not in self.judgement.silenced and key(finding) not in self.accepted

    def related(self, found: list[Finding]) -> list[Finding]:
        """Those of the findings that the change under review brings about."""
        return found if self.scope is None else self.scope.findings(found)


def _done(loaded: Loaded, settings: Settings, outcome: Outcome, changes: Changes | None) -> _Done:
    scope = None if changes is None else ChangeScope(changes, loaded.project, loaded.discovery.base)
    judgement = judge(outcome.findings, outcome.ran, rules.load(), loaded)
    if settings.baseline is None:
        return _Done(loaded, outcome, judgement, (), (), scope)
    known = baseline.read(settings.baseline)
    comparison = compare(judgement, known, loaded)
    return _Done(loaded, outcome, judgement, comparison.accepted, told(comparison.gone, known, loaded), scope)


def _report(done: _Done, examine: bool) -> Report:
    loaded, reading, statistics = done.loaded, done.loaded.reading, done.loaded.project.statistics
    found = done.findings(is_heavy=True)
    candidates = done.related(found)
    fixes = Fixes(loaded.project, loaded.content)
    named = [msgspec.structs.replace(each, fix=fixes.fix(each)) for each in candidates if key(each) not in done.accepted]
    told = excerpts(named, loaded.content)
    fingerprints = {where: identity.fingerprint for where, identity in done.judgement.identities.items()}
    identified_ones = identified(named, told.texts, fingerprints)
    silenced = done.judgement.silenced
    return Report(
        findings=tuple(finding for finding in identified_ones if key(finding) not in silenced),
        accepted=tuple(finding for finding in identified_ones if key(finding) in silenced),
        errors=(*reading.errors, *done.judgement.problems, *done.gone),
        files=len(reading.modules),
        lines=sum(facts.lines for facts in reading.modules.values()),
        cached_files=loaded.cache.hits,
        notes=tuple(loaded.installed.notes()) if loaded.installed is not None else (),
        unresolved_calls=statistics.unresolved_calls,
        test_files_skipped=len(loaded.tests),
        generated_files_skipped=len(loaded.generated),
        suppressed=sum(key(finding) in silenced for finding in named),
        in_baseline=len(candidates) - len(named),
        unrelated=len(found) - len(candidates),
        failed_rules=tuple(rule.code for rule, _ in done.outcome.failures),
        statistics=msgspec.structs.asdict(statistics),
        excerpts=told.texts,
        marks=told.marks,
        rules=_speaking(done.outcome.ran, named),
        examined=_examined(done) if examine else None,
    )


def _speaking(ran: Iterable[Rule], findings: Iterable[Finding]) -> tuple[RuleText, ...]:
    """What the rules that found these say about themselves."""
    codes = {finding.code for finding in findings}
    return tuple(RuleText(rule.code, rule.name, rule.severity, rule.text) for rule in ran if rule.code in codes)


def _with_observations(report: Report, done: _Done, observed: Observed) -> Report:
    """The report with what was seen of its findings, and what was seen beside them. Paths are relative to the base of the project."""
    loaded = done.loaded
    places = observations.Places(loaded.reading.modules, loaded.discovery.base)
    reported = {(finding.code, finding.span) for finding in report.findings}
    others = [finding for finding in merged(done.outcome.findings) if (finding.code, finding.span) not in reported]
    compared = observations.compare(observed, report.findings, others, loaded.project, places)
    return msgspec.structs.replace(
        report,
        findings=tuple(compared.findings),
        missed_alarms=compared.missed,
        errors=(*report.errors, *observed.errors),
        notes=(*report.notes, compared.note),
    )


def _examined(done: _Done) -> Examined:
    def outside_tests(spans: Iterable[Span]) -> tuple[Span, ...]:
        return tuple(span for span in spans if span.path not in done.loaded.tests)

    found = tuple(
        Evidence(each.item, outside_tests(each.subjects), outside_tests(each.good)) for each in evidence(done.loaded.project)
    )
    lighter = (finding for finding in done.related(done.findings(is_heavy=False)) if done.stands(finding))
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
        missed_alarms=tuple(msgspec.structs.replace(alarm, path=rename(alarm.path)) for alarm in report.missed_alarms),
    )


def _renamed(examined: Examined, rename: Callable[[str], str]) -> Examined:
    def moved(spans: Iterable[Span]) -> tuple[Span, ...]:
        return tuple(msgspec.structs.replace(span, path=rename(span.path)) for span in spans)

    found = tuple(Evidence(each.item, moved(each.subjects), moved(each.good)) for each in examined.evidence)
    return msgspec.structs.replace(examined, evidence=found)
