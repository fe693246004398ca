"""Run every pattern under asyncvet's strict mode and write the page: `python -m harm.monitored`, or `make harm-monitored`.

A form that blocks the event loop has to be reported at the line of its fault and nowhere else; every other form not at all.
"""

import asyncio
import os
import platform
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from asyncvet.monitor.observation import Observation, read_observations
from asyncvet.monitor.programs import recording_environment

from harm.__main__ import measure
from harm.patterns import PATTERNS, Pattern

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "monitor-harm.md"
VARIANTS = "harm/variants.py"
CALLBACK_BOUND = 0.1
LOAD = "* in harm/health.py"
"""What is left alone: the process that asks for `/health` is no part of the service."""
FAULTS = {
    "blocking-open": ('with open(folder / file_id, "wb") as file:', "file.write(data)"),
    "sleep-in-a-handler": ("time.sleep(self._settings.status_interval)",),
    "requests-in-a-handler": ("requests.get(url, timeout=self._settings.request_timeout).raise_for_status()",),
    "load-on-the-loop": ("return cls(Encoder.load(folder))",),
    "parsing-on-the-loop": ("PdfReader(folder / file_id).pages[0].extract_text()",),
    "publish-on-the-loop": ("return task.apply_async(args=args, expires=expires)",),
}
"""The lines that block, of each variant that does. The others lose, delay or repeat something, and leave the loop free."""

_PACKAGES = ("fastapi", "uvicorn", "uvloop", "celery", "httpx", "requests", "tokenizers", "pypdf")
_COLUMNS = ("pattern", "line of the fault", "reported there", "calls seen there", "reported elsewhere", "in the good form")


@dataclass(frozen=True)
class Verdict:
    """What strict mode said of the two forms of a pattern.

    Attributes:
        lines: where the faults are, as ``path:line``; none of a form that does not block.
        bad: what was seen in the bad form.
        good: what was seen in the good form.
    """

    pattern: Pattern
    lines: list[str]
    bad: list[Observation]
    good: list[Observation]

    @property
    def reported(self) -> list[str]:
        """The lines of faults that were reported."""
        return [line for line in self.lines if line in map(_place, self.bad)]

    @property
    def elsewhere(self) -> list[Observation]:
        """What was reported and is no fault that was put in."""
        return [each for each in self.bad if _place(each) not in self.lines] + self.good

    @property
    def is_right(self) -> bool:
        """Whether each fault was reported, and nothing else."""
        return self.reported == self.lines and not self.elsewhere


def _place(observation: Observation) -> str:
    """Where in the bad forms it happened; where the user's innermost frame is, if in none of them."""
    frames = [frame for frame in observation.stack if frame.path == VARIANTS] or observation.stack
    return f"{frames[-1].path}:{frames[-1].line}" if frames else ""


def _lines(pattern: Pattern) -> list[str]:
    """Where the faults of a pattern are."""
    source = [line.strip() for line in (Path(__file__).parent / "variants.py").read_text(encoding="utf-8").splitlines()]
    return [f"{VARIANTS}:{source.index(fault) + 1}" for fault in FAULTS.get(pattern.name, ())]


def observed(pattern: Pattern, is_bad: bool) -> list[Observation]:
    """Run one form of a pattern with its load, and give what strict mode saw in its processes.

    Raises:
        RuntimeError: no process recorded, or what it wrote cannot be read.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="farm-monitored-") as folder:
        output, seen = Path(folder, "observations.jsonl"), Path(folder, "processes")
        seen.mkdir()
        os.environ.update(recording_environment(before, str(output), str(seen), (LOAD,), CALLBACK_BOUND))
        try:
            asyncio.run(measure(pattern, is_bad))
        finally:
            os.environ.clear()
            os.environ.update(before)
        if not any(seen.iterdir()):
            raise RuntimeError("no process was watched; asyncvet has to be installed in this environment")
        observations, faults = read_observations(output)
    if faults:
        raise RuntimeError(f"what was seen cannot be read: {faults[0]}")
    return observations


def judged(names: list[str]) -> list[Verdict]:
    """Run the patterns with these names, or all."""
    verdicts = []
    for pattern in PATTERNS:
        if not names or pattern.name in names:
            verdict = Verdict(pattern, _lines(pattern), observed(pattern, is_bad=True), observed(pattern, is_bad=False))
            said = ", ".join(verdict.reported) or "nothing reported"
            print(f"{pattern.title}: {said}: {'right' if verdict.is_right else 'WRONG'}", flush=True)
            for each in verdict.elsewhere:
                print(f"    {each.primitive} by {each.call} at {_place(each)}, {each.request}", flush=True)
            verdicts.append(verdict)
    return verdicts


def page(verdicts: list[Verdict]) -> str:
    """The page of the reference, in Markdown."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("asyncvet", *_PACKAGES))
    machine = textwrap.fill(f"This run: Python {platform.python_version()}, {packages}.", 130, break_on_hyphens=False)
    template = (Path(__file__).parent / "monitored.md").read_text(encoding="utf-8")
    return template.replace("<!-- machine -->", machine).replace("<!-- table -->", "\n".join(_table(verdicts)))


def _table(verdicts: list[Verdict]) -> Iterator[str]:
    yield f"| {' | '.join(_COLUMNS)} |"
    yield "|---|---|---|---|---:|---:|"
    for each in verdicts:
        title = f"[{each.pattern.title}](../harm.md#{each.pattern.anchor})"
        elsewhere = len(each.elsewhere) - len(each.good)
        if each.lines:
            lines = "<br>".join(f"`{line}`" for line in each.lines)
            is_there = "yes" if each.reported == each.lines else f"{len(each.reported)} of {len(each.lines)}"
            yield f"| {title} | {lines} | {is_there} | {_calls(each)} | {elsewhere} | {len(each.good)} |"
        else:
            yield f"| {title} | does not block | - | - | {elsewhere} | {len(each.good)} |"


def _calls(verdict: Verdict) -> str:
    """The primitives that were seen at the lines of faults, and how a callback that was too long is called."""
    here = [each for each in verdict.bad if _place(each) in verdict.lines]
    names = {f"`{each.primitive}`" for each in here if each.kind == "blocking-call"}
    computing = ["computing"] if any(each.category == "cpu" for each in here) else []
    return ", ".join([*sorted(names), *computing])


def main(names: list[str]) -> int:
    """Run the patterns with these names, or all and write the page; 1 if strict mode was wrong about one."""
    verdicts = judged(names)
    if not names:
        PAGE.write_text(page(verdicts), encoding="utf-8")
    return 0 if all(each.is_right for each in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
