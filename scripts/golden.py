"""Write the reports over the examples that tests compare with, the one that README.md shows, and the manual page: `make golden`."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from pathlib import Path
from unittest import mock

from asyncvet import cli
from asyncvet.cli.command import FOUND
from asyncvet.config import schema
from scripts import manual, work
from scripts.replay import PAGES, replay
from scripts.site_pages import DOCS, cli_page, configuration_page

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = "examples/shop"
GOLDEN = ROOT / "tests" / "golden"
REPORTS = {
    "shop.txt": ("check", "--format=text"),
    "shop.json": ("check", "--format=json"),
    "shop.jsonl": ("check", "--format=jsonl"),
    "shop.sarif": ("check", "--format=sarif"),
    "shop.github.txt": ("check", "--format=github"),
    "shop.gitlab.json": ("check", "--format=gitlab"),
    "shop.junit.xml": ("check", "--format=junit"),
    "shop.md": ("check", "--format=markdown"),
    "shop.html": ("check", "--format=html"),
    "statistics.txt": ("check", "--statistics"),
    "statistics.json": ("check", "--statistics", "--format=json"),
    "review.txt": ("review", "--format=text"),
    "review.json": ("review", "--format=json"),
    "review.md": ("review", "--format=markdown"),
    "review.html": ("review", "--format=html"),
}
"""Command and options of each report, by the name of its file."""

WIDTH = "100"
"""Columns of the terminal that the reports are made for."""

SHOWN = 2
"""So many entries of the report are in README.md."""

BLOCK = re.compile(r"^```console\n\$ make demo\n.*?^```\n", re.MULTILINE | re.DOTALL)

REVIEW_BLOCK = re.compile(r"^````markdown\n.*?^````\n", re.MULTILINE | re.DOTALL)

MASKS = {
    r", \d+\.\d s(?=[;\n])": ", 0.1 s",
    r'"seconds": [\d.]+': '"seconds": 0.1',
    r'"cached_files": \d+': '"cached_files": 0',
    r'"(v|semanticV)ersion": "(?!2\.1\.0)[^"]+"': r'"\1ersion": "0.0.0"',
    r'"markdown": ".*"': '"markdown": "..."',
    r"asyncvet [\w.]+</footer>": "asyncvet 0.0.0</footer>",
}


def report(name: str) -> str:
    """A report over the example as it is now, without what differs from run to run and version to version."""
    command, *options = REPORTS[name]
    output = io.StringIO()
    with contextlib.chdir(ROOT), contextlib.redirect_stdout(output), mock.patch.dict(os.environ, COLUMNS=WIDTH):
        status = cli.main([command, EXAMPLE, *options])
    if status != FOUND:
        raise RuntimeError(f"asyncvet {command} {EXAMPLE} exits with {status}")
    text = output.getvalue()
    if name.endswith(".sarif"):  # one line, which no diff could show
        text = json.dumps(json.loads(text), indent=2) + "\n"
    for pattern, mask in MASKS.items():
        text = re.sub(pattern, mask, text)
    return text


def readme_block(text: str) -> str:
    """What README.md shows of a text report: its first entries and its summary."""
    *entries, summary = text.split("\n\n")
    shown = [*entries[:SHOWN], f"[... {len(entries) - SHOWN} more ...]", summary]
    return "```console\n$ make demo\n" + "\n\n".join(shown) + "```\n"


def review_block(text: str) -> str:
    """What README.md shows of a review in Markdown: the counts, and its first finding."""
    counts = text.partition("## Summary\n\n")[2].partition("\n\n")[0]
    finding = text.partition("## Findings\n\n")[2].partition("\n\n### ")[0]
    return f"````markdown\n{counts}\n\n{finding}\n````\n"


def main() -> int:
    """Write all of them, and say which changed."""
    texts = {GOLDEN / name: report(name) for name in REPORTS}
    readme = ROOT / "README.md"
    block = readme_block(texts[GOLDEN / "shop.txt"])
    shown = BLOCK.sub(lambda _: block, readme.read_text(encoding="utf-8"))
    review = review_block(texts[GOLDEN / "review.md"])
    texts[readme] = REVIEW_BLOCK.sub(lambda _: review, shown)
    texts[manual.PAGE] = manual.manual()
    texts[DOCS / "reference" / "cli.md"] = cli_page()
    texts[DOCS / "reference" / "configuration.md"] = configuration_page()
    texts[DOCS / "reference" / "asyncvet.schema.json"] = schema.text()
    texts.update((page, replay(page.read_text(encoding="utf-8"))) for page in PAGES)
    texts[work.FILE] = json.dumps(work.counted(), indent=2) + "\n"
    for path, text in texts.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
