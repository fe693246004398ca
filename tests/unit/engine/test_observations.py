"""Observations beside predictions: whole reports over a small project and what was seen of it."""

import dataclasses
from pathlib import Path

import pytest

from asyncvet.config import Settings, UsageError
from asyncvet.engine import Report, review
from asyncvet.engine.observations import Places
from asyncvet.engine.observed import Observed, read
from asyncvet.model import MissedAlarm, Seen
from asyncvet.monitor.observation import Observation, StackFrame, encode

APP = """\
import time
from fastapi import FastAPI
from vendor import fetch, table

app = FastAPI()

@app.get("/items")
async def items():
    return slow()

@app.get("/other")
async def other():
    time.sleep(1)

def slow():
    time.sleep(2)

@app.get("/vendor")
async def vendor():
    return fetch("x")

@app.get("/table/{name}")
async def dynamic(name):
    return table[name]()

@app.get("/own")
async def own():
    return sum(range(10**8))

def dispatched():
    time.sleep(3)
"""


def seen(
    *stack: tuple[int, str], call: str = "time.sleep", path: str = "/srv/service/app/main.py", **fields: object
) -> Observation:
    """An observation on a machine where the project lies elsewhere."""
    frames = tuple(StackFrame(path, line, function) for line, function in stack)
    blank = Observation(kind="stall", primitive=call, category="", stack=frames, call=call, seconds=0.1, request="GET /items")
    return dataclasses.replace(blank, **fields)  # type: ignore[arg-type]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text(APP)
    return tmp_path


def reviewed(project: Path, *observations: Observation, learn: bool = False, select: tuple[str, ...] = ("AV101",)) -> Report:
    return review([project], Settings(cache=False, select=select), root=project, observed=Observed(observations, (), learn))


def marks(report: Report) -> list[tuple[int, Seen | None]]:
    """Line and what was seen of it, of each finding in its order."""
    return [(finding.span.line, finding.seen) for finding in report.findings]


def test_marked_and_sorted(project: Path) -> None:
    """What took longest comes first; what was not seen stays behind, by place."""
    many = [seen((9, "items"), (16, "slow"), seconds=number / 100) for number in range(1, 101)]
    assert marks(reviewed(project)) == [(9, None), (13, None)]
    once = seen((13, "other"), seconds=0.5, request="GET /other")
    report = reviewed(project, once)
    assert marks(report) == [(13, Seen(1, 0.5, 0.5, ("GET /other",))), (9, None)]
    report = reviewed(project, once, *many)
    assert [(line, mark and (mark.times, round(mark.seconds, 6), mark.p95, mark.requests)) for line, mark in marks(report)] == [
        (9, (100, 50.5, 0.95, ("GET /items",))),
        (13, (1, 0.5, 0.5, ("GET /other",))),
    ]
    assert report.notes[-1] == "101 observations: 101 of findings"
    assert report.missed_alarms == ()
    assert [cause[0].span.line for cause in report.causes] == [9, 13]


