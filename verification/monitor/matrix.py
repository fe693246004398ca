"""The matrix of strict mode and other tools: runs the trials, and writes docs/explanation/monitor-matrix.md from their results.

    python -m verification.monitor.matrix run PYTHON... [--tools TOOL,...]
    python -m verification.monitor.matrix write

`run` makes an environment for each interpreter in build/monitor/, with asyncvet and what the cases need, and a folder for each other
tool; what has been run stays in build/monitor/results/.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from verification.monitor.detectors import DETECTORS

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "monitor"
RESULTS = BUILD / "results"
PAGE = ROOT / "docs" / "explanation" / "monitor-matrix.md"
REQUIREMENTS = Path(__file__).with_name("requirements-strict.txt")
PEERS = Path(__file__).with_name("requirements-peers.txt")
GROUPS = ("stall", "short", "fine", "fine, with pauses", "evasive", "pytest")
LOOPS = ("asyncio", "uvloop")
_PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet", "install")


class Result(NamedTuple):
    """What one tool made of all cases, with one interpreter and one kind of loop."""

    tool: str
    version: str
    python: str
    loop: str
    cases: list[dict[str, Any]]


def environment(interpreter: str) -> tuple[str, Path]:
    """The version of an interpreter, and the Python of an environment of its with all that the cases need."""
    version = subprocess.check_output([interpreter, "-c", "import platform; print(platform.python_version())"], text=True).strip()
    folder = BUILD / f"python-{version}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([interpreter, "-m", "venv", folder], check=True)
        subprocess.run([python, *_PIP, "--editable", ROOT, "--requirement", REQUIREMENTS], check=True)
        (folder / "ready").touch()
    return version, python


def peer(name: str, python: Path, version: str) -> Path | None:
    """The folder that holds another tool for an interpreter; None if it cannot be installed there."""
    folder = BUILD / f"peers-{version}" / name.replace(" ", "-")
    if not folder.exists():
        wanted = (DETECTORS[name].distribution, *DETECTORS[name].needs)
        pins = [line for line in PEERS.read_text().splitlines() if line.partition("==")[0] in wanted]
        command = [str(python), *_PIP, "--no-deps", "--target", str(folder), *pins]
        if subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode:
            return None
    return folder


def run(interpreters: list[str], tools: list[str]) -> None:
    """Run the trials of some tools with some interpreters, and keep their results."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for interpreter in interpreters:
        version, python = environment(interpreter)
        for tool in tools:
            paths = [str(ROOT)]
            released = ""
            if DETECTORS[tool].distribution not in ("", "asyncvet"):
                folder = peer(tool, python, version)
                if folder is None:
                    print(f"{tool}: cannot be installed for Python {version}", file=sys.stderr)
                    continue
                paths.append(str(folder))
                released = next(importlib.metadata.distributions(name=DETECTORS[tool].distribution, path=[str(folder)])).version
            for loop in LOOPS:
                cases = trial(python, paths, tool, loop)
                result = {"tool": tool, "version": released, "python": version, "loop": loop, "cases": cases}
                name = f"{tool.replace(' ', '-')}-{version}-{loop}.json"
                (RESULTS / name).write_text(json.dumps(result, indent=1) + "\n")
                print(name, dict(Counter(case["group"] for case in cases if case["reports"])), flush=True)
                for text, count in Counter(case["error"] for case in cases if case["error"]).most_common(5):
                    print(f"    {count} cases broke: {text}", flush=True)


def trial(python: Path, paths: list[str], tool: str, loop: str) -> list[dict[str, Any]]:
    """Run the cases twice: as they are, and those that are fine with the process stopped now and then."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    found: list[dict[str, Any]] = []
    for words in ([], ["fine", "--pauses"], ["pytest"]):
        module = "verification.monitor.pytest_trial" if words == ["pytest"] else "verification.monitor.trial"
        command = [str(python), "-m", module, tool, loop, *(words if words != ["pytest"] else [])]
        done = subprocess.run(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=900, check=False
        )
        for line in done.stdout.decode(errors="replace").splitlines():
            if line.startswith("{"):
                case = json.loads(line)
                case["group"] += ", with pauses" if "--pauses" in words else ""
                found.append(case)
    return found


def results() -> list[Result]:
    """What was run, by tool, interpreter and loop."""
    order = list(DETECTORS)
    read = [Result(**json.loads(path.read_text())) for path in sorted(RESULTS.glob("*.json"))]
    return sorted(read, key=lambda each: (order.index(each.tool), [int(part) for part in each.python.split(".")], each.loop))


def write() -> None:
    """Write the page."""
    found = results()
    totals = Counter(case["group"] for case in max(found, key=lambda each: len(each.cases)).cases)
    lines = [PREAMBLE, "| tool | Python | loop | " + " | ".join(f"{group} ({totals[group]})" for group in GROUPS) + " |"]
    lines.append("|---|---|---|" + "---|" * len(GROUPS))
    for each in found:
        counts = Counter(case["group"] for case in each.cases if case["reports"])
        tried = {case["group"] for case in each.cases}
        cells = [str(counts[group]) if group in tried else "–" for group in GROUPS]
        lines.append(f"| {each.tool} {each.version} | {each.python} | {each.loop} | {' | '.join(cells)} |".replace("  ", " "))
    lines += ["", "## What strict mode does not catch", ""]
    missed = sorted(
        {
            (case["group"], case["name"])
            for each in found
            if each.tool == "asyncvet"
            for case in each.cases
            if not case["reports"] and not case["group"].startswith("fine")
        }
    )
    lines += [f"- {group}: {name}" for group, name in missed]
    lines += ["", REASONS]
    PAGE.write_text("\n".join(lines).rstrip() + "\n")


PREAMBLE = """# Strict mode beside other tools

Each row is a run of all cases of `verification/monitor/stalls.py`; `make verify-monitor-strict` makes the runs and writes this page.
A case is caught if the tool reported anything while it ran, whatever the report says.

- **stall**: calls that keep the loop for 150 ms or more, blocking or computing.
- **short**: blocking calls of less than 5 ms.
- **fine**: what blocks nothing; each number is one of false reports. **With pauses**: the same while another process stops this one
  for 120 ms, three times a second.
- **evasive**: blocking calls of 2 ms, by ways that are hard to see.
- **pytest**: tests that block, run by the tool's own plugin or fixture, as its documentation says; a case is caught if the test fails.

A dash: the tool has nothing of the kind, or its way was not tried. Heartbeat tools report a stall by its length, so short calls are
none of their business. The machine was busy with other work meanwhile, which heartbeats see.
"""

REASONS = """Why: a lock, a file or a method that was made before strict mode was switched on is the interpreter's own object, written
in C, and cannot be changed afterwards. The pytest plugin and `asyncvet monitor` switch it on before the program is imported. Such a wait is
caught if it lasts longer than the bound for callbacks.

Not caught either, and not among the cases: a C extension that is not in the catalogue, sleeps while it holds the interpreter's lock,
and is not called by ctypes (it cannot be told from a stopped process); page faults of a memory map that is read; callbacks of
protocols on uvloop that compute (blocking calls in them are caught)."""


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("interpreters", nargs="+")
    running.add_argument("--tools", default=",".join(DETECTORS))
    commands.add_parser("write")
    options = parser.parse_args()
    if options.command == "run":
        run(options.interpreters, options.tools.split(","))
    else:
        write()


if __name__ == "__main__":
    main()
