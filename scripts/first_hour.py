"""The first hour with asyncvet, as a new user has it: on khoj, from the installation to a pull request that fails.

Run as `make first-hour`: it downloads khoj, builds a wheel of this checkout, runs the commands of the tutorial's section in a folder of
their own, and writes what they print and how long they take into the tutorial.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tutorial.md"
SERVICE = "khoj==1.42.10"
SECTION = re.compile(r"(?<=<!-- first hour -->\n).*?(?=\n<!-- end of the first hour -->)", re.DOTALL)
_SECONDS = re.compile(r", \d+\.\d s(?=;|$)", re.MULTILINE)
"""What a report says of its own time: that of the step is told below it."""

HELPER = "khoj/utils/helpers.py"
BEFORE = "        self.capacity = capacity\n"
AFTER = '        self.capacity = requests.get("http://settings.internal/lru", timeout=5).json()\n'


class Step(NamedTuple):
    """What a person does: a sentence, the commands, and the status that the last one exits with."""

    why: str
    commands: tuple[str, ...]
    status: int = 0
    edit: bool = False


STEPS = (
    Step("Install it, in an environment of its own.", ("python -m venv ~/tools", "~/tools/bin/pip install --quiet asyncvet")),
    Step("See what there is.", ("asyncvet check | tail -2",)),
    Step("Have a configuration written that fits.", ("asyncvet init",)),
    Step(
        "Accept what stands, and commit both files.",
        (
            "asyncvet baseline",
            "git add asyncvet.toml asyncvet-baseline.json",
            'git commit --quiet --message "Review async code with asyncvet"',
        ),
    ),
    Step("From now on the check passes. This line is the job of the continuous integration:", ("asyncvet check",)),
    Step(
        "A pull request: the size of a cache shall come from a settings service. Its author looks at `khoj/utils/helpers.py` alone, where\n"
        "nothing is asynchronous.",
        ("git switch --quiet --create settings-service", "git diff --unified=0 | tail -2"),
        edit=True,
    ),
    Step("The job of the pull request:", ("asyncvet check",), status=1),
)


def main() -> int:
    """Write the section of the tutorial anew."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        prepare(home)
        text, total = played(home)
    page = PAGE.read_text(encoding="utf-8")
    python = ".".join(map(str, sys.version_info[:2]))
    end = f"All of it took {total:.0f} s of one processor, with Python {python}; to it comes the download."
    PAGE.write_text(SECTION.sub(lambda _: f"\n{text}\n{end}\n", page), encoding="utf-8")
    return 0


def prepare(home: Path) -> None:
    """A wheel of this checkout, and khoj in a repository of its own."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(home / "wheels"), str(ROOT)], check=True)
    subprocess.run([*pip, "download", "--no-deps", "--dest", str(home / "khoj-wheel"), SERVICE], check=True)
    (file,) = (home / "khoj-wheel").iterdir()
    with zipfile.ZipFile(file) as archive:
        archive.extractall(home / "service")
    for command in ("git init --quiet --initial-branch=main", "git add .", "git commit --quiet --message 'khoj 1.42.10'"):
        subprocess.run(command, shell=True, cwd=home / "service", env=environment(home), check=True)


def environment(home: Path) -> dict[str, str]:
    """That of a new user: nothing cached, no settings of git."""
    (wheel,) = (home / "wheels").glob("*.whl")
    return {
        "PATH": f"{home / 'tools' / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "COLUMNS": "100",
        "WHEEL": str(wheel),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **{key: value for key, value in os.environ.items() if key.startswith(("PIP_", "SSL_", "LANG", "LC_"))},
        **{f"GIT_{who}_{what}": "dev@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


def played(home: Path) -> tuple[str, float]:
    """The steps as text, and the processor's seconds for all of them."""
    parts = []
    total = 0.0
    for step in STEPS:
        if step.edit:
            file = home / "service" / HELPER
            text = file.read_text(encoding="utf-8")
            if BEFORE not in text:
                raise RuntimeError(f"{HELPER} is not what it was")
            file.write_text(text.replace(BEFORE, AFTER), encoding="utf-8")
        printed, seconds = _run(step, home)
        total += seconds
        parts.append(f"{step.why}\n\n```shell-session\n{printed}```\n\n({seconds:.1f} s)")
    return "\n\n".join(parts) + "\n", total


def _run(step: Step, home: Path) -> tuple[str, float]:
    """What the commands of a step print, below each of them, and the seconds of the processor that they take."""
    shown = []
    seconds = 0.0
    for command in step.commands:
        before = _processor_seconds()
        real = command.replace("--quiet asyncvet", '--quiet "$WHEEL"')
        result = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {real}"],
            cwd=home / "service",
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        seconds += _processor_seconds() - before
        expected = 1 if command.startswith("asyncvet check |") else step.status if command == step.commands[-1] else 0
        if result.returncode != expected:
            raise RuntimeError(f"{command} exits with {result.returncode}: {result.stdout}")
        shown.append(f"$ {command}\n{_SECONDS.sub('', result.stdout)}")
    return "".join(shown), seconds


def _processor_seconds() -> float:
    """What the commands have cost so far: it does not depend on what else the machine does."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


if __name__ == "__main__":
    sys.exit(main())
