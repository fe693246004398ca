"""How grave a stall is, how long it lasts and what to write instead."""

from asyncvet.catalogue import Catalogue
from asyncvet.facts import extract
from asyncvet.graph import link
from asyncvet.graph.project import Project
from asyncvet.graph.stalls import Stall
from asyncvet.model import Severity
from asyncvet.rules import blocking_call


def stalls(text: str) -> list[tuple[Project, Stall]]:
    """The stalls of a module, in the order of the text."""
    project = link({"main.py": extract(text.encode())}, Catalogue.bundled())
    return [(project, stall) for stall in sorted(project.stalls("blocks"), key=lambda stall: stall.site.node.start)]


def test_a_wait_that_a_loop_repeats_has_no_bound() -> None:
    """The literal bounds one round."""
    text = """
import time


def once() -> None:
    time.sleep(0.5)


def until(is_ready) -> None:
    while not is_ready():
        time.sleep(0.5)


async def run(is_ready) -> None:
    once()
    until(is_ready)
    while not is_ready():
        time.sleep(0.5)
"""
    assert [stall.bound for _, stall in stalls(text)] == [0.5, None, 0.5]


def test_what_the_library_keeps_is_one_step_lighter() -> None:
    """Only the first call waits."""
    text = """
import requests
import tiktoken


async def run(url: str) -> None:
    tiktoken.get_encoding("cl100k_base")
    requests.get(url)
"""
    severities = [project.stall_finding(blocking_call.RULE, stall, "").severity for project, stall in stalls(text)]
    assert severities == [Severity.HIGH, Severity.CRITICAL]


def test_the_remedy_names_what_the_code_calls() -> None:
    """A twin of every method is told by a pattern."""
    text = """
import stripe


async def run() -> None:
    stripe.Customer.list(limit=3)
"""
    assert [project.remedy(stall) for project, stall in stalls(text)] == ["use `stripe.Customer.list_async`"]
