"""What the tools answer. One object for each project; its calls are made one after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace
from pydantic import BaseModel, Field

from asyncvet import rules
from asyncvet.config import Settings, UsageError, severity
from asyncvet.engine import git
from asyncvet.engine.changes import Changes, from_diff
from asyncvet.engine.collector import uncollected
from asyncvet.engine.explaining import why_in
from asyncvet.engine.phases import Phases
from asyncvet.engine.reviewing import report_on
from asyncvet.engine.selection import fits, unknown_rule
from asyncvet.engine.workspace import Workspace
from asyncvet.mcp.answers import LEAST, MOST, Page, cut, page
from asyncvet.mcp.preview import fix_diff
from asyncvet.model import Finding, Severity
from asyncvet.report import Report, checklist
from asyncvet.report.explanations import why_text


class Why(BaseModel):
    """Where the code on a line runs, what its calls reach, and why that is reported or not."""

    path: str
    line: int
    source: str
    contexts: list[str] = Field(description="where it runs: event-loop, worker-thread, worker-process, main-thread, import-time")
    findings: list[str] = Field(description="code and name of each finding on the line, with what becomes of it")
    explanation: str
    is_cut: bool


class RuleLine(BaseModel):
    """A rule in the list of all."""

    code: str
    name: str
    severity: str
    is_preview: bool = Field(description="runs only when it is selected by its code or name")


class RulePage(BaseModel):
    """A rule's page, or the list of all rules."""

    rules: list[RuleLine]
    page: str


class Preview(BaseModel):
    """What a fix would change. Nothing is written."""

    code: str
    title: str
    safety: str = Field(description="safe: the program means the same; unsafe: someone should look first")
    diff: str = Field(description="unified diff")


