"""What a configuration says, in the form in which the engine asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from asyncvet.model import Severity

if TYPE_CHECKING:
    from asyncvet.catalogue.schema import CatalogueFile


class PathSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is different for the files that a pattern fits.

    Attributes:
        pattern: In the form of `.gitignore`, relative to the folder of the configuration.
        select: Rules that run there as well.
        ignore: Rules that do not run there.
        min_severity: Lighter findings are left out there; None means as elsewhere.
    """

    pattern: str
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    min_severity: Severity | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a review looks at and what it reports.

    Attributes:
        select: Codes, names or prefixes of codes (``AV1``) of the rules to run. A preview rule needs its whole code or name.
        ignore: The same for rules not to run. Where both match, the longer one decides; at equal length the rule does not run.
        min_severity: Lighter findings are left out.
        severity: Severities of rules in place of their own, by name or code.
        exclude: Patterns in the form of `.gitignore`, relative to `base`, for files and folders not to read.
        include_tests: Report findings in test files as well. They are read in any case.
        per_path: What is different for some files. The last one that speaks of a rule decides.
        require_reason: Report comments that accept a finding and give no reason.
        baseline: File of the findings that are accepted as they stand; None means none.
        catalogue: Further files in the form of the catalogue's own.
        entries: Further catalogue entries; None means none.
        python: Folder or interpreter of the virtual environment whose packages are read; None means a `.venv` beside or above the code.
        jobs: Number of processes that read files; 0 means as many as there are processors to use.
        cache: Keep what is read and what comes out for later reviews.
        base: Folder of the configuration, to which patterns are relative; None means the root of the review.
        file: The configuration itself; None means that there is none.
        nested: A folder below that has a configuration of its own is governed by that one, as this function changes it; None means that
            no other configuration is looked for.
    """

    select: tuple[str, ...] = ("AV",)
    ignore: tuple[str, ...] = ()
    min_severity: Severity = Severity.LOW
    severity: dict[str, Severity] = {}
    exclude: tuple[str, ...] = ()
    include_tests: bool = False
    per_path: tuple[PathSettings, ...] = ()
    require_reason: bool = True
    baseline: Path | None = None
    catalogue: tuple[Path, ...] = ()
    entries: CatalogueFile | None = None
    python: Path | None = None
    jobs: int = 0
    cache: bool = True
    base: Path | None = None
    file: Path | None = None
    nested: Callable[[Settings], Settings] | None = None
