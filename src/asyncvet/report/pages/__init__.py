"""What reports in HTML have in common: one file that needs no other, in which what comes from the reviewed code is text, never markup."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from html import escape

from asyncvet.model import Finding, Frame, Severity
from asyncvet.report import Report, harmless, in_words
from asyncvet.report.text import effect, short_name

CONTEXTS = 6
"""So many execution contexts of a finding are named."""

_QUOTED = re.compile(r"`([^`]*)`")

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
{body}{script}
</body>
</html>
"""


def page(title: str, style: str, body: str, script: str = "") -> str:
    """A whole page. Its policy lets the browser load nothing, and run no script but the one given."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy += f"; script-src 'sha256-{digest}'"
        script = f"\n<script>{script}</script>"
    return _PAGE.format(policy=policy, title=escape(title), style=style, body=body, script=script)


def text(content: str) -> str:
    """A text, as it is."""
    return escape(harmless(content))


def prose(content: str) -> str:
    """A message with what is in backquotes as code."""
    return _QUOTED.sub(r"<code>\1</code>", text(content))


def badge(severity: Severity) -> str:
    """The word for a severity, in its colour."""
    return f'<span class="badge {severity.word}">{severity.word}</span>'


def anchor(finding: Finding) -> str:
    """The id of a finding's element."""
    return f"f-{escape(finding.fingerprint)}"


def source(finding: Finding, report: Report) -> Iterator[str]:
    """The chain of calls as steps, from the line that the loop runs to the call at the end; or the source text of what has none."""
    span = finding.span
    if len(finding.chain) > 1:
        yield '<ol class="chain">'
        for frame in finding.chain:
            yield f"<li><small>{text(f'{frame.path}:{frame.line}')} · {text(short_name(frame))}</small>{_code(frame, report)}</li>"
        yield "</ol>"
    elif excerpt := report.excerpts.get((span.path, span.line, span.column), ""):
        yield _code(Frame(span.path, span.line, span.column, finding.function, excerpt), report)


def _code(frame: Frame, report: Report) -> str:
    """The source text of a frame, with what is meant in it marked unless it is all."""
    start, end = report.marks.get((frame.path, frame.line, frame.column), (0, 0))
    before, meant, after = (text(part) for part in (frame.text[:start], frame.text[start:end], frame.text[end:]))
    return f"<pre>{before}<mark>{meant}</mark>{after}</pre>" if meant and (before or after) else f"<pre>{text(frame.text)}</pre>"


def effects(finding: Finding) -> Iterator[str]:
    """What the end of a finding's chain does, where its function runs, and what was seen of it."""
    if finding.sink and finding.sink.category:
        yield f'<p class="sink">{text(effect(finding.sink))}</p>'
    if finding.runs_in:
        more = f" and {len(finding.runs_in) - CONTEXTS} more" if len(finding.runs_in) > CONTEXTS else ""
        once = " (once)" if finding.runs_once else ""
        yield f'<p class="contexts">Runs in {text(", ".join(finding.runs_in[:CONTEXTS]))}{more}{once}</p>'
    if finding.seen:
        yield f'<p class="contexts">Seen at run time: {text(in_words(finding.seen))}</p>'


def missed(report: Report) -> Iterator[str]:
    """What was seen at run time and not predicted."""
    if not report.missed_alarms:
        return
    yield "<section><h2>Missed alarms</h2><p>Seen at run time and not predicted.</p><ul>"
    for alarm in report.missed_alarms:
        place = f"<code>{text(f'{alarm.path}:{alarm.line}')}</code>"
        entry = f"<pre>{escape(alarm.entry)}</pre>" if alarm.entry else ""
        yield f"<li>{place} <code>{text(alarm.call)}</code>, {text(in_words(alarm.seen))}. {prose(alarm.reason)}{entry}</li>"
    yield "</ul></section>"


def errors(report: Report) -> Iterator[str]:
    """What was not reviewed."""
    if report.errors:
        yield "<section><h2>Not reviewed</h2><ul>"
        for error in report.errors:
            place = f"{error.path}:{error.line}: " if error.line else f"{error.path}: " if error.path else ""
            yield f"<li>{text(place)}{prose(error.message)}</li>"
        yield "</ul></section>"
