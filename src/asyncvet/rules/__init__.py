"""The rules: one module each, found by its place in this package.

A rule's module holds its page (the module's docstring), a function `check`, and the constant `RULE` that ties them together.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

import msgspec

from asyncvet.model import Finding, Severity

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

CATEGORIES = {
    1: "Async function basics",
    2: "Concurrency control",
    3: "Task management",
    4: "Async generators",
    5: "Concurrent execution",
    6: "FastAPI",
    7: "Celery",
    8: "Error handling",
}

HEADINGS = ("Why is this bad?", "Example", "When it is fine", "Known limits", "Fix safety", "References")


class Page(msgspec.Struct, frozen=True):
    """A rule's page.

    Attributes:
        text: The whole page, Markdown.
        summary: Its first paragraph: what the rule checks for.
        sections: Text under each heading, in the order of `HEADINGS`.
        bad: Example that the rule reports.
        good: The same, written well.
    """

    text: str
    summary: str
    sections: dict[str, str]
    bad: str
    good: str


def parse_page(text: str) -> Page:
    """Read a rule's page.

    Raises:
        ValueError: The page does not have the fixed form; the message says what is wrong.
    """
    summary, *parts = re.split(r"^## (.+)\n", text.strip(), flags=re.MULTILINE)
    headings, bodies = tuple(parts[::2]), parts[1::2]
    if not summary.startswith("Checks for "):
        raise ValueError("the page does not start with 'Checks for '")
    if headings != HEADINGS:
        raise ValueError(f"the page's headings are {', '.join(headings) or 'missing'}; expected {', '.join(HEADINGS)}")
    sections = {heading: body.strip() for heading, body in zip(headings, bodies, strict=True)}
    examples = re.findall(r"^```python\n(.*?)^```$", sections["Example"] + "\n", flags=re.MULTILINE | re.DOTALL)
    if len(examples) != 2:
        raise ValueError(f"the example has {len(examples)} Python blocks; expected the bad one and the good one")
    return Page(text.strip(), summary.strip(), sections, *examples)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One fault that asyncvet knows.

    Attributes:
        code: ``AV`` and three digits, of which the first is the category.
        name: The bad pattern in kebab case; reads well after "allow".
        severity: Of a finding, unless `check` lowers it.
        item: Number of the checklist's item, 1 to 19.
        check: Yields the findings of a project, in any order.
        fix: Whether some findings carry a fix, and of what kind.
        preview: Runs only when selected by name or code.
        needs_loop: Speaks of code on an event loop only: nothing to report once async and await are taken away.
    """

    code: str
    name: str
    severity: Severity
    item: int
    check: Callable[[Project], Iterator[Finding]]
    fix: Literal["none", "safe", "unsafe"] = "none"
    preview: bool = False
    needs_loop: bool = True

    @property
    def category(self) -> str:
        """The part of the checklist that the rule belongs to."""
        return CATEGORIES[int(self.code[2])]

    @property
    def text(self) -> str:
        """What the rule says about itself: the docstring of its module."""
        return (sys.modules[self.check.__module__].__doc__ or "").strip()

    @property
    def page(self) -> Page:
        """The same in its parts."""
        return parse_page(self.text)


@functools.cache
def load() -> tuple[Rule, ...]:
    """All rules, by code."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    rules: list[Rule] = [module.RULE for module in modules]
    return tuple(sorted(rules, key=lambda rule: rule.code))