def test_kept_report_is_not_taken(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that is kept from an earlier review knows nothing of what was seen, and what was seen is not kept in it."""
    monkeypatch.setenv("ASYNCVET_CACHE_DIR", str(tmp_path / "cache"))
    settings = Settings(select=("AV101",))
    observed = Observed((seen((13, "other")),))
    reports = [review([project / "app"], settings, root=project, observed=each) for each in (None, observed, None)]
    assert [[line for line, mark in marks(report) if mark] for report in reports] == [[], [13], []]


def test_calls_together(project: Path) -> None:
    """Calls that one observation stands for are all counted, with an equal share of its time."""
    (first, _) = marks(reviewed(project, seen((9, "items"), (16, "slow"), calls=4, seconds=2.0)))
    assert first == (9, Seen(4, 2.0, 0.5, ("GET /items",)))


def test_missed(project: Path) -> None:
    """What was seen and not predicted, each with what was not known, the longest first."""
    report = reviewed(
        project,
        seen((20, "vendor"), call="vendor.client.fetch", seconds=0.4, category="network"),
        seen((24, "dynamic"), (31, "dispatched"), seconds=0.3),
        seen((28, "own"), call="builtins.sum", seconds=0.2, category="cpu"),
    )
    assert report.missed_alarms == (
        MissedAlarm(
            path="app/main.py",
            line=20,
            function="vendor",
            call="vendor.client.fetch",
            seen=Seen(1, 0.4, 0.4, ("GET /items",)),
            reason="the catalogue does not know `vendor.client.fetch`",
            entry='distribution = "vendor"\nversion = "unknown"\n\n'
            '[[api]]\nnames = ["vendor.client.fetch"]\neffect = "blocks"\ncategory = "network"\n'
            'why = "was seen to wait on the event loop"',
        ),
        MissedAlarm(
            path="app/main.py",
            line=31,
            function="dispatched",
            call="time.sleep",
            seen=Seen(1, 0.3, 0.3, ("GET /items",)),
            reason="the call at app/main.py:24 is not known to run `dispatched` (app/main.py); `--learn-edges` adds it",
        ),
        MissedAlarm(
            path="app/main.py",
            line=28,
            function="own",
            call="builtins.sum",
            seen=Seen(1, 0.2, 0.2, ("GET /items",)),
            reason="`own` computes in its own code, of which no rule speaks",
        ),
    )
    assert report.notes[-1] == "3 observations: 3 missed alarms"


def test_entry_is_valid(project: Path) -> None:
    """The entry that is proposed is one that the catalogue takes, and with it nothing is missed."""
    observation = seen((20, "vendor"), call="vendor.fetch", category="network")
    (alarm,) = reviewed(project, observation).missed_alarms
    (project / "vendor.toml").write_text(alarm.entry)
    settings = Settings(cache=False, select=("AV101",), catalogue=(project / "vendor.toml",))
    report = review([project / "app"], settings, root=project, observed=Observed((observation,)))
    assert [(line, mark is not None) for line, mark in marks(report)] == [(20, True), (9, False), (13, False)]
    assert report.missed_alarms == ()


def test_learnt(project: Path) -> None:
    """A call that was left open is followed where it was seen, if that is asked for; then nothing is missed."""
    observation = seen((24, "dynamic"), (31, "dispatched"), seconds=0.3)
    assert [line for line, _ in marks(reviewed(project, observation))] == [9, 13]
    report = reviewed(project, observation, learn=True)
    assert [line for line, _ in marks(report)] == [24, 9, 13]
    assert report.missed_alarms == ()


def test_known_call_is_not_overruled(project: Path) -> None:
    """Where something else tells what is called, what was seen adds nothing: the line may have changed since."""
    wrong = seen((9, "items"), (31, "dispatched"))
    report = reviewed(project, wrong, learn=True)
    assert [[frame.line for frame in finding.chain] for finding in report.findings] == [[9, 16], [13]]


def test_not_selected(project: Path) -> None:
    """What is found and not reported is no missed alarm, nor is what no code of the project answers for."""
    silenced = APP.replace("time.sleep(1)", "time.sleep(1)  # asyncvet: ignore[AV101] once a day")
    (project / "app" / "main.py").write_text(silenced)
    elsewhere = seen((1, "f"), path="/usr/lib/elsewhere.py")
    nobody = dataclasses.replace(elsewhere, stack=(), category="descheduled")
    report = reviewed(project, seen((13, "other")), elsewhere, nobody)
    assert (marks(report), report.missed_alarms) == ([(9, None)], ())
    assert report.notes[-1] == "3 observations: 1 of findings, 2 without a place in what was read"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("app/main.py", "app/main.py"),
        ("/srv/app/main.py", "app/main.py"),
        ("main.py", None),  # two files end so
        ("/other/main.py", None),
        ("routes.py", "app/routes.py"),
        ("<string>", None),
    ],
)
def test_places(path: str, found: str | None) -> None:
    """A file is known by the end of its path, if that tells it from all others."""
    assert Places(["app/main.py", "worker/main.py", "app/routes.py"], Path("/nowhere")).file(path) == found


def test_broken_lines(tmp_path: Path) -> None:
    """What can be read is used; each line that cannot is told, the first few one by one."""
    lines = [encode(seen((1, "f"))), '{"version": 2}', "[]", "", encode(seen((2, "f")))[:50], *["x"] * 6]
    (tmp_path / "seen").write_text("\n".join(lines))
    observed = read([tmp_path / "seen"])
    assert observed.observations == (seen((1, "f")),)
    assert [error.message.partition(": ")[2][:24] for error in observed.errors] == [
        "line 2: version 2, and o",
        "line 3: not an object of",
        "line 5: not a whole line",
        "line 6: not a whole line",
        "line 7: not a whole line",
        "4 more lines",
    ]


def test_unreadable(tmp_path: Path) -> None:
    """A file that is not there, or holds nothing that can be read, ends the review with what is wrong."""
    with pytest.raises(UsageError, match="seen: cannot be read: No such file or directory"):
        read([tmp_path / "seen"])
    (tmp_path / "seen").write_text('{"version": 2}\n')
    with pytest.raises(
        UsageError, match="seen: holds no observation that can be read: line 1: version 2, and only 1 can be read"
    ):
        read([tmp_path / "seen"])
    (tmp_path / "seen").write_text("")
    assert read([tmp_path / "seen"]) == Observed()
