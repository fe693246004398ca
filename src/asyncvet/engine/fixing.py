"""Fix findings: draft edits, apply those that are compatible, review again, take back what did not hold, until nothing is left.

All passes happen in memory; a file is written once, at the end. A pass is proved by the next one: a fix that does not end its
finding, or brings about another one of any rule, is taken back, and the reason is told.
"""

from __future__ import annotations

import itertools
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from asyncvet import rules
from asyncvet.config import Settings
from asyncvet.engine.collector import uncollected
from asyncvet.engine.findings import merged, relocated
from asyncvet.engine.loading import Loaded, load
from asyncvet.engine.progress import Progress
from asyncvet.engine.selection import selected
from asyncvet.engine.suppression import suppressions
from asyncvet.facts import ModuleFacts, extract
from asyncvet.fix import Draft, Edited, Fixes, changed, compatible
from asyncvet.graph import Project, link
from asyncvet.model import Finding
from asyncvet.report.fixes import Applied, Fixing, Left, Rewritten
from asyncvet.rules import Rule

PASSES = 20
"""Reviews that a run makes at the most."""

Protection = Callable[[Sequence[Path]], dict[Path, str]]
"""Tells which of some files must not be changed, with the reason."""


def fix(
    paths: Sequence[Path],
    settings: Settings | None = None,
    *,
    root: Path | None = None,
    unsafe: bool = False,
    protect: Protection | None = None,
    progress: Progress | None = None,
) -> Fixing:
    """Fix what the rules find in the Python files at and below some paths. Nothing is written.

    Args:
        paths: Files and folders.
        settings: What to look at and what to fix; None means the defaults.
        root: Folder that paths in the answer are relative to; None means the current one.
        unsafe: Apply unsafe fixes too.
        protect: Asked before anything changes which files must stay as they are.
        progress: Told how far the review is.

    Raises:
        UsageError: A path does not exist or holds no Python, or the settings name a rule or a file that does not exist.
    """
    settings = settings or Settings()
    with uncollected():
        loaded = load(paths, settings, root, progress or (lambda stage, done, total: None))  # noqa: ARG005
        run = _Run(loaded, settings, unsafe, protect or (lambda files: {}))  # noqa: ARG005
        outcome = run.until_nothing_is_left()
        loaded.close()
    return outcome


class _Attempt(NamedTuple):
    """What a pass has done to a file, until the next one has judged it; nothing, if it could not."""

    before: bytes | None
    facts: ModuleFacts
    drafts: list[tuple[Finding, Draft]]
    edited: Edited


class _State(NamedTuple):
    """What the rules say of the code as it is."""

    project: Project
    findings: list[Finding]

    def counts(self) -> Counter[_Kind]:
        return Counter(_kind(finding) for finding in self.findings)

    def by_identity(self) -> dict[_Identity, list[Finding]]:
        found: dict[_Identity, list[Finding]] = {}
        for finding in self.findings:
            found.setdefault(_identity(finding), []).append(finding)
        return found


_Kind = tuple[str, str, str]
_Identity = tuple[str, str, str, str]


def _kind(finding: Finding) -> _Kind:
    return finding.code, finding.span.path, finding.function


def _identity(finding: Finding) -> _Identity:
    return (*_kind(finding), finding.message)


