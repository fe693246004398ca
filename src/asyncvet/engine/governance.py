"""Which settings count where: a file is governed by the nearest configuration above it, with what that says of the file's path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace
from pathspec import GitIgnoreSpec

from asyncvet.config import PathSettings, Settings, load_folder
from asyncvet.engine.selection import check, is_selected, selected
from asyncvet.model import Finding, Severity

if TYPE_CHECKING:
    from asyncvet.rules import Rule


class Governance:
    """The settings of every folder and file of a review.

    Args:
        settings: Those that count where nothing nearer does.
        root: Folder that the patterns of settings without a configuration are relative to.
    """

    def __init__(self, settings: Settings, root: Path) -> None:
        self._settings = settings
        self._root = root
        self._folders: dict[Path, Settings] = {}
        self._files: dict[Path, tuple[Settings, tuple[PathSettings, ...]]] = {}
        self._specs: dict[str, GitIgnoreSpec] = {}
        self._running: dict[tuple[int, ...], frozenset[str]] = {}

    def of_folder(self, folder: Path) -> Settings:
        """The settings that govern a folder.

        Raises:
            UsageError: A configuration cannot be read, or says something that is not valid.
        """
        if self._settings.nested is None or folder in (self._settings.base, folder.parent):
            return self._settings
        found = self._folders.get(folder)
        if found is None:
            own = load_folder(folder)
            found = self.of_folder(folder.parent) if own is None else self._settings.nested(own)
            self._folders[folder] = found
        return found

    @property
    def configurations(self) -> list[Settings]:
        """The settings of all configurations that were met, the outermost first."""
        nested = {settings.base: settings for settings in self._folders.values() if settings is not self._settings}
        return [self._settings, *(nested[base] for base in sorted(nested, key=str))]

    def rules(self, rules: Sequence[Rule]) -> tuple[Rule, ...]:
        """The rules that some file is to be reviewed by.

        Raises:
            UsageError: A configuration names a rule that does not exist.
        """
        for settings in self.configurations:
            check(rules, settings)
        wanted = {rule.code for settings in self.configurations for rule in selected(rules, settings)}
        return tuple(rule for rule in rules if rule.code in wanted)

    def running(self, rules: Sequence[Rule], file: Path) -> frozenset[str]:
        """The codes of those of all rules that are to report on a file."""
        settings, overrides = self._of_file(file)
        key = (id(settings), *map(id, overrides))  # most files have the same settings
        found = self._running.get(key)
        if found is None:
            found = self._running[key] = frozenset(rule.code for rule in rules if is_selected(rule, settings, overrides))
        return found

    def weighed(self, finding: Finding, rule: Rule, file: Path) -> Finding:
        """The finding with the severity that its rule has there. One that weighs less than its rule still does."""
        settings, _ = self._of_file(file)
        own = settings.severity.get(rule.code, settings.severity.get(rule.name))
        if own is None:
            return finding
        return replace(finding, severity=Severity(max(own - (rule.severity - finding.severity), Severity.LOW)))

    def lightest(self, file: Path) -> Severity:
        """The severity from which on findings in a file are reported."""
        settings, overrides = self._of_file(file)
        said = (one.min_severity for one in reversed(overrides))
        return next((level for level in said if level is not None), settings.min_severity)

    def _of_file(self, file: Path) -> tuple[Settings, tuple[PathSettings, ...]]:
        found = self._files.get(file)
        if found is None:
            settings = self.of_folder(file.parent)
            base = settings.base or self._root
            name = file.relative_to(base).as_posix() if file.is_relative_to(base) else None
            fitting = tuple(one for one in settings.per_path if name is not None and self._spec(one.pattern).match_file(name))
            found = self._files[file] = settings, fitting
        return found

    def _spec(self, pattern: str) -> GitIgnoreSpec:
        if pattern not in self._specs:
            self._specs[pattern] = GitIgnoreSpec.from_lines([pattern])
        return self._specs[pattern]
