"""The page of the harm lab, its plots, and the sentences in the pages of the rules."""

import os
import platform
import re
import textwrap
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from harm.patterns import PATTERNS, Pattern, percentile
from harm.plots import draw
from harm.service import Measured

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "harm.md"
RULES = ROOT / "src" / "asyncvet" / "rules"
Results = Mapping[str, tuple[Measured, Measured]]

_PACKAGES = ("fastapi", "uvicorn", "uvloop", "celery", "httpx", "requests", "numpy", "tokenizers", "xllamacpp", "pypdf")
_COLUMNS = (
    "pattern",
    "form",
    "`/health` p50, ms",
    "`/health` p99, ms",
    "worst stall, ms",
    "answers a second",
    "answer p50, ms",
    "model loads",
    "tasks lost",
    "shutdown, s",
)


def write(results: Results) -> None:
    """Write the page, the plots and the sentences of a run of all patterns."""
    plots = PAGE.parent / "harm"
    plots.mkdir(exist_ok=True)
    for pattern in PATTERNS:
        draw(pattern, *results[pattern.name], plots / f"{pattern.name}.svg")
    PAGE.write_text(page(results), encoding="utf-8")
    for rule, patterns in groupby(PATTERNS, key=lambda pattern: pattern.rule):
        _cite(RULES / f"{rule.replace('-', '_')}.py", _sentences(list(patterns), results))


def page(results: Results) -> str:
    """The page of the harm lab, in Markdown."""
    template = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")
    sections = (_section(pattern, *results[pattern.name]) for pattern in PATTERNS)
    parts = {"machine": _machine(), "table": "\n".join(_table(results)), "patterns": "\n".join(sections)}
    for name, text in parts.items():
        template = template.replace(f"<!-- {name} -->", text)
    return template


def _sentences(patterns: list[Pattern], results: Results) -> str:
    """What a rule's page says of its patterns."""
    said: list[str] = []
    for pattern in patterns:
        link = f"[{pattern.title if said else 'the harm lab'}](../../harm.md#{pattern.anchor})"
        said.append(f"{f'{link}:' if said else f'In {link},'} {pattern.says(*results[pattern.name])}.")
    return " ".join(said)


def _machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    text = (
        f"This run: {os.cpu_count()} cores ({platform.machine()}, {platform.system()}), which other work may have used too; "
        f"Python {platform.python_version()}, {packages}."
    )
    return textwrap.fill(text, 130, break_on_hyphens=False)


def _table(results: Results) -> Iterator[str]:
    yield f"| {' | '.join(_COLUMNS)} |"
    yield "|---" * 2 + "|---:" * (len(_COLUMNS) - 2) + "|"
    for pattern in PATTERNS:
        for form, measured in zip(("bad", "good"), results[pattern.name], strict=True):
            name = f"[{pattern.title}](#{pattern.anchor})" if form == "bad" else ""
            yield f"| {name} | {form} | {' | '.join(_cells(measured))} |"


def _cells(measured: Measured) -> Iterator[str]:
    for percent in (50, 99):
        yield _milliseconds(percentile(measured.health, percent) if measured.health else None)
    yield _milliseconds(measured.stall)
    yield f"{len(measured.answers) / measured.seconds:.1f}" if measured.seconds else "-"
    yield _milliseconds(percentile(measured.answers, 50) if measured.answers else None)
    yield from ("-" if count is None else str(count) for count in (measured.loads, measured.lost))
    yield f"{measured.shutdown:.1f}{', killed' if measured.killed else ''}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.0f}"


def _section(pattern: Pattern, bad: Measured, good: Measured) -> str:
    path, function = pattern.good.split()
    says = pattern.says(bad, good)
    lines = (
        f"Bad: {pattern.bad}. Good: `{function}` in `{path}`. Load: {pattern.load.__doc__}",
        f"{says[0].upper() + says[1:]}. Rule: [{pattern.rule}](reference/rules/{pattern.rule}.md).",
    )
    text = "\n\n".join(textwrap.fill(line, 130, break_long_words=False, break_on_hyphens=False) for line in lines)
    return f"### {pattern.title}\n\n{text}\n\n![{pattern.title}: the bad and the good form](harm/{pattern.name}.svg)\n"


def _cite(module: Path, sentences: str) -> None:
    """Put the sentences at the end of what a rule's page says is bad, in place of those of an earlier run."""
    text = module.read_text(encoding="utf-8")
    paragraph = textwrap.fill(sentences, 130, break_long_words=False, break_on_hyphens=False)
    before, heading, after = text.partition("\n## Example\n")
    before = re.sub(r"\nIn \[the harm\s+lab\](?:.+\n)+", "", before)
    module.write_text(f"{before}\n{paragraph}\n{heading}{after}", encoding="utf-8")
