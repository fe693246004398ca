"""The report as one HTML file that needs no other: the root causes, which the reader can filter by severity, rule and file."""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet import __version__
from asyncvet.model import Finding, Fix
from asyncvet.report import Output, Report, split_message
from asyncvet.report.pages import anchor, badge, effects, errors, missed, page, prose, source, text
from asyncvet.report.pages.style import STYLE
from asyncvet.report.text import counted, shown_fix, tally

OPEN = 3
"""So many root causes are unfolded at first."""

_SCRIPT = """
const causes = [...document.querySelectorAll("details.cause")];
const form = document.querySelector("form");
const told = document.querySelector("output");
function filter() {
  const data = new FormData(form);
  const severities = data.getAll("severity"), rule = data.get("rule"), file = data.get("file").trim().toLowerCase();
  let shown = 0;
  for (const cause of causes) {
    const is = cause.dataset;
    const fits = severities.includes(is.severity) && (!rule || is.rules.split(" ").includes(rule))
      && (!file || is.files.toLowerCase().includes(file));
    cause.hidden = !fits;
    shown += fits;
  }
  told.textContent = `${shown} of ${causes.length} root causes`;
}
function reveal() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target) { target.hidden = false; target.open = true; target.scrollIntoView(); }
}
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(filter));
for (const [name, open] of [["unfold", true], ["fold", false]])
  document.getElementById(name).addEventListener("click", () => causes.forEach((cause) => { cause.open = open; }));
addEventListener("hashchange", reveal);
addEventListener("beforeprint", () => causes.forEach((cause) => { cause.open = true; }));
form.hidden = false;
filter();
reveal();
"""

_STYLE = """
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; position: sticky; top: 0; z-index: 2; padding: .6rem 0;
  background: var(--ground); border-bottom: 1px solid var(--line); }
form[hidden], details[hidden] { display: none; }
fieldset { display: flex; flex-wrap: wrap; gap: .1rem .2rem; margin: 0; padding: 0; border: 0; }
legend { position: absolute; clip-path: inset(50%); }
form label { display: inline-flex; gap: .3rem; align-items: center; } fieldset label { margin-right: .6rem; }
input, select, button { font: inherit; color: inherit; } select, input[type=search], button { padding: .2rem .4rem;
  background: var(--card); border: 1px solid var(--line); border-radius: .3rem; min-width: 0; max-width: 100%; }
select { width: 14rem; }
:focus-visible { outline: 2px solid var(--low); outline-offset: 1px; }
output { color: var(--dim); }
.cause { border-left-width: .3rem; content-visibility: auto; contain-intrinsic-size: auto 3rem; }
.cause > div { padding: 0 .8rem .7rem; } .cause p { margin: .4rem 0; } .cause summary small { display: block; }
.cause.critical { border-left-color: var(--critical); } .cause.high { border-left-color: var(--high); }
.cause.medium { border-left-color: var(--medium); } .cause.low { border-left-color: var(--low); }
.cause.critical, .cause.high, .cause.medium, .cause.low { color: var(--text); }
.cause details ul { margin: 0; padding: 0 .7rem .5rem 1.9rem; } .cause details { background: var(--ground); }
@media (max-width: 36rem) { form { position: static; } .cause > div { padding: 0 .5rem .5rem; } }
"""


def render(report: Report, output: Output) -> str:  # noqa: ARG001
    """The report as a page. What comes from the reviewed code is text in it, never markup; nothing is loaded."""
    causes = report.causes
    body = [
        "<header>",
        "<h1>asyncvet</h1>",
        f"<p>{tally(report)}</p>",
        "</header>",
        *(_filters(report) if causes else ()),
        "<main>",
        *(line for number, cause in enumerate(causes) for line in _cause(cause, report, number < OPEN)),
        *missed(report),
        *errors(report),
        "</main>",
        f"<footer>{counted(report.files, 'file')}, {counted(report.lines, 'line')}; asyncvet {text(__version__)}</footer>",
    ]
    return page("asyncvet", STYLE.strip() + _STYLE.rstrip(), "\n".join(body), _SCRIPT if causes else "")


def _filters(report: Report) -> Iterator[str]:
    """Controls that hide root causes; hidden themselves where no script runs."""
    yield "<form hidden><fieldset><legend>Severity</legend>"
    for severity, count in report.by_severity.items():
        box = f'<input type="checkbox" name="severity" value="{severity.word}" checked>'
        yield f'<label class="{severity.word}">{box}{severity.word} <small>{count}</small></label>'
    yield '</fieldset><label>Rule <select name="rule"><option value="">all</option>'
    names = {finding.code: finding.name for finding in report.findings}
    for code, count in report.by_code.items():
        yield f'<option value="{text(code)}">{text(f"{code} {names[code]}")} ({count})</option>'
    yield '</select></label><label>File <input type="search" name="file" list="files" placeholder="part of a path"></label>'
    yield '<datalist id="files">'
    for path in sorted({finding.span.path for finding in report.findings}):
        yield f'<option value="{text(path)}">'
    yield '</datalist><button type="reset">Reset</button>'
    yield '<button type="button" id="unfold">Unfold all</button><button type="button" id="fold">Fold all</button>'
    yield "<output></output></form>"


def _cause(cause: list[Finding], report: Report, is_open: bool) -> Iterator[str]:
    finding, *others = cause
    issue, remedies = split_message(finding.message)
    severity, span = finding.severity.word, finding.span
    rules = " ".join(dict.fromkeys(each.code for each in cause))
    files = "\n".join(dict.fromkeys(path for each in cause for path in (each.span.path, *(frame.path for frame in each.chain))))
    yield (
        f'<details class="cause {severity}" id="{anchor(finding)}" data-severity="{severity}" data-rules="{text(rules)}"'
        f' data-files="{_lines(files)}"{" open" if is_open else ""}>'
    )
    more = f" · {counted(len(others), 'more place')}" if others else ""
    place = f"<code>{text(f'{span.path}:{span.line}:{span.column}')}</code> · {text(finding.code)} {text(finding.name)}{more}"
    yield f"<summary>{badge(finding.severity)} {prose(issue)}<small>{place}</small></summary><div>"
    yield from source(finding, report)
    yield from effects(finding)
    yield from (f'<p class="remedy"><b>{prose(remedy[:1].upper() + remedy[1:])}</b></p>' for remedy in remedies)
    yield from (f"<p>{prose(line)}</p>" for line in filter(None, finding.advice.split("\n")))
    if finding.fix:
        yield from _fix(finding.fix)
    if others:
        yield from _others(finding, others)
    yield "</div></details>"


def _lines(content: str) -> str:
    """Lines as the value of an attribute."""
    return "&#10;".join(text(line) for line in content.split("\n"))


def _fix(fix: Fix) -> Iterator[str]:
    yield f"<p>Fix: {prose(shown_fix(fix))}</p>"
    for edit in fix.edits:
        span = edit.span
        code = "\n".join(text(line) for line in edit.text.splitlines())
        yield f"<small>{text(f'{span.path}:{span.line}:{span.column}')}</small><pre>{code}</pre>"


def _others(finding: Finding, others: list[Finding]) -> Iterator[str]:
    """The other places, folded away: there can be hundreds."""
    yield f"<details><summary>{counted(len(others), 'more place')} with the same cause</summary><ul>"
    for other in others:
        rule = "" if other.code == finding.code else f" · {text(other.code)} {text(other.name)}"
        yield f"<li><code>{text(f'{other.span.path}:{other.span.line}')}</code> in <code>{text(other.function)}</code>{rule}</li>"
    yield "</ul></details>"
