"""The form of a configuration: its keys, what each may hold and what it means. The schema and the reference page are made of this."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from asyncvet.catalogue.schema import Api, Type

SeverityWord = Literal["low", "medium", "high", "critical"]
"""A severity as it is written."""


class PathForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """What is different for the files that a pattern fits."""

    select: Annotated[
        tuple[str, ...], Meta(description="Rules to run there as well: names, codes, prefixes of codes.", examples=[["AV805"]])
    ] = ()
    ignore: Annotated[tuple[str, ...], Meta(description="Rules not to run there.", examples=[["AV102"]])] = ()
    min_severity: Annotated[SeverityWord | None, Meta(description="Leave out lighter findings there.")] = None


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """Configuration of asyncvet: the table `[tool.asyncvet]` of pyproject.toml, or the whole of asyncvet.toml."""

    select: Annotated[
        tuple[str, ...],
        Meta(
            description="Rules to run: names, codes, prefixes of codes. A preview rule needs its whole name or code.",
            examples=[["AV", "swallowed-exception"]],
        ),
    ] = ("AV",)
    ignore: Annotated[
        tuple[str, ...],
        Meta(
            description="Rules not to run. Where both match, the longer word decides; at equal length the rule does not run.",
            examples=[["blocking-metadata-call"]],
        ),
    ] = ()
    min_severity: Annotated[SeverityWord, Meta(description="Leave out lighter findings.")] = "low"
    severity: Annotated[
        dict[str, SeverityWord],
        Meta(description="Severities of rules in place of their own, by name or code.", examples=[{"AV102": "medium"}]),
    ] = {}
    exclude: Annotated[
        tuple[str, ...],
        Meta(
            description="Patterns as in .gitignore, relative to the folder of the configuration, for what not to read.",
            examples=[["migrations/"]],
        ),
    ] = ()
    include_tests: Annotated[bool, Meta(description="Report findings in test files too. They are read in any case.")] = False
    per_path: Annotated[
        dict[str, PathForm],
        Meta(
            description="By pattern as in .gitignore, relative to the folder of the configuration: what is different for the files "
            "that it fits, in `select`, `ignore` and `min-severity`. Where several fit, the last one that speaks of a rule decides.",
            examples=[{"scripts/": {"ignore": ["AV102"], "min-severity": "high"}}],
        ),
    ] = {}
    require_reason: Annotated[bool, Meta(description="Report `# asyncvet: ignore` comments that give no reason.")] = True
    baseline: Annotated[
        str | None,
        Meta(
            description="File of the findings that are accepted as they stand. Without it, `asyncvet-baseline.json` beside the "
            "configuration, if it is there.",
            examples=["ci/asyncvet-baseline.json"],
        ),
    ] = None
    catalogue: Annotated[
        tuple[str, ...],
        Meta(description="Further catalogue files, relative to the folder of the configuration.", examples=[["ci/acme.toml"]]),
    ] = ()
    offloads: Annotated[
        tuple[str, ...],
        Meta(
            description="Functions of libraries that run the function given to them, as their first argument, in another thread or "
            "process.",
            examples=[["acme.pool.run"]],
        ),
    ] = ()
    api: Annotated[tuple[Api, ...], Meta(description="Catalogue entries of calls, as in a catalogue file.")] = ()
    type: Annotated[tuple[Type, ...], Meta(description="Catalogue entries of classes, as in a catalogue file.")] = ()
    python: Annotated[
        str | None,
        Meta(
            description="Virtual environment whose packages are read, by folder or interpreter. Without it, a `.venv` or `venv` beside "
            "the code or above it.",
            examples=[".venv"],
        ),
    ] = None
    jobs: Annotated[int, Meta(ge=0, description="Processes that read files; 0 means one for each processor.")] = 0
    cache: Annotated[
        bool,
        Meta(
            description="Whether what is read, and what comes out, is kept for later reviews, in `ASYNCVET_CACHE_DIR` or the user's cache "
            "folder.",
        ),
    ] = True
