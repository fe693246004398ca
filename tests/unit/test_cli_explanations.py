"""`asyncvet why` and `asyncvet graph` as commands: what they print, write, and say about bad input."""

import json
from pathlib import Path

import pytest

from tests.unit.commands import run

SOURCE = "import time\n\nasync def main():\n    nap()\n\ndef nap():\n    time.sleep(1)\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: one file."""
    (tmp_path / "app.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_why(capsys: pytest.CaptureFixture[str]) -> None:
    """The answer goes to standard output; a column, as reports give it, does no harm."""
    text = """\
app.py:4
    nap()

async def app.main  (app.py:3)
  runs on the event loop: async def main, which nothing that was read calls

  nap()  (column 5)
    runs app.nap  (app.py:6)
    reaches time.sleep, which blocks its thread (sleep, unbounded)
      │ app.py:4  nap()
      ╰ app.py:7  time.sleep(...)
    → reported: AV101 blocking-call, critical, on this line

findings on this line:
  4:5: AV101 blocking-call critical: `nap()` blocks the event loop for up to 1 s: it reaches `time.sleep`; \
use `await asyncio.to_thread(nap)`
"""
    assert run(capsys, "why", "app.py:4") == (0, text, "")
    assert run(capsys, "why", "app.py:4:5", ".") == (0, text, "")


def test_why_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "why", "app.py:7", "--format", "json")
    content = json.loads(out)
    assert (status, err, content["schema_version"], content["path"], content["line"]) == (0, "", 1, "app.py", 7)
    (part,) = content["parts"]
    assert part["runs"]["contexts"] == ["event-loop"]
    assert [run["chain"][0]["text"] for run in part["runs"]["shown"]] == ["nap()"]
    assert [reason["kind"] for call in part["calls"] for reason in call["reasons"]] == ["told-elsewhere"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("why", "app.py"), "argument FILE:LINE: `app.py` is not a file, a colon and the number of a line"),
        (("why", "app.py:x"), "argument FILE:LINE: `app.py:x` is not a file, a colon and the number of a line"),
        (("why", "gone.py:1"), "asyncvet: error: gone.py: there is no such file"),
        (("why", "app.py:8"), "asyncvet: error: app.py: there is no line 8; the file has 7"),
        (("why", "app.py:1", "gone"), "asyncvet: error: gone: there is no such file or folder"),
        (("graph", "gone"), "asyncvet: error: no function is called `gone`"),
        (("graph", "nap", "--depth", "0"), "argument --depth: `0` is not a whole number above 0"),
        (("graph", "nap", "--output", "x.png"), "x.png: can be drawn into a file whose name ends in .svg, .dot, .json only"),
        (("graph", "nap", "--output", "gone/x.svg"), "gone/x.svg: cannot be written: No such file or directory"),
    ],
)
def test_bad_input(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out, said in err) == (2, "", True), err


def test_graph(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "graph", "nap") == (
        0,
        "app.nap  app.py:6  [event-loop]\n"
        "called by:\n"
        "  app.main  app.py:3  [event-loop]\n"
        "calls:\n"
        "  time.sleep  [blocks, sleep, unbounded]\n",
        "",
    )


@pytest.mark.parametrize(("suffix", "start"), [("svg", "<svg "), ("dot", "digraph "), ("json", "{\n"), ("SVG", "<svg ")])
def test_graph_into_a_file(suffix: str, start: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The end of its name tells the form."""
    assert run(capsys, "graph", "app.nap", "--output", f"calls.{suffix}") == (0, "", "")
    assert (project / f"calls.{suffix}").read_text(encoding="utf-8").startswith(start)