class Tools:
    """The tools over one project.

    Args:
        folder: The project; nothing outside is read for an answer but the packages of its environment.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._workspace = Workspace(self._folder)

    def check(self, path: str, min_severity: str, select: Sequence[str], most: int, cursor: str | None) -> Page:
        """The findings at and below a path. The whole project is looked at in any case."""
        report = self._selected(select) if select else self._report()
        where = self._inside(path)
        least = severity(min_severity)
        return page(_only(report, where, least), _bounded(most), cursor)

    def review_diff(self, since: str, diff: str | None, most: int, cursor: str | None) -> Page:
        """What a change brings about, with the checklist's verdicts on it."""
        if diff is not None:
            changes = from_diff(diff.encode(), "diff", [self._folder, *filter(None, [git.top_of(self._folder)])])
        else:
            changes = self._since(since)
        settings = self._settings()
        report = self._run(settings, changes, examine=True)
        counts: dict[str, int] = {}
        for verdict in checklist.verdicts(report):
            counts[verdict.status] = counts.get(verdict.status, 0) + 1
        return page(report, _bounded(most), cursor, counts)

    def why(self, place: str, most: int) -> Why:
        """The explanation of one line, `path:line`."""
        found = re.fullmatch(r"(.+?):(\d+)(?::\d+)?", place)
        if found is None:
            raise UsageError(f"`{place}` is not a file, a colon and the number of a line, such as app/main.py:12")
        file = self._folder / self._inside(found[1])
        settings = self._settings()
        with uncollected():
            answer = why_in(self._workspace.loaded(), file, int(found[2]), [self._folder], settings)
        text, is_cut = cut(why_text.render(answer), _bounded(most))
        return Why(
            path=answer.path,
            line=answer.line,
            source=answer.source,
            contexts=list(dict.fromkeys(context for part in answer.parts for context in part.runs.contexts)),
            findings=[f"{told.code} {told.name}: {told.status}" for told in answer.findings],
            explanation=text,
            is_cut=is_cut,
        )

    def rule(self, name: str | None) -> RulePage:
        """A rule's page, or all rules."""
        known = rules.load()
        chosen = [rule for rule in known if name is None or name.lower() in (rule.code.lower(), rule.name)]
        if not chosen:
            raise UsageError(unknown_rule(name or "", known))
        lines = [
            RuleLine(code=rule.code, name=rule.name, severity=rule.severity.word, is_preview=rule.preview) for rule in chosen
        ]
        if name is None:
            return RulePage(rules=lines, page="\n".join(f"{line.code} {line.severity:8} {line.name}" for line in lines))
        return RulePage(rules=lines, page=f"# {chosen[0].name} ({chosen[0].code})\n\n{chosen[0].page.text}")

    def fix_preview(self, path: str, line: int, code: str | None) -> Preview:
        """What the fix of a finding would change."""
        where = self._inside(path)
        here = [f for f in self._report().findings if f.span.path == where and f.span.line <= line <= f.span.end_line]
        wanted = [finding for finding in here if code is None or code.lower() in (finding.code.lower(), finding.name)]
        if not wanted:
            others = f"; there is {', '.join(sorted({finding.code for finding in here}))}" if here else ""
            raise UsageError(f"{where}:{line}: there is no such finding{others}; check tells which there are")
        fixable = next((finding for finding in wanted if finding.fix is not None), None)
        if fixable is None or fixable.fix is None:
            first = wanted[0]
            raise UsageError(
                f"{first.code} at {where}:{line} has no automatic fix; edit by hand: {first.message}. "
                f"The tool rule with name={first.code} says more"
            )
        diff = fix_diff(fixable.fix, self._workspace.loaded().content)
        return Preview(code=fixable.code, title=fixable.fix.title, safety=fixable.fix.safety, diff=diff)

    # --- the project --------------------------------------------------------------------------------

    def _report(self) -> Report:
        self._workspace.refresh()
        return self._workspace.report()

    def _settings(self) -> Settings:
        """The settings as they are now; whatever is asked next is of the disk as it is now."""
        self._report()
        return self._workspace.settings()

    def _selected(self, select: Sequence[str]) -> Report:
        known = rules.load()
        for selector in select:
            if not any(fits(rule, (selector,)) for rule in known):
                raise UsageError(unknown_rule(selector, known))

        def chosen(settings: Settings) -> Settings:
            return replace(settings, select=tuple(select), ignore=())

        return self._run(replace(chosen(self._settings()), nested=chosen), None, examine=False)

    def _run(self, settings: Settings, changes: Changes | None, examine: bool) -> Report:
        """Run rules again over what is linked."""
        with uncollected():
            loaded = self._workspace.loaded().under(settings)
            return report_on(loaded, settings, lambda stage, done, total: None, Phases(), changes, examine)  # noqa: ARG005

    def _since(self, revision: str) -> Changes:
        try:
            return git.since(revision, self._folder)
        except UsageError as error:
            raise UsageError(f"{error}; or give the change itself as diff") from error

    def _inside(self, path: str) -> str:
        """A path relative to the project's folder.

        Raises:
            UsageError: It leads out of it, or to nothing.
        """
        file = (self._folder / path).resolve()
        if not file.is_relative_to(self._folder):
            raise UsageError(f"{path}: is outside of the project {self._folder}; only what is in it can be asked about")
        if not file.exists():
            raise UsageError(f"{path}: there is no such file or folder in the project; paths are relative to {self._folder}")
        return file.relative_to(self._folder).as_posix()


def _only(report: Report, where: str, least: Severity) -> Report:
    """The findings and errors at and below a path, of some gravity."""

    def is_there(path: str) -> bool:
        return where in (".", path) or path.startswith(f"{where}/")

    def is_wanted(finding: Finding) -> bool:
        return finding.severity >= least and is_there(finding.span.path)

    return replace(
        report,
        findings=tuple(filter(is_wanted, report.findings)),
        errors=tuple(error for error in report.errors if not error.path or is_there(error.path)),
    )


def _bounded(most: int) -> int:
    if not LEAST <= most <= MOST:
        raise UsageError(f"max_characters is {most}; it must be from {LEAST} to {MOST}")
    return most
