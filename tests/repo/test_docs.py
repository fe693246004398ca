"""The pages of `docs/` say what is so."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from asyncvet.catalogue.schema import Api, CatalogueFile, Category, Condition, Effect, Type
from asyncvet.cli import COMMANDS, command
from asyncvet.config import schema
from asyncvet.rules import load
from scripts.replay import PAGES, replay
from scripts.site_pages import COUNTS, DOCS, ROOT, configuration_page, generated, options_table

FENCE = re.compile(r"^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    """The text of a page."""
    return (DOCS / name).read_text(encoding="utf-8")


def keys(text: str) -> set[str]:
    """What stands in the first column of the tables of a text."""
    cells = re.findall(r"^\| (`[^|]*`) \|", text, flags=re.MULTILINE)
    return {key for cell in cells for key in re.findall(r"`([^`]+)`", cell)}


def test_commands() -> None:
    """Each command has its section: its summary, and the table of its arguments as argparse knows them."""
    sections = re.findall(r"^## asyncvet ([a-z-]+)\n\n(.*?)(?=\n*^## |\s*\Z)", page("reference/cli.md"), re.MULTILINE | re.DOTALL)
    assert dict(sections) == {name: f"{command(name).summary}\n\n{options_table(name)}" for name in COMMANDS}


def test_settings() -> None:
    """Each setting is there, with its default and its meaning, and so is the schema. `make golden` writes them anew."""
    assert page("reference/configuration.md") == configuration_page()
    assert page("reference/asyncvet.schema.json") == schema.text()


def test_json() -> None:
    """Each key of the golden report is there."""
    report = msgspec.json.decode((ROOT / "tests" / "golden" / "shop.json").read_bytes())
    sections = re.split(r"^## .*\n", page("reference/json.md"), flags=re.MULTILINE)
    parts = (report, report["summary"], report["findings"][0])
    assert [keys(text) for text in sections[1:]] == [set(part) for part in parts]


def test_catalogue() -> None:
    """Each key and word of the schema is there."""
    sections = dict(re.findall(r"^##+ (\S+)\n(.*?)(?=^##|\Z)", page("reference/catalogue.md"), flags=re.MULTILINE | re.DOTALL))
    tables = {"`[[api]]`": Api, "Conditions": Condition, "`[[type]]`": Type}
    for title, struct in tables.items():
        assert keys(sections[title]) == set(struct.__struct_fields__), title
    assert keys(page("reference/catalogue.md").split("## ")[0]) == set(CatalogueFile.__struct_fields__)
    assert keys(sections["Effects"]) == set(get_args(Effect))
    assert set(re.findall(r"`([\w-]+)`", sections["Categories"])) == set(get_args(Category))


def test_example() -> None:
    """The finding that the pages show is in the report over the example."""
    report = (ROOT / "tests" / "golden" / "shop.txt").read_text(encoding="utf-8")
    (shown,) = FENCE.findall(page("index.md"))
    assert shown in report
    assert FENCE.findall(page("how-to/read-a-chain.md")) == [shown]


def test_generated() -> None:
    """There is a page for each rule, and the catalogue's page has its counts."""
    pages = dict(generated())
    rules = {f"reference/rules/{rule.name}.md" for rule in load()}
    assert set(pages) == {"reference/rules/index.md", "reference/catalogue.md", *rules}
    assert COUNTS in page("reference/catalogue.md")
    assert COUNTS not in pages["reference/catalogue.md"]


def test_navigation() -> None:
    """Every page is reached from the site's navigation."""
    named = set(re.findall(r"^ +- .*?([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert named == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} | {"reference/rules/index.md"}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_commands_shown(path: Path) -> None:
    """What the commands on the page print is what they print now. `make golden` writes it anew."""
    text = path.read_text(encoding="utf-8")
    assert replay(text) == text


def test_demo() -> None:
    """The tutorial shows the summary of `make demo`."""
    report = (ROOT / "tests" / "golden" / "shop.txt").read_text(encoding="utf-8")
    assert FENCE.findall(page("tutorial.md")) == [report.rpartition("\n\n")[2]]
