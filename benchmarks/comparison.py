"""What asyncvet and other tools report of the same code, written into docs/explanation/comparison.md. Run as `make comparison`.

Looked at is what all of them are for: calls that keep the event loop waiting. A place is a line of a file; of a chain, the line in the code
that the loop runs.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import resource
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "explanation" / "comparison.md"
SHOP = ROOT / "examples" / "shop"
WHEELS = ("khoj==1.42.10", "fractal-server==2.0.5", "opal-server==0.8.0")
"""Published packages that nobody wrote for a comparison."""

STALLS = ("AV101", "AV102", "AV103", "AV403", "AV703")
"""The rules of asyncvet about calls that keep the loop waiting."""

LINTED = "ASYNC21,ASYNC22,ASYNC23,ASYNC24,ASYNC25"
"""The codes of ruff and flake8-async that are about the same."""

TABLES = re.compile(r"(<!-- (\w+) -->\n).*?(\n<!-- end -->)", re.DOTALL)

Place = tuple[str, int]


class Tool(NamedTuple):
    """A tool: its name, the command that looks at a folder, and how its output is read."""

    name: str
    command: tuple[str, ...]
    places: Callable[[str], set[Place]]


class Outcome(NamedTuple):
    """What a tool reports of a folder, and in how many seconds of the processor."""

    places: set[Place]
    seconds: float


def _of_asyncvet(output: str) -> set[Place]:
    return {(finding["path"], finding["line"]) for finding in json.loads(output)["findings"]}


def _of_hydroid(output: str) -> set[Place]:
    locations = [diagnostic["location"] for diagnostic in json.loads(output)["diagnostics"]]
    return {(location["path"], location["line"]) for location in locations}


def _of_lines(output: str) -> set[Place]:
    """Of `path:line:...` on each line."""
    found = re.findall(r"^(?:\./)?(.+?\.py):(\d+):", output, flags=re.MULTILINE)
    return {(path, int(line)) for path, line in found}


def tools(folder: Path) -> tuple[Tool, ...]:
    """The tools, in the folder of their programs."""
    asyncvet = (str(folder / "python"), "-m", "asyncvet", "check", ".", "--no-cache", "--format", "json", "--include-tests")
    return (
        Tool("asyncvet", (*asyncvet, "--select", ",".join(STALLS)), _of_asyncvet),
        Tool("hydroid-cli", (str(folder / "hydroid"), "--cpu", "--no-cache", "--format", "json", "."), _of_hydroid),
        Tool(
            "ruff",
            (
                str(folder / "ruff"),
                "check",
                "--isolated",
                "--no-cache",
                "--preview",
                "--select",
                LINTED,
                "--output-format",
                "concise",
                ".",
            ),
            _of_lines,
        ),
        Tool("flake8-async", (str(folder / "flake8"), "--isolated", "--select", LINTED, "."), _of_lines),
    )


def run(tool: Tool, folder: Path) -> Outcome:
    """Let a tool look at a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(tool.command, cwd=folder, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    if result.returncode not in (0, 1):
        raise RuntimeError(f"{tool.name} exits with {result.returncode}: {result.stderr[-500:]}")
    return Outcome(tool.places(result.stdout), seconds)


def planted() -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The functions of the shop with planted faults of this kind, and those with look-alikes, as its README lists them."""
    faults, fine = (SHOP / "README.md").read_text(encoding="utf-8").split("## Look-alikes")
    rows = re.findall(r"^\| (AV\d+) \| `([^`]+)` `([^`]+)` \|", faults, flags=re.MULTILINE)
    return {(path, name) for code, path, name in rows if code in STALLS}, set(
        re.findall(r"^\| `([^`]+)` `([^`]+)` \|", fine, flags=re.MULTILINE)
    )


def functions(places: Iterable[Place]) -> set[tuple[str, str]]:
    """The functions of the shop that hold some lines, named as its README does."""
    found = set()
    for path, line in places:
        lines = (SHOP / path).read_text(encoding="utf-8").splitlines()
        names: list[str] = []
        indent = len(lines[line - 1])
        for text in reversed(lines[:line]):
            scope = re.match(r"( *)(?:async def|def|class) (\w+)", text)
            if scope and len(scope[1]) < indent:
                names.append(scope[2])
                indent = len(scope[1])
        found.add((path, ".".join(reversed(names))))
    return found


def shop_table(known: tuple[Tool, ...], python: Path | None) -> str:
    """The shop: planted faults found, and look-alikes that are taken for faults."""
    faults, fine = planted()
    rows = []
    for tool in known:
        with_packages = tool.command + (("--python", str(python.absolute())) if python and tool.name == "hydroid-cli" else ())
        places = functions(run(tool._replace(command=with_packages), SHOP).places)
        rows.append(f"| {tool.name} | {len(faults & places)} of {len(faults)} | {len(fine & places)} of {len(fine)} |")
    return "\n".join(["| tool | faults found | look-alikes reported |", "|---|---|---|", *rows])


def wheel_rows(wheel: str, known: tuple[Tool, ...], wheels: Path) -> list[str]:
    """One package: what each tool reports, and how much of that asyncvet reports too."""
    name, _, version = wheel.partition("==")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "download",
        "--no-deps",
        "--dest",
        str(wheels),
        wheel,
    ]
    subprocess.run(command, check=True)
    (file,) = wheels.glob(f"{name.replace('-', '_')}-{version}-*.whl")
    folder = wheels / name
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    outcomes = {tool.name: run(tool, folder) for tool in known}
    own = outcomes["asyncvet"].places
    return [
        f"| {f'{name} {version}' if tool == 'asyncvet' else ''} | {tool} | {len(outcome.places)} | {len(outcome.places & own)} "
        f"| {outcome.seconds:.1f} |"
        for tool, outcome in outcomes.items()
    ]


def wheel_table(known: tuple[Tool, ...]) -> str:
    """The packages."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [row for wheel in WHEELS for row in wheel_rows(wheel, known, Path(folder))]
    return "\n".join(
        ["| package | tool | places | of these, by asyncvet too | processor seconds |", "|---|---|---|---|---|", *rows]
    )


def versions() -> str:
    """What was run."""
    named = ("hydroid-cli", "ruff", "flake8-async")
    told = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in named)
    return f"Versions: {told}; Python {sys.version_info[0]}.{sys.version_info[1]}."


def main() -> int:
    """Write the tables of the page anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, help="environment with the shop's requirements, for the tool that needs it")
    options = parser.parse_args()
    known = tools(Path(sys.executable).parent)
    tables = {"shop": shop_table(known, options.python), "wheels": wheel_table(known), "versions": versions()}
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(TABLES.sub(lambda block: f"{block[1]}\n{tables[block[2]]}\n{block[3]}", text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
