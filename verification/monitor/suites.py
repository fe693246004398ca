"""Run the own test suites of libraries with and without strict mode, and see that every test says the same.

    python -m verification.monitor.suites [--distributions FOLDER] [--limit SECONDS]

The source distributions are downloaded into the folder where they are missing. What the suites need is in `requirements-suites.txt`; a
test that needs more than that, a network for one, fails with strict mode as without. Writes docs/explanation/monitor-suites.md.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from asyncvet.monitor.observation import Observation, decode
from verification.distributions import counted, differing, outcomes, unpacked

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "monitor-suites.md"
SUITES: Mapping[str, tuple[str, ...]] = {
    "starlette==1.10.0": (),
    "httpx==0.28.1": (),
    "aiohttp==3.14.5": ("-m", "not dev_mode and not autobahn and not internal"),
}
"""The distributions, and what of their own options of pytest chooses tests."""

_HEAD = """\
# Other test suites under strict mode

The test suites of these libraries are run twice from their source distributions: as they are, and under `--asyncvet=warn`.
`make verify-monitor-suites` makes the runs and writes this page. A test differs if it passed, failed or was skipped in one run and not
in the other. What fails in both does so for want of a network or of the versions that the suite was written for, or because the user is
root. A run is ended after {limit:.0f} seconds, a test after 120.

Python {python}; aiohttp without its extensions in C.

"""


class Result(NamedTuple):
    """What came of one suite."""

    without: dict[str, str]
    under: dict[str, str]
    observations: list[Observation]


def run(folder: Path, pin: str, limit: float) -> Result | None:
    """Run one suite both ways; None if a run did not end within its limit, in seconds."""
    options = [*SUITES[pin], "--timeout", "120"]
    environment = {"AIOHTTP_NO_EXTENSIONS": "1"}
    with unpacked(folder, pin) as distribution:
        seen = distribution.with_name("observations.jsonl")
        try:
            without = outcomes(distribution, options, environment, limit)
            strictly = ["--asyncvet=warn", "--asyncvet-output", str(seen)]
            under = outcomes(distribution, [*options, *strictly], environment, limit)
        except subprocess.TimeoutExpired:
            return None
        return Result(without, under, [decode(line) for line in seen.read_text(encoding="ascii").splitlines()])


def page(results: Mapping[str, Result | None], limit: float) -> str:
    """The page: a table of outcomes, then what strict mode reported of each suite."""
    lines = ["| suite | tests | without | under strict mode | differ |", "|---|---|---|---|---|"]
    for pin, result in results.items():
        lines.append(f"| {_named(pin)} | {_row(result)} |")
    for pin, result in results.items():
        if result is not None:
            lines += ["", f"## {_named(pin)}", "", *_reported(result)]
    return _HEAD.format(limit=limit, python=platform.python_version()) + "\n".join(lines) + "\n"


def _row(result: Result | None) -> str:
    if result is None:
        return "a run was ended | – | – | –"
    outcome, strict = counted(result.without.values()), counted(result.under.values())
    return f"{len(result.without)} | {outcome} | {strict} | {len(differing(result.without, result.under))}"


def _reported(result: Result) -> list[str]:
    tests = len({each.request for each in result.observations})
    changed = [f"- {line}" for line in differing(result.without, result.under)]
    lines = [*changed, ""] if changed else []
    lines += [f"{len(result.observations)} observations in {tests} tests; the ten most frequent:", ""]
    lines += ["| call | category | in | observations |", "|---|---|---|---|"]
    places = Counter((each.primitive, each.category, _place(each)) for each in result.observations)
    lines += [f"| `{call}` | {category} | `{place}` | {number} |" for (call, category, place), number in places.most_common(10)]
    return lines


def _place(observation: Observation) -> str:
    if not observation.stack:
        return observation.callback
    frame = observation.stack[-1]
    return f"{Path(frame.path).name} {frame.function}"


def _named(pin: str) -> str:
    return pin.replace("==", " ")


def main() -> None:
    """Run all suites and write the page. The exit status is 1 if a test differs, or a run was ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--distributions", type=Path, default=ROOT / "build" / "sdists", metavar="FOLDER")
    parser.add_argument("--limit", type=float, default=1800.0, metavar="SECONDS")
    arguments = parser.parse_args()
    results: dict[str, Result | None] = {}
    differs = False
    for pin in SUITES:
        result = results[pin] = run(arguments.distributions, pin, arguments.limit)
        changed = (
            differing(result.without, result.under) if result else [f"a run did not end within {arguments.limit:.0f} seconds"]
        )
        print(pin, *(changed or ["every test says the same"]), sep="\n", flush=True)
        differs = differs or bool(changed)
    PAGE.write_text(page(results, arguments.limit), encoding="utf-8")
    raise SystemExit(differs)


if __name__ == "__main__":
    main()
