"""What becomes of what the rules found: where it counts, how much it weighs, and whether a comment accepts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from asyncvet.engine.findings import Key, key, merged
from asyncvet.engine.fingerprints import Identity, identities
from asyncvet.engine.loading import Loaded
from asyncvet.engine.suppression import suppressions
from asyncvet.model import Finding, ReadError
from asyncvet.rules import Rule


class Judgement(msgspec.Struct, frozen=True):
    """The findings of a review, judged.

    Attributes:
        findings: All in the files that are reported on, sorted; one for each rule and place.
        light: Those that are lighter than what is to be reported where they are.
        silenced: Those that a comment accepts.
        identities: Of all of them.
        tried: Path and code where a rule ran to its end, the file was read completely, and so was the program around it: what is
            not found there is not there.
        problems: Comments that accept nothing, or give no reason.
    """

    findings: tuple[Finding, ...]
    light: frozenset[Key]
    silenced: frozenset[Key]
    identities: Mapping[Key, Identity]
    tried: frozenset[tuple[str, str]]
    problems: tuple[ReadError, ...]

    @property
    def standing(self) -> list[Finding]:
        """The findings that no comment accepts."""
        return [finding for finding in self.findings if key(finding) not in self.silenced]


def judge(found: Sequence[Finding], ran: Sequence[Rule], known: Sequence[Rule], loaded: Loaded) -> Judgement:
    """Judge what the rules found.

    Args:
        found: What they gave, as they gave it.
        ran: The rules that ran to their end.
        known: All rules there are.
        loaded: The project.
    """
    governed = _governed(found, known, loaded)
    silent, problems = suppressions(loaded.reading.modules, known, _strict(loaded))
    silenced = frozenset(key(finding) for finding in governed if silent.silence(finding))
    unreported = loaded.tests | loaded.generated
    reported = tuple(finding for finding in governed if finding.span.path not in unreported)
    tried = _tried(ran, known, loaded)
    problems += silent.unused(tried, known)
    lightest = loaded.governance.lightest
    return Judgement(
        reported,
        frozenset(key(finding) for finding in reported if finding.severity < lightest(loaded.file(finding.span.path))),
        silenced,
        dict(zip(map(key, reported), identities(reported, loaded.content), strict=True)),
        tried,
        tuple(sorted(problem for problem in problems if problem.path not in loaded.tests)),
    )


def _governed(found: Sequence[Finding], known: Sequence[Rule], loaded: Loaded) -> list[Finding]:
    """The findings in files where their rules run, with the severities that these have there; one for each rule and place."""
    by_code = {rule.code: rule for rule in known}
    governance = loaded.governance
    return merged(
        governance.weighed(finding, by_code[finding.code], file)
        for finding in found
        for file in (loaded.file(finding.span.path),)
        if finding.code in governance.running(known, file)
    )


def _strict(loaded: Loaded) -> list[str]:
    """The files whose comments have to give a reason."""
    return [
        path
        for path, facts in loaded.reading.modules.items()
        if facts.comments and loaded.governance.of_folder(loaded.file(path).parent).require_reason
    ]


def _tried(ran: Sequence[Rule], known: Sequence[Rule], loaded: Loaded) -> frozenset[tuple[str, str]]:
    codes = frozenset(rule.code for rule in ran)
    unreported = loaded.tests | loaded.generated
    return frozenset(
        (path, code)
        for path, facts in loaded.reading.modules.items()
        if loaded.is_whole and not facts.broken and path not in unreported
        for code in codes & loaded.governance.running(known, loaded.file(path))
    )
