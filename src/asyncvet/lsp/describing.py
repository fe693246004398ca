"""Hovers and code lenses: the rule's page on a finding, and where a function runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsprotocol import types

from asyncvet import rules
from asyncvet.graph.scopes import Function, Module
from asyncvet.graph.whereabouts import Run, Runs
from asyncvet.lsp.diagnostics import sink_words
from asyncvet.lsp.view import View
from asyncvet.model import Sink
from asyncvet.report.explanations.why_text import WHERE

_LOCAL_LINK = re.compile(r"\[([^]]+)\]\((?!\w+:)[^)]*\)")
_SHOWN = 2
"""So many sinks, and entry points of a context, are named in a lens."""


def rule_page(code: str) -> str:
    """The page of a rule by itself: links to other pages are their words."""
    rule = next(rule for rule in rules.load() if rule.code == code)
    text = _LOCAL_LINK.sub(r"\1", rule.page.text)
    return f"# {rule.name} ({rule.code}, {rule.severity.word})\n\n{text}\n"


def hover(view: View, module: Module, position: types.Position) -> types.Hover | None:
    """What is known of a position: where the function that is named there runs, and the pages of the rules of its findings."""
    place = view.place(module.path, position)
    findings = view.findings_at(place)
    functions = view.functions_at(module, place)
    # The editor shows by itself what a diagnostic says.
    parts = [_function(view, function) for function in functions]
    parts += [rule_page(code) for code in dict.fromkeys(finding.code for finding in findings)]
    if not parts:
        return None
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(parts)))


def _function(view: View, function: Function) -> str:
    kind = "async def" if function.is_async else "def"
    runs = view.whereabouts.runs(function)
    lines = [f"**{kind} {function.qualname}**", "", *(line for run in runs.shown for line in _run(view, run))]
    if runs.more:
        lines.append(f"- and in {runs.more} more ways")
    if not runs.shown:
        lines.append("- runs nowhere that is known: nothing that was read calls it or hands it over")
    lines += [f"- `{sink.name}` {sink_words(sink)}" for sink in _sinks(view, function)]
    return "\n".join(lines)


def _run(view: View, run: Run) -> Iterator[str]:
    yield f"- runs {WHERE[run.where]}: {run.label}{' (once)' if run.once else ''}"
    for frame in run.chain:
        place = view.frame_range(frame).start.line + 1
        yield f"    - [{frame.path}:{place}]({view.uri(frame.path)}#L{place}) `{frame.text}`"


def _sinks(view: View, function: Function) -> list[Sink]:
    return list(view.stalls.get((function.path, function.qualname), {}).values())


def lenses(view: View, module: Module) -> list[types.CodeLens]:
    """Over each function of which it is known: where it runs, and what stalls the event loop from there."""
    if module.path in view.workspace.loaded().tests:
        return []
    found = []
    for function in view.functions(module):
        title = lens_title(view.whereabouts.runs(function), _sinks(view, function))
        if title:
            found.append(types.CodeLens(view.node_range(function, function.head), types.Command(title, "")))
    return found


def lens_title(runs: Runs, sinks: list[Sink]) -> str:
    """Where a function runs and what it leads to, on one line; empty if nothing is known."""
    contexts = []
    for context in runs.contexts:
        labels = dict.fromkeys(run.label.removeprefix("route ") for run in runs.shown if run.where == context)
        contexts.append(f"{WHERE[context]}: {_first(list(labels))}" if labels else WHERE[context])
    if not contexts:
        return ""
    stalls: dict[str, list[str]] = {}
    for sink in sinks:
        stalls.setdefault(_stall(sink), []).append(sink.name)
    return "; ".join([f"runs {', '.join(contexts)}", *(f"{stall} via {_first(names)}" for stall, names in stalls.items())])


def _stall(sink: Sink) -> str:
    """How long a sink keeps its thread."""
    if sink.bound is not None:
        return f"blocks up to {sink.bound:g} s"
    lengths = {"unbounded": "blocks without bound", "device": "blocks as long as the disk takes", "short": "blocks shortly"}
    return lengths.get(sink.stall, "computes")


def _first(words: list[str]) -> str:
    rest = len(words) - _SHOWN
    return ", ".join(words[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
