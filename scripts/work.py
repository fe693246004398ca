"""Count what a review does, rather than the seconds that it takes: the same on every machine, however busy. `make golden` writes it.

What is counted are calls of asyncvet's own named functions, in all and at the seams that cost most. Instructions, as callgrind counts
them, would be those of one interpreter with one C library, and need a tool that is not everywhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

from asyncvet import engine
from asyncvet.config import Settings

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "shop"
SOURCE = str(ROOT / "src" / "asyncvet")
FILE = ROOT / "tests" / "golden" / "work.json"

SEAMS = {
    ("facts/extraction.py", "extract"): "files parsed",
    ("graph/calls.py", "Calls._call"): "calls resolved",
    ("graph/inference.py", "Inference.values"): "questions asked of inference",
}

Work = dict[str, dict[str, int]]
"""Counts by name, for a review that knows nothing, one after an edit of one file, and one after nothing has changed."""


def counted() -> Work:
    """The work, counted in a process of its own, in which sets have one order."""
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    command = [sys.executable, "-m", "scripts.work"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    work: Work = json.loads(done.stdout)
    return work


def _work() -> Work:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ASYNCVET_CACHE_DIR"] = f"{folder}/cache"
        project = Path(folder, "shop")
        shutil.copytree(EXAMPLE, project)

        def review() -> None:
            engine.review([project], Settings(jobs=1), root=project)

        work = {"cold": _calls(review)}
        with (project / "shop_api" / "main.py").open("a", encoding="utf-8") as file:
            file.write("x = 1\n")
        work["one file changed"] = _calls(review)
        work["nothing changed"] = _calls(review)
    return work


def _calls(review: Callable[[], None]) -> dict[str, int]:
    calls: Counter[CodeType] = Counter()

    def count(frame: FrameType, event: str, argument: object) -> None:  # noqa: ARG001
        if event == "call":
            calls[frame.f_code] += 1

    sys.setprofile(count)
    try:
        review()
    finally:
        sys.setprofile(None)
    work = dict.fromkeys([*SEAMS.values(), "functions called"], 0)
    for code, number in calls.items():
        # Comprehensions are functions in some versions of Python and not in others.
        if code.co_filename.startswith(SOURCE) and not code.co_name.startswith("<"):
            work["functions called"] += number
            seam = SEAMS.get((Path(code.co_filename).relative_to(SOURCE).as_posix(), code.co_qualname))
            if seam is not None:
                work[seam] += number
    return work


def main() -> None:
    """Print the work as JSON."""
    print(json.dumps(_work(), indent=2))


if __name__ == "__main__":
    main()
