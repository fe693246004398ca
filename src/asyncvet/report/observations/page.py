"""What was seen at run time as one page of HTML: a time line, the culprits, a flame graph of each long stall. It loads nothing."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from html import escape

from asyncvet import __version__
from asyncvet.monitor.observation import Observation, Sample, StackFrame
from asyncvet.report import harmless, in_words
from asyncvet.report.observations import called, culprits

STALLS = 100
"""So many stalls are shown with their flame graphs, the longest ones."""

BARS = 2000
"""So many stalls stand on the time line, the longest ones."""


def render(observations: Sequence[Observation]) -> str:
    """The page. What comes from the program is text in it, never markup."""
    body = [*_header(observations), *_time_line(observations), *_culprits(observations), *_stalls(observations)]
    return _PAGE.format(style=_STYLE, body="\n".join(body), version=escape(__version__))


_STYLE = """
:root { color-scheme: light dark; --line: #8884; --blocked: #c0392b; --computing: #b9770e; --other: #5d6d7e; }
:root { --user: #f5b7b1; --frame: #d5d8dc; }
@media (prefers-color-scheme: dark) { :root { --user: #7b241c; --frame: #34404b; } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 75rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; } h3 { font-size: 1rem; margin: .3rem 0; overflow-wrap: anywhere; }
code, .flame { font-family: ui-monospace, monospace; font-size: .85em; overflow-wrap: anywhere; }
.lane { position: relative; height: 2.2rem; border-bottom: 1px solid var(--line); margin-top: .3rem; }
.lane small { position: absolute; left: 0; top: -.2rem; opacity: .7; }
.lane a { position: absolute; bottom: 0; min-width: 4px; background: var(--other); border-radius: 2px 2px 0 0; }
.blocked { background: var(--blocked) !important; } .computing { background: var(--computing) !important; }
.ends { display: flex; justify-content: space-between; font-size: .85em; opacity: .8; }
.key span { display: inline-block; width: .8em; height: .8em; background: var(--other); margin: 0 .3em 0 1em; border-radius: 2px; }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
article { border-top: 1px solid var(--line); padding: .8rem 0; }
article:target { outline: 2px solid var(--computing); outline-offset: 4px; }
.flame { line-height: 1.3; } .row { display: flex; gap: 1px; } .frame { min-width: 0; overflow: hidden; }
.frame > span { display: block; background: var(--frame); margin-top: 1px; padding: 0 .3em; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; border-radius: 2px; }
.frame > span.user { background: var(--user); }
footer { margin-top: 2rem; opacity: .7; font-size: .85em; }
@media (max-width: 40rem) { body { padding: .6rem; } td, th { display: block; border: 0; padding: 0; } tr { display: block;
  border-bottom: 1px solid var(--line); padding: .4rem 0; } thead { display: none; } }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Stalls of the event loop</title>
<style>{style}</style>
</head>
<body>
{body}
<footer>asyncvet {version}</footer>
</body>
</html>
"""


def _header(observations: Sequence[Observation]) -> Iterator[str]:
    seconds = sum(each.seconds or 0.0 for each in observations)
    yield "<h1>Stalls of the event loop</h1>"
    yield f"<p>{len(observations)} observations, {_lasted(seconds)} all together.</p>"


def _time_line(observations: Sequence[Observation]) -> Iterator[str]:
    timed = [each for each in observations if each.time > 0]
    if not timed:
        return
    start = min(each.time for each in timed)
    end = max(each.time + (each.seconds or 0.0) for each in timed)
    span = max(end - start, 0.001)
    longest = max((each.seconds or 0.0 for each in timed), default=0.0) or 1.0
    shown = sorted(timed, key=lambda each: -(each.seconds or 0.0))[:BARS]
    linked = {id(each): number for number, each in enumerate(_longest(observations))}
    yield "<h2>Time line</h2>"
    yield '<p class="key"><span class="blocked"></span>waited<span class="computing"></span>computed<span></span>no single culprit</p>'
    for process in sorted({each.process for each in shown}):
        yield f'<div class="lane"><small>process {process}</small>'
        for each in sorted((each for each in shown if each.process == process), key=lambda each: each.time):
            left = (each.time - start) / span * 100
            width = (each.seconds or 0.0) / span * 100
            height = 20 + 70 * (each.seconds or 0.0) / longest
            target = f' href="#s{linked[id(each)]}"' if id(each) in linked else ""
            style = f"left:{left:.2f}%;width:{min(width, 100 - left):.2f}%;height:{height:.0f}%"
            yield f'<a class="{_cause(each)}" style="{style}"{target} title="{_text(_title(each))}"></a>'
        yield "</div>"
    yield f'<div class="ends"><span>{_clock(start)}</span><span>{_clock(end)}</span></div>'


def _culprits(observations: Sequence[Observation]) -> Iterator[str]:
    yield "<h2>Culprits</h2>"
    columns = "".join(f"<th>{name}</th>" for name in ("place", "call", "seen", "all together", "had to wait"))
    yield f'<div class="table"><table><thead><tr>{columns}</tr></thead><tbody>'
    for culprit in culprits(observations):
        victims = sum(len(each.victims) for each in culprit.observations)
        yield (
            f"<tr><td><code>{_text(culprit.place)}</code> {_text(culprit.function)}</td><td><code>{_text(culprit.call)}</code></td>"
            f"<td>{_text(in_words(culprit.seen))}</td><td>{_lasted(culprit.seen.seconds)}</td><td>{victims} requests</td></tr>"
        )
    yield "</tbody></table></div>"


def _longest(observations: Sequence[Observation]) -> list[Observation]:
    return sorted(observations, key=lambda each: -(each.seconds or 0.0))[:STALLS]


def _stalls(observations: Sequence[Observation]) -> Iterator[str]:
    yield f"<h2>{'The longest stalls' if len(observations) > STALLS else 'Stalls'}</h2>"
    for number, each in enumerate(_longest(observations)):
        yield f'<article id="s{number}"><h3>{_text(_title(each))}</h3>'
        facts = {
            "at": _clock(each.time) if each.time else "",
            "place": f"{each.stack[-1].path}:{each.stack[-1].line}" if each.stack else "",
            "task": each.task,
            "callback": each.callback,
            "thread": each.thread,
            "loop": each.loop,
        }
        yield "<p>" + " · ".join(f"{name} <code>{_text(value)}</code>" for name, value in facts.items() if value) + "</p>"
        if each.victims:
            yield f"<details><summary>{len(each.victims)} requests had to wait</summary><p>{_text(', '.join(each.victims))}</p></details>"
        if samples := each.samples or ((Sample(each.stack, 1),) if each.stack else ()):
            yield '<div class="flame">'
            yield from _flame([(sample.stack, sample.count) for sample in samples], set(each.stack))
            yield "</div>"
        yield "</article>"


Weighted = list[tuple[tuple[StackFrame, ...], int]]
"""Stacks, the outermost frame first, with how often each was seen."""


def _flame(stacks: Weighted, user: set[StackFrame]) -> Iterator[str]:
    """The stacks from the outermost frame down; what lies between the user's frames is one row, as long as all stacks share it."""
    shared = _shared(stacks)
    folded = next((at for at, frame in enumerate(shared) if frame in user), len(shared))
    if folded > 1:
        names = "&#10;".join(_text(_named(frame)) for frame in shared[:folded])
        ends = f"{_text(shared[0].function)} … {_text(shared[folded - 1].function)}"
        yield f'<div class="frame"><span title="{names}">{folded} frames: {ends}</span></div>'
        stacks = [(stack[folded:], count) for stack, count in stacks]
    yield from _children(stacks, user)


def _shared(stacks: Weighted) -> list[StackFrame]:
    shared = []
    for frames in zip(*(stack for stack, _ in stacks), strict=False):
        if any(frame != frames[0] for frame in frames):
            break
        shared.append(frames[0])
    return shared


def _children(stacks: Weighted, user: set[StackFrame]) -> Iterator[str]:
    groups: dict[StackFrame, Weighted] = {}
    for stack, count in stacks:
        if stack:
            groups.setdefault(stack[0], []).append((stack[1:], count))
    if not groups:
        return
    yield '<div class="row">'
    for frame, below in groups.items():
        count = sum(number for _, number in below)
        kind, name = ' class="user"' if frame in user else "", _text(_named(frame))
        yield f'<div class="frame" style="flex:{count}"><span{kind} title="{name}, {count} samples">{name}</span>'
        yield from _children(below, user)
        yield "</div>"
    yield "</div>"


def _named(frame: StackFrame) -> str:
    _, installed, path = frame.path.rpartition("site-packages/")
    return f"{frame.function} {path if installed else frame.path}:{frame.line}"


def _title(observation: Observation) -> str:
    who = observation.request or observation.callback or observation.task
    lasted = "" if observation.seconds is None else f"{_lasted(observation.seconds)}: "
    return f"{lasted}{called(observation)}" + (f" in {who}" if who else "")


def _cause(observation: Observation) -> str:
    if not observation.stack:
        return "other"
    return "computing" if observation.category == "cpu" or observation.kind == "long-callback" else "blocked"


def _lasted(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _clock(seconds: float) -> str:
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return ""


def _text(text: str) -> str:
    return escape(harmless(text))
