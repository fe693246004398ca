"""Tries a tool's way with pytest on tests that block the loop, and prints a line of JSON for each.

python -m verification.monitor.pytest_trial TOOL asyncio|uvloop
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

CASES = Path(__file__).with_name("pytest_cases.py")
# Options, and what a conftest.py says, as the tools' documentation has it.
_WAYS = {
    "asyncvet": (["--asyncvet"], ""),
    "blockbuster": (
        [],
        """
import pytest
from blockbuster import blockbuster_ctx

@pytest.fixture(autouse=True)
def blockbuster():
    with blockbuster_ctx() as found:
        yield found
""",
    ),
    "pyleak": (
        ["-p", "pyleak.pytest_plugin"],
        """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.no_leaks(tasks=False, threads=False, blocking=True, blocking_threshold=0.1))
""",
    ),
}
_UVLOOP = """
import pytest
import uvloop

@pytest.fixture(scope="session")
def event_loop_policy():
    return uvloop.EventLoopPolicy()

@pytest.fixture
def anyio_backend():
    return "asyncio", {"use_uvloop": True}
"""


def main() -> None:
    """Run the tests that the command line asks for."""
    tool, loop = sys.argv[1:]
    if tool not in _WAYS:
        return
    words, conftest = _WAYS[tool]
    with tempfile.TemporaryDirectory() as folder:
        tests = CASES.read_text()
        if loop == "uvloop":
            conftest += _UVLOOP
            tests = tests.replace('    return "asyncio"\n', '    return "asyncio", {"use_uvloop": True}\n')
        Path(folder, "test_cases.py").write_text(tests)
        Path(folder, "conftest.py").write_text(conftest)
        command = [sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=strict", *words, "--junitxml=report.xml"]
        subprocess.run(command, cwd=folder, stdout=sys.stderr, check=False)
        failed = {}
        for case in ET.parse(Path(folder, "report.xml")).iter("testcase"):
            name = case.get("name", "")
            failed[name] = failed.get(name, False) or case.find("failure") is not None or case.find("error") is not None
    for name, is_caught in failed.items():
        words = name.removeprefix("test_").partition("[")[0].replace("_", " ")
        print(json.dumps({"group": "pytest", "name": words, "reports": ["failed"] if is_caught else [], "error": ""}))


if __name__ == "__main__":
    main()
