"""`asyncvet rule`."""

from __future__ import annotations

import argparse
import sys

from asyncvet import rules
from asyncvet.cli.command import Command
from asyncvet.config import UsageError


def _add_rule_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rule", nargs="?", metavar="NAME|CODE", help="the rule whose page to show (default: list all rules)")


def _rule(options: argparse.Namespace) -> int:
    known = rules.load()
    if options.rule is None:
        for each in known:
            preview = "  (only if selected by name)" if each.preview else ""
            print(f"{each.code}  {each.severity.word:8}  {each.name}{preview}")
        return 0
    rule = next((rule for rule in known if options.rule.lower() in (rule.code.lower(), rule.name)), None)
    if rule is None:
        from asyncvet.engine.selection import unknown_rule  # noqa: PLC0415  # the engine is slow to import

        raise UsageError(unknown_rule(options.rule, known))
    _show_page(f"# {rule.name} ({rule.code}, {rule.severity.word})\n\n{rule.page.text}")
    return 0


def _show_page(page: str) -> None:
    if not sys.stdout.isatty():
        print(page)
        return
    from rich.console import Console  # noqa: PLC0415  # slow to import, and most runs are not at a terminal
    from rich.markdown import Markdown  # noqa: PLC0415

    console = Console()
    console.print(Markdown(page), width=min(console.width, 100))


COMMANDS = {
    "rule": Command(
        "List the rules, or show the page of one.",
        _add_rule_arguments,
        _rule,
        {"asyncvet rule": "all rules", "asyncvet rule AV101": "why it matters, when it is fine, its limits"},
    )
}
