"""The pytest plugin fails, at their teardown, the tests that block the loop, and costs nothing where it is not asked for."""

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

TESTS = """
import asyncio
import threading
import time

import pytest


def blocks():
    time.sleep(0.001)


async def main():
    blocks()


def test_blocks():
    asyncio.run(main())


def test_swallows():
    async def swallow():
        try:
            blocks()
        except BaseException:
            pass

    asyncio.run(swallow())


def test_fine():
    async def sleep():
        await asyncio.to_thread(blocks)

    asyncio.run(sleep())
    blocks()


@pytest.fixture
def server():
    yield
    asyncio.run(main())


def test_fixture(server):
    pass


def test_thread():
    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    thread.join()


@pytest.mark.asyncvet(mode="off")
def test_off():
    asyncio.run(main())


@pytest.mark.asyncvet(mode="warn")
def test_warns():
    asyncio.run(main())


@pytest.mark.asyncvet(allow=["time.sleep in test_cases.*", "never"])
def test_allows():
    asyncio.run(main())


def test_takes(asyncvet_strict):
    asyncio.run(main())
    assert [each.primitive for each in asyncvet_strict.taken()] == ["time.sleep"]


def test_fails_by_itself():
    asyncio.run(main())
    assert False
"""


def run(folder: Path, *options: str, tests: str = TESTS, settings: str = "") -> subprocess.CompletedProcess[str]:
    """Run tests in a process of their own."""
    (folder / "test_cases.py").write_text(tests)
    (folder / "pytest.ini").write_text(f"[pytest]\n{textwrap.dedent(settings)}")
    loaded = [] if is_installed() else ["-p", "asyncvet.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:asyncio", "-q", "-rA", *loaded, *options]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)


def is_installed() -> bool:
    """Whether the plugin is found by its entry point; an installation from before it had one is as good otherwise."""
    from importlib.metadata import entry_points  # noqa: PLC0415

    return any(point.name == "asyncvet" for point in entry_points(group="pytest11"))


def outcomes(output: str) -> dict[str, set[str]]:
    """What became of each test."""
    found: dict[str, set[str]] = {}
    for word, name in re.findall(r"^(PASSED|FAILED|ERROR) test_cases\.py::test_(\w+)", output, re.MULTILINE):
        found.setdefault(name, set()).add(word)
    return found


FAIL = {
    "blocks": {"PASSED", "ERROR"},
    "swallows": {"PASSED", "ERROR"},
    "fine": {"PASSED"},
    "fixture": {"PASSED", "ERROR"},
    "thread": {"PASSED", "ERROR"},
    "off": {"PASSED"},
    "warns": {"PASSED"},
    "allows": {"PASSED"},
    "takes": {"PASSED"},
    "fails_by_itself": {"FAILED", "ERROR"},
}


def test_it_fails_what_blocks(tmp_path: Path) -> None:
    """Each test that blocks has an error at its teardown, which names the line; its own result stays."""
    done = run(tmp_path, "--asyncvet", "--asyncvet-output", "seen.jsonl")
    assert (outcomes(done.stdout), done.returncode) == (FAIL, 1)
    assert re.search(
        r"the event loop was blocked\ntime\.sleep \(sleep\) blocked the event loop for [\d.]+ ms\n"
        r"    test_cases\.py:18 test_blocks\n    test_cases\.py:14 main\n    test_cases\.py:10 blocks\n"
        r"    in task Task-\d+, callback main, request test_cases\.py::test_blocks\n",
        done.stdout,
    )
    assert re.findall(r"^allow rule that nothing needed: (.*)", done.stdout, re.MULTILINE) == ["never"]
    seen = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text().splitlines()]
    assert [each["request"].rpartition("::")[2] for each in seen] == [
        "test_blocks",
        "test_swallows",
        "test_fixture",
        "test_thread",
        "test_warns",
        "test_takes",
        "test_fails_by_itself",
    ]


def test_by_the_configuration(tmp_path: Path) -> None:
    """The configuration file says the same as the options, and rules for all tests."""
    settings = """
        asyncvet_mode = fail
        asyncvet_allow =
            time.sleep in test_cases.blocks
            os.stat
    """
    done = run(tmp_path, settings=settings)
    assert {name: words for name, words in outcomes(done.stdout).items() if words != {"PASSED"}} == {
        "takes": {"FAILED"},
        "fails_by_itself": {"FAILED"},
    }
    assert re.findall(r"^allow rule that nothing needed: (.*)", done.stdout, re.MULTILINE) == ["never", "os.stat"]


def test_tests_that_ask_for_it(tmp_path: Path) -> None:
    """Without an option, only the tests with a marker or the fixture are watched."""
    done = run(tmp_path)
    assert {name: words for name, words in outcomes(done.stdout).items() if words != {"PASSED"}} == {
        "fails_by_itself": {"FAILED"}
    }
    assert "BlockingWarning: the event loop was blocked" in done.stdout


def test_switched_off(tmp_path: Path) -> None:
    """`--asyncvet=off` is stronger than markers and the configuration; the fixture has nothing to give."""
    done = run(tmp_path, "--asyncvet=off", settings="asyncvet_mode = fail")
    assert ("BlockingWarning" in done.stdout, outcomes(done.stdout)["fixture"], "takes" in outcomes(done.stdout)) == (
        False,
        {"PASSED"},
        False,
    )


def test_warn_only_warns(tmp_path: Path) -> None:
    """A run that is to warn keeps each test's result, even if its suite makes errors of warnings."""
    done = run(tmp_path, "--asyncvet=warn", settings="filterwarnings = error")
    assert ({name: words for name, words in outcomes(done.stdout).items() if words != {"PASSED"}}, done.returncode) == (
        {"fails_by_itself": {"FAILED"}},
        1,
    )
    assert done.stdout.count("BlockingWarning: the event loop was blocked") == 6


UNUSED = """
import sys

def test_nothing_is_loaded():
    assert [name for name in sys.modules if name.startswith("asyncvet.monitor")] == []
"""


def test_it_costs_nothing_unused(tmp_path: Path) -> None:
    """Where it is not asked for, nothing of the monitor is imported."""
    assert outcomes(run(tmp_path, tests=UNUSED).stdout) == {"nothing_is_loaded": {"PASSED"}}


BAD = [
    ("asyncvet_mode = loud", "asyncvet_mode is `loud`: write one of off, warn, fail"),
    ("asyncvet_mode = fail\nasyncvet_allow = os stat", 'asyncvet_allow: allow rule "os stat": write CALL or CALL in PLACE'),
    ("asyncvet_mode = fail\nasyncvet_callback_bound = long", "asyncvet_callback_bound is `long`: write a number of seconds"),
    (
        "asyncvet_mode = fail\nasyncvet_output = /nowhere/x",
        "asyncvet_output: /nowhere/x: cannot be written: No such file or directory",
    ),
]


@pytest.mark.parametrize(("settings", "said"), BAD)
def test_settings_that_cannot_be_used(settings: str, said: str, tmp_path: Path) -> None:
    """A message says what to write, and no test is run."""
    done = run(tmp_path, settings=settings)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr + done.stdout) == (4, True, False), done.stderr
