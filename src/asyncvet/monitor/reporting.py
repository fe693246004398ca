"""What was seen, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asyncvet.monitor.observation import Observation


def described(observations: Iterable[Observation]) -> str:
    """What was seen, for people: a paragraph for each place, with the calls made there; the longest first."""
    groups: dict[Any, list[Observation]] = {}
    for each in observations:
        groups.setdefault((each.kind, each.stack), []).append(each)
    ordered = sorted(groups.values(), key=lambda group: -sum(each.seconds or 0.0 for each in group))
    return "\n".join(_paragraph(group) for group in ordered)


def _paragraph(group: list[Observation]) -> str:
    calls: dict[tuple[str, str, str], list[Observation]] = {}
    for each in group:
        calls.setdefault((each.primitive, each.category, each.call), []).append(each)
    lines = [_sentence(*call, seen) for call, seen in calls.items()]
    first = group[0]
    lines += [f"    {frame.path}:{frame.line} {frame.function}" for frame in first.stack]
    thread = first.thread if first.thread != "MainThread" else ""
    words = {"task": first.task, "callback": first.callback, "request": first.request, "thread": thread}
    around = ", ".join(f"{word} {value}" for word, value in words.items() if value)
    return "\n".join([*lines, f"    in {around}"] if around else lines)


def _sentence(primitive: str, category: str, call: str, seen: list[Observation]) -> str:
    known = [each.seconds for each in seen if each.seconds is not None]
    count = sum(each.calls for each in seen)
    called = f", called by {call}," if call not in ("", primitive) else ""
    verb = "blocked" if seen[0].kind == "blocking-call" else "kept"
    lasted = f" for {_duration(sum(known))}" if known else ""
    return f"{primitive} ({category}){called} {verb} the event loop{lasted}{f' in {count} calls' if count > 1 else ''}"


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds >= 0.0001 else f"{seconds * 1e6:.0f} µs"
