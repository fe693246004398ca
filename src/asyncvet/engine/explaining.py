"""Questions about one place of a project: why a line is reported or not, and what is called around a function."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from asyncvet import rules
from asyncvet.config import Settings, UsageError
from asyncvet.engine import baseline
from asyncvet.engine.comparison import compare
from asyncvet.engine.excerpts import lines_of
from asyncvet.engine.findings import Key, key, merged
from asyncvet.engine.judgement import judge
from asyncvet.engine.loading import Loaded, load
from asyncvet.graph.explain import explain
from asyncvet.graph.explanation import Explanation, Judged, Status
from asyncvet.graph.neighbourhood import CallGraph, neighbourhood
from asyncvet.graph.scopes import Function, Module
from asyncvet.model import Finding

_CANDIDATES = 20

_Value = TypeVar("_Value")


def why(file: Path, line: int, paths: Sequence[Path], settings: Settings, *, root: Path | None = None) -> Explanation:
    """Explain one line: where its code runs, what its calls reach, and why that is reported or not.

    Args:
        file: The file, which is among what is read.
        line: From 1.
        paths: Files and folders that make up the project.
        settings: What is reviewed and reported.
        root: Folder that the paths in the answer are relative to; None means the current one.

    Raises:
        UsageError: There is no such file or line, or the file is not among what is read.
    """
    if not file.is_file():
        raise UsageError(f"{file}: {'is not a file' if file.exists() else 'there is no such file'}")
    loaded = _read(paths, settings, root)
    answer = why_in(loaded, file, line, paths, settings)
    loaded.close()
    return answer


def why_in(loaded: Loaded, file: Path, line: int, paths: Sequence[Path], settings: Settings) -> Explanation:
    """The answer of `why` about a project that is linked already."""
    module = _module(loaded, file, paths)
    if not 1 <= line <= module.facts.lines:
        raise UsageError(f"{file}: there is no line {line}; the file has {module.facts.lines}")
    answer = explain(loaded.project, module, line, list(_judged(loaded, settings)))
    source = lines_of(loaded.content(module.path) or b"")[line - 1 : line]
    return replace(_as_seen(loaded, answer), source="".join(source).strip())


def around(name: str, depth: int, paths: Sequence[Path], settings: Settings, *, root: Path | None = None) -> CallGraph:
    """The calls around a function: up to where the program is entered, down to what keeps its thread.

    Args:
        name: Qualified name of the function, or the end of it.
        depth: Calls to follow in each direction at the most.
        paths: Files and folders that make up the project.
        settings: What is reviewed.
        root: Folder that the paths in the answer are relative to; None means the current one.

    Raises:
        UsageError: No function has this name, or several have.
    """
    loaded = _read(paths, settings, root)
    found = neighbourhood(loaded.project, _named(loaded, name), depth)
    loaded.close()
    return _as_seen(loaded, found)


def _read(paths: Sequence[Path], settings: Settings, root: Path | None) -> Loaded:
    return load(paths, settings, root, lambda stage, done, total: None)  # noqa: ARG005


def _as_seen(loaded: Loaded, value: _Value) -> _Value:
    """An answer with its paths relative to the root of the question."""
    return value if loaded.root == loaded.discovery.base else _relocated(value, loaded.renamed)


def _module(loaded: Loaded, file: Path, paths: Sequence[Path]) -> Module:
    absolute = Path(os.path.normpath(file.absolute()))
    path = Path(os.path.relpath(absolute, loaded.discovery.base)).as_posix()
    module = loaded.project.modules.get(path)
    if module is None:
        for error in loaded.reading.errors:
            if error.path == path:
                raise UsageError(f"{file}: {error.message}")
        where = ", ".join(map(str, paths))
        raise UsageError(f"{file}: is not among the files that are read under {where}; it may be elsewhere, ignored or excluded")
    return module


def _judged(loaded: Loaded, settings: Settings) -> Iterator[Judged]:
    """The findings of all rules, preview rules only if selected, with what a review makes of each."""
    known = rules.load()
    usual = {rule.code: rule for rule in known}
    governance = loaded.governance
    chosen = {rule.code for rule in governance.rules(known)}
    run = [rule for rule in known if rule.code in chosen or not rule.preview]
    found = [finding for rule in run for finding in rule.check(loaded.project)]
    judgement = judge(found, run, known, loaded)
    accepted: Collection[Key] = ()
    if settings.baseline is not None:
        accepted = compare(judgement, baseline.read(settings.baseline), loaded).accepted

    def status(finding: Finding) -> Status:
        if finding.code not in governance.running(known, loaded.file(finding.span.path)):
            return "not-selected"
        if key(finding) in judgement.silenced:
            return "suppressed"
        if finding.span.path in loaded.tests:
            return "test-file"
        if key(finding) in accepted:
            return "in-baseline"
        return "reported" if finding.severity >= governance.lightest(loaded.file(finding.span.path)) else "below-severity"

    for finding in merged(governance.weighed(each, usual[each.code], loaded.file(each.span.path)) for each in found):
        yield Judged(finding, status(finding), usual[finding.code].severity)


def _named(loaded: Loaded, name: str) -> list[Function]:
    """The functions of one qualified name (several where it is defined again)."""
    functions = [function for function in loaded.project.functions if not function.is_lambda]
    exact = [function for function in functions if function.qualname == name]
    found = exact or [function for function in functions if function.qualname.endswith(f".{name}")]
    names = sorted({function.qualname for function in found})
    if not names:
        raise UsageError(f"no function is called `{name}`; give its qualified name or the end of it, as `Class.method`")
    if len(names) > 1:
        more = f" and {len(names) - _CANDIDATES} more" if len(names) > _CANDIDATES else ""
        raise UsageError(f"several functions are called `{name}`; give more of the name: {', '.join(names[:_CANDIDATES])}{more}")
    return found


def _relocated(value: _Value, rename: Callable[[str], str]) -> _Value:
    """The value with every field called `path` renamed, however deep."""
    if isinstance(value, tuple):
        return tuple(_relocated(item, rename) for item in value)  # type: ignore[return-value]
    if not isinstance(value, msgspec.Struct):
        return value
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    changes = {name: rename(old) if name == "path" else _relocated(old, rename) for name, old in fields.items()}
    return replace(value, **changes)
