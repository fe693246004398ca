"""The example is reviewed as its README says, to the letter of the whole report."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from scripts.golden import EXAMPLE, GOLDEN, REPORTS, ROOT, report

SHOP = ROOT / EXAMPLE
README = (SHOP / "README.md").read_text(encoding="utf-8")
FAULT = re.compile(r"^\| (AV\d+) \| `([^`]+)` `([^`]+)` \| `([^`]+)` \|", re.MULTILINE)
LOOK_ALIKE = re.compile(r"^\| `([^`]+)` `([^`]+)` \|", re.MULTILINE)


def findings() -> list[dict[str, Any]]:
    """The findings of the report as it is now."""
    found: list[dict[str, Any]] = json.loads(report("shop.json"))["findings"]
    return found


def qualified(path: str, function: str) -> str:
    """Name of a function of the shop, with that of its module."""
    return f"{path.removesuffix('.py').replace('/', '.')}.{function}"


def functions(path: Path) -> set[str]:
    """Qualified names, within their module, of the functions and methods of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    places: list[tuple[str, list[ast.stmt]]] = [("", tree.body), *((f"{node.name}.", node.body) for node in classes)]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {f"{prefix}{node.name}" for prefix, body in places for node in body if isinstance(node, kinds)}


@pytest.mark.parametrize("name", REPORTS)
def test_report(name: str) -> None:
    """The whole report is the one that was looked at last. `make golden` writes it anew, to be looked at again."""
    assert report(name) == (GOLDEN / name).read_text(encoding="utf-8")


def test_faults() -> None:
    """Every fault in the table is found, by its rule, from where it starts to where it ends, and nothing else is."""
    expected = [
        (code, f"{EXAMPLE}/{path}", qualified(path, function), sink) for code, path, function, sink in FAULT.findall(README)
    ]
    assert len(expected) >= 8
    found = [
        (finding["code"], finding["path"], finding["function"], (finding["sink"] or {}).get("name")) for finding in findings()
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_look_alikes() -> None:
    """Every look-alike in the table is there, and nothing in it is reported."""
    look_alikes = LOOK_ALIKE.findall(README.partition("## Look-alikes")[2])
    assert len(look_alikes) >= 8
    assert [(path, function) for path, function in look_alikes if function not in functions(SHOP / path)] == []
    reported = {finding["function"] for finding in findings()}
    assert [place for place in look_alikes if qualified(*place) in reported] == []


def test_nothing_is_marked() -> None:
    """The code of the example does not give away where its faults are."""
    commented = [path.name for path in sorted(SHOP.rglob("*.py")) if "#" in path.read_text(encoding="utf-8")]
    assert commented == []
