"""Write the sources of the documentation site to `build/docs`: the pages of `docs/`, and those that the code itself gives.

`make docs` runs this, then mkdocs. What is generated is never committed, so it cannot be stale.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from asyncvet import rules
from asyncvet.catalogue.reader import read_catalogue
from asyncvet.cli import COMMANDS, command
from asyncvet.config import schema
from asyncvet.report.checklist.items import ITEMS
from asyncvet.rules import Rule

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
BUILD = ROOT / "build" / "docs"
CATALOGUE = ROOT / "src" / "asyncvet" / "catalogue" / "data"

COUNTS = "<!-- catalogue counts -->"
"""Where the page of the catalogue says how much it holds."""

_FIXES = {"none": "none", "safe": "safe", "unsafe": "unsafe: look at it first"}


def rule_page(rule: Rule) -> str:
    """The page of one rule: what the rule is, in a table, then its own text."""
    item = ITEMS[rule.item - 1]
    table = [
        "| code | severity | item of the checklist | fix | runs |",
        "|---|---|---|---|---|",
        f"| {rule.code} | {rule.severity.word} | {item.number}. {item.name} | {_FIXES[rule.fix]} | {_runs(rule)} |",
    ]
    return "\n".join([f"# {rule.name} ({rule.code})", "", *table, "", rule.page.text, ""])


def rule_index() -> str:
    """The page that lists all rules, by category."""
    lines = [
        "# Rules",
        "",
        "Each rule has a page of its own; `asyncvet rule NAME` prints the same text.",
        "A *preview* rule runs only when it is selected by its whole name or code.",
    ]
    for category, group in groupby(rules.load(), key=lambda rule: rule.category):
        lines += ["", f"## {category}", "", "| code | rule | severity | |", "|---|---|---|---|"]
        lines += [_row(rule) for rule in group]
    return "\n".join(lines) + "\n"


def _row(rule: Rule) -> str:
    return f"| {rule.code} | [{rule.name}]({rule.name}.md) | {rule.severity.word} | {'preview' if rule.preview else ''} |"


def _runs(rule: Rule) -> str:
    return "when selected (preview)" if rule.preview else "always"


def arguments(name: str) -> Iterator[tuple[str, str]]:
    """The arguments of a subcommand, as argparse knows them: how each is written, and what it means."""
    parser = argparse.ArgumentParser(add_help=False)
    command(name).add_arguments(parser)
    for action in parser._actions:
        values = "" if action.nargs == 0 else str(action.metavar or "")
        if action.choices:
            values = "{" + ",".join(map(str, action.choices)) + "}"
        yield " ".join(filter(None, [", ".join(action.option_strings), values])), action.help or ""


def options_table(name: str) -> str:
    """The arguments of a subcommand as a table."""
    rows = [f"| `{words}` | {meaning} |".replace("NAME|CODE", "NAME\\|CODE") for words, meaning in arguments(name)]
    return "\n".join(["| argument | meaning |", "|---|---|", *rows]) if rows else "It takes no arguments."


def settings_table() -> str:
    """The settings, as their form declares them."""
    options = {
        field.replace("_", "-") for field in ("select", "ignore", "min_severity", "include_tests", "baseline", "python", "jobs")
    }
    lines = ["| key | default | option | meaning |", "|---|---|---|---|"]
    for key, part in schema.schema()["properties"].items():
        default = part.get("default")
        written = "none" if default is None else f"`{json.dumps(default)}`"
        option = f"`--{key}`" if key in options else "`--no-cache`" if key == "cache" else ""
        lines.append(f"| `{key}` | {written} | {option} | {part['description']} |")
    return "\n".join(lines)


def cli_page() -> str:
    """The reference of the command line, with the arguments of each command as argparse knows them."""
    page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    head = page.partition("\n## ")[0]
    sections = [f"\n## asyncvet {name}\n\n{command(name).summary}\n\n{options_table(name)}\n" for name in COMMANDS]
    return head + "".join(sections)


def configuration_page() -> str:
    """The reference of the configuration, with the settings as they are."""
    page = (DOCS / "reference" / "configuration.md").read_text(encoding="utf-8")
    return re.sub(r"^\| key \| default .*?(?=\n\n)", lambda _: settings_table(), page, count=1, flags=re.MULTILINE | re.DOTALL)


def catalogue_counts() -> str:
    """How many distributions, names and types the catalogue holds, in a sentence."""
    files = [read_catalogue(path) for path in sorted(CATALOGUE.glob("*.toml"))]
    distributions = {file.distribution for file in files} - {"python"}
    names = sum(len(entry.names) for file in files for entry in file.api)
    types = sum(len(file.type) for file in files)
    return f"It holds the standard library and {len(distributions)} distributions: {names} names of calls and {types} types."


def generated() -> Iterator[tuple[str, str]]:
    """The generated pages: path below the site's sources, and text."""
    yield "reference/rules/index.md", rule_index()
    for rule in rules.load():
        yield f"reference/rules/{rule.name}.md", rule_page(rule)
    catalogue = (DOCS / "reference" / "catalogue.md").read_text(encoding="utf-8")
    yield "reference/catalogue.md", catalogue.replace(COUNTS, catalogue_counts())


def main() -> None:
    """Write the sources of the site anew."""
    shutil.rmtree(BUILD, ignore_errors=True)
    shutil.copytree(DOCS, BUILD)
    for name, text in generated():
        page = BUILD / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