class _Run:
    """One run, from the files as they are to the edits that hold."""

    def __init__(self, loaded: Loaded, settings: Settings, unsafe: bool, protect: Protection) -> None:
        self._loaded, self._settings, self._unsafe, self._protect = loaded, settings, unsafe, protect
        wanted = selected(rules.load(), settings)
        self._wanted = {rule.code for rule in wanted}
        self._rules: list[Rule] = [rule for rule in rules.load() if rule.code in self._wanted or not rule.preview]
        self._modules = dict(loaded.reading.modules)
        self._contents: dict[str, bytes] = {}
        self._refused: dict[str, dict[tuple[_Identity, int], str]] = {}
        self._limits: dict[str, int] = {}
        self._protected: dict[str, str] = {}
        self._failed: set[str] = set()
        self._applied: list[Applied] = []

    def until_nothing_is_left(self) -> Fixing:
        state = self._review(self._loaded.project)
        self._protected = self._asked(state)
        attempts: dict[str, _Attempt] = {}
        for number in itertools.count(1):
            is_last = number >= PASSES
            left, drafts = self._drafts(state)
            attempts = {} if is_last else self._try(state.project, drafts)
            if not attempts:
                left += [Left(finding, "deferred", draft.title) for found in drafts.values() for finding, draft in found]
                return self._outcome(left, number)
            after = self._review(self._linked())
            if self._judge(attempts, state, after):
                after = self._review(self._linked())
            state = after
        raise AssertionError("unreachable")

    # --- reviewing --------------------------------------------------------------------------------

    def _linked(self) -> Project:
        loaded = self._loaded
        return link(self._modules, loaded.project.catalogue, loaded.discovery.package, loaded.installed)

    def _review(self, project: Project) -> _State:
        found: list[Finding] = []
        for rule in self._rules:
            try:
                found += rule.check(project)
            except Exception:  # the other rules' findings can still be fixed
                self._failed.add(rule.code)
        silent, _ = suppressions(self._modules, rules.load())
        skipped = self._loaded.tests | self._loaded.generated
        kept = (finding for finding in merged(found) if finding.span.path not in skipped and not silent.silence(finding))
        return _State(project, list(kept))

    def _read(self, path: str) -> bytes | None:
        return self._contents.get(path) or self._loaded.content(path)

    def _asked(self, state: _State) -> dict[str, str]:
        """The files with findings that must not be changed, with the reason."""
        paths = sorted({finding.span.path for finding in state.findings if self._is_wanted(finding)})
        answer = self._protect([self._loaded.file(path) for path in paths])
        return {path: answer[self._loaded.file(path)] for path in paths if self._loaded.file(path) in answer}

    # --- one pass ---------------------------------------------------------------------------------

    def _is_wanted(self, finding: Finding) -> bool:
        return finding.code in self._wanted and finding.severity >= self._settings.min_severity

    def _drafts(self, state: _State) -> tuple[list[Left], dict[str, list[tuple[Finding, Draft]]]]:
        """What stands, and why; and what can be tried, by file."""
        fixes = Fixes(state.project, self._read)
        left: list[Left] = []
        drafts: defaultdict[str, list[tuple[Finding, Draft]]] = defaultdict(list)
        for finding in filter(self._is_wanted, state.findings):
            draft = fixes.draft(finding)
            reason = self._refused.get(finding.span.path, {}).get(self._place(finding)) or self._protected.get(finding.span.path)
            if isinstance(draft, str):
                left.append(Left(finding, "no-edit", draft))
            elif draft.safety == "unsafe" and not self._unsafe:
                left.append(Left(finding, "unsafe", draft.title))
            elif reason is not None:
                left.append(Left(finding, "refused", reason))
            else:
                drafts[finding.span.path].append((finding, draft))
        return left, drafts

    def _try(self, project: Project, drafts: dict[str, list[tuple[Finding, Draft]]]) -> dict[str, _Attempt]:
        """Apply what is compatible; in a file of which a pass was taken back, so many at a time as its limit says."""
        attempts = {}
        fixes = Fixes(project, self._read)
        for path, found in sorted(drafts.items()):
            code = fixes.code(path)
            if code is None:
                continue
            chosen = compatible(draft for _, draft in sorted(found, key=lambda pair: pair[0].span))
            chosen = chosen[: self._limits.get(path)]
            mine = [(finding, draft) for finding, draft in found if any(draft.changes == other.changes for other in chosen)]
            before = self._read(path) or b""
            edited = changed(code, chosen)
            if edited is None or not _compiles_as_before(before, edited.data):
                self._refuse(path, mine, "the file would not parse")
                attempts[path] = _Attempt(self._contents.get(path), self._modules[path], [], Edited(before, []))
                continue
            attempts[path] = _Attempt(self._contents.get(path), self._modules[path], mine, edited)
            self._contents[path], self._modules[path] = edited.data, extract(edited.data)
        return attempts

    def _refuse(self, path: str, drafts: Sequence[tuple[Finding, Draft]], reason: str) -> None:
        """Give up a draft that was alone; of several, half are tried next."""
        several = len({draft.changes for _, draft in drafts})
        if several == 1:
            self._refused.setdefault(path, {}).update((self._place(finding), reason) for finding, _ in drafts)
        self._limits[path] = max(1, several // 2)

    def _judge(self, attempts: dict[str, _Attempt], before: _State, after: _State) -> bool:
        """Take back what has not ended its findings or has brought about others; tell whether anything was."""
        brought = {kind for kind, number in after.counts().items() if number > before.counts()[kind]}
        stray = {kind for kind in brought if kind[1] not in attempts}
        standing = after.by_identity()
        for path, attempt in attempts.items():
            if not attempt.drafts:
                continue
            reason = ""
            if any(self._stands(finding, attempt, standing) for finding, _ in attempt.drafts):
                reason = "the finding would stand all the same"
            if new := sorted(kind for kind in brought if kind[1] == path or kind in stray):
                reason = f"it would bring about {', '.join(f'{code} in {function}' for code, _, function in new)}"
            if reason:
                self._take_back(path, attempt)
                self._refuse(path, attempt.drafts, reason)
                attempts[path] = attempt._replace(drafts=[])
            else:
                self._go_on(path, attempt.edited)
                self._applied += [Applied(finding, draft.safety, draft.title) for finding, draft in attempt.drafts]
        return any(not attempt.drafts for attempt in attempts.values())

    def _place(self, finding: Finding) -> tuple[_Identity, int]:
        span = finding.span
        return _identity(finding), self._modules[span.path].offset(span.line, span.column)

    def _go_on(self, path: str, edited: Edited) -> None:
        """Take over an edit that holds: what was refused stands elsewhere now, and more may be tried at once again."""
        refused = self._refused.get(path, {}).items()
        self._refused[path] = {(identity, edited.places(offset).start): reason for (identity, offset), reason in refused}
        if path in self._limits:
            self._limits[path] *= 2

    def _stands(self, finding: Finding, attempt: _Attempt, standing: dict[_Identity, list[Finding]]) -> bool:
        """Whether a finding is still there: one that says the same, where it was."""
        path = finding.span.path
        places = attempt.edited.places(attempt.facts.offset(finding.span.line, finding.span.column))
        offset = self._modules[path].offset
        return any(offset(other.span.line, other.span.column) in places for other in standing.get(_identity(finding), ()))

    def _take_back(self, path: str, attempt: _Attempt) -> None:
        self._modules[path] = attempt.facts
        if attempt.before is None:
            self._contents.pop(path, None)
        else:
            self._contents[path] = attempt.before

    # --- the end ----------------------------------------------------------------------------------

    def _outcome(self, left: Iterable[Left], passes: int) -> Fixing:
        rename = self._loaded.renamed
        files = []
        for path, after in sorted(self._contents.items()):
            before = self._loaded.file(path).read_bytes()
            if before != after:
                files.append(Rewritten(rename(path), before, after))
        applied = sorted(self._applied, key=lambda each: (each.finding.span, each.finding.code))
        ordered = sorted(left, key=lambda each: (each.finding.span, each.finding.code))
        return Fixing(
            applied=tuple(Applied(relocated(each.finding, rename), each.safety, each.title) for each in applied),
            left=tuple(Left(relocated(each.finding, rename), each.kind, each.reason) for each in ordered),
            files=tuple(files),
            passes=passes,
            failed_rules=tuple(sorted(self._failed)),
        )


def _compiles_as_before(before: bytes, after: bytes) -> bool:
    """Whether the interpreter takes a text that it took before; it may be older than the code, and then takes neither."""
    return not _compiles(before) or _compiles(after)


def _compiles(data: bytes) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(data, "<fixed>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
