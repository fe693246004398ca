"""Which settings count for which file."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from asyncvet.config import PathSettings, Settings, UsageError, load
from asyncvet.engine import review
from asyncvet.engine.accepting import accept
from asyncvet.model import Severity
from asyncvet.report import Report

BLOCKING = "import os\nimport time\n\n\nasync def main():\n    time.sleep(1)\n    os.stat('.')\n"


ONCE = """\
import time
from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app):
    time.sleep(1)
    yield


app = FastAPI(lifespan=lifespan)
"""


def make(root: Path, **files: str) -> None:
    """Files by path, with `__` for a slash and `_` before the suffix for a dot."""
    for name, text in files.items():
        file = root / f"{name.replace('__', '/').removesuffix('_toml').removesuffix('_py')}.{name.rpartition('_')[2]}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def found(report: Report) -> list[tuple[str, str, str]]:
    return [(finding.span.path, finding.code, finding.severity.word) for finding in report.findings]


def checked(root: Path, *paths: str, select: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    """What a check finds in folders, with the configuration of the folder that holds all of them."""
    settings = load(root)
    if select:
        settings = replace(settings, select=select, nested=lambda own: replace(own, select=select))
    return found(review([root / path for path in paths or (".",)], settings, root=root))


def test_a_file_is_governed_by_the_nearest_configuration_alone(tmp_path: Path) -> None:
    make(
        tmp_path,
        asyncvet_toml='ignore = ["AV102"]\nexclude = ["old/"]\n',
        a_py=BLOCKING,
        service__asyncvet_toml='ignore = ["AV101"]\nmin-severity = "low"\n',
        service__b_py=BLOCKING,
        service__old__c_py=BLOCKING,
        service__inner__d_py=BLOCKING,
        old__e_py=BLOCKING,
    )
    assert checked(tmp_path) == [
        ("a.py", "AV101", "critical"),
        ("service/b.py", "AV102", "low"),
        ("service/inner/d.py", "AV102", "low"),
        ("service/old/c.py", "AV102", "low"),
    ]
    assert checked(tmp_path, "service/inner", "service/old") == [
        ("service/inner/d.py", "AV102", "low"),
        ("service/old/c.py", "AV102", "low"),
    ]
    assert [path for path, _, _ in checked(tmp_path, select=("AV101",))] == ["a.py"], "what is ignored there stays so"


def test_patterns_of_a_nested_configuration_are_relative_to_it(tmp_path: Path) -> None:
    make(
        tmp_path,
        asyncvet_toml="",
        service__asyncvet_toml='exclude = ["/gen/"]\n[per-path."/api/"]\nignore = ["AV101"]\n',
        service__gen__a_py=BLOCKING,
        service__api__b_py=BLOCKING,
        api__c_py=BLOCKING,
        gen__d_py=BLOCKING,
    )
    assert [(path, code) for path, code, _ in checked(tmp_path)] == [
        ("api/c.py", "AV101"),
        ("gen/d.py", "AV101"),
        ("api/c.py", "AV102"),
        ("gen/d.py", "AV102"),
        ("service/api/b.py", "AV102"),
    ]


def test_linking_knows_no_borders_and_what_one_configuration_states_counts_everywhere(tmp_path: Path) -> None:
    entry = '[[api]]\nnames = ["acme.fetch"]\neffect = "blocks"\ncategory = "network"\nwhy = "waits"\n'
    make(
        tmp_path,
        asyncvet_toml='[severity]\nblocking-call = "high"\n',
        app_py="import client.net\n\n\nasync def main():\n    client.net.get()\n",
        client__asyncvet_toml=entry,
        client__net_py="import acme\n\n\ndef get():\n    acme.fetch()\n",
        other__asyncvet_toml=entry,
        other__x_py="x = 1\n",
    )
    assert checked(tmp_path) == [("app.py", "AV101", "high")]


def test_include_tests_is_that_of_the_folder(tmp_path: Path) -> None:
    make(
        tmp_path,
        asyncvet_toml='select = ["AV101"]\n',
        tests__test_a_py=BLOCKING,
        service__asyncvet_toml='select = ["AV101"]\ninclude-tests = true\n',
        service__tests__test_b_py=BLOCKING,
    )
    assert [path for path, _, _ in checked(tmp_path)] == ["service/tests/test_b.py"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), ["app/a.py AV101", "lib/b.py AV101", "app/a.py AV102", "lib/b.py AV102"]),
        (
            Settings(per_path=(PathSettings(pattern="app/", ignore=("AV1",)),)),
            ["lib/b.py AV101", "lib/b.py AV102"],
        ),
        (
            Settings(select=("AV101",), per_path=(PathSettings(pattern="app/", ignore=("AV1",)),)),
            ["lib/b.py AV101"],
        ),
        (
            Settings(ignore=("AV101",), per_path=(PathSettings(pattern="*/b.py", select=("AV101",)),)),
            ["lib/b.py AV101", "app/a.py AV102", "lib/b.py AV102"],
        ),
        (
            Settings(per_path=(PathSettings(pattern="*.py", ignore=("AV101",)), PathSettings(pattern="lib/", select=("AV101",)))),
            ["lib/b.py AV101", "app/a.py AV102", "lib/b.py AV102"],
        ),
        (
            Settings(per_path=(PathSettings(pattern="app/", min_severity=Severity.CRITICAL),)),
            ["app/a.py AV101", "lib/b.py AV101", "lib/b.py AV102"],
        ),
    ],
)
def test_what_is_said_for_a_path_goes_before_what_is_said_for_all(
    settings: Settings, expected: list[str], tmp_path: Path
) -> None:
    make(tmp_path, app__a_py=BLOCKING, lib__b_py=BLOCKING)
    report = review([tmp_path], settings, root=tmp_path)
    assert [f"{path} {code}" for path, code, _ in found(report)] == expected


def test_a_severity_of_ones_own_keeps_what_lowers_a_finding(tmp_path: Path) -> None:
    make(tmp_path, a_py=ONCE, asyncvet_toml='select = ["AV101"]\n')
    assert checked(tmp_path) == [("a.py", "AV101", "high")]
    make(tmp_path, asyncvet_toml='select = ["AV101"]\n[severity]\nAV101 = "medium"\n')
    assert checked(tmp_path) == [("a.py", "AV101", "low")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('ignore = ["AV999"]', "there is no rule `AV999`; did you mean `AV109`?"),
        ('per-path."a/".ignore = ["zzz"]', "there is no rule `zzz`; `asyncvet rule` lists them all"),
        ('severity.AV1 = "low"', "`severity`: there is no rule `AV1`; did you mean `AV801`?"),
        ("jbos = 1", "there is no setting `jbos`; did you mean `jobs`?"),
    ],
)
def test_a_mistake_in_a_nested_configuration_is_told_with_its_file(text: str, message: str, tmp_path: Path) -> None:
    make(tmp_path, a_py="", asyncvet_toml="", service__asyncvet_toml=text, service__b_py="")
    with pytest.raises(UsageError) as error:
        checked(tmp_path)
    assert str(error.value) == f"{tmp_path}/service/asyncvet.toml: {message}"


def test_entries_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    make(
        tmp_path,
        a_py="",
        asyncvet_toml='offloads = ["acme.run"]\n',
        service__asyncvet_toml='[[api]]\nnames = ["acme.run"]\neffect = "calls"\nargument = [0]\n',
        service__b_py="",
    )
    with pytest.raises(UsageError) as error:
        checked(tmp_path)
    assert str(error.value) == f'{tmp_path}/service/asyncvet.toml: api "acme.run" is already in {tmp_path}/asyncvet.toml'


def test_a_kept_report_is_not_taken_when_a_configuration_or_the_baseline_has_changed(tmp_path: Path) -> None:
    make(tmp_path, asyncvet_toml="", a_py=BLOCKING, service__asyncvet_toml="", service__b_py=BLOCKING)
    everything = ["a.py AV101", "service/b.py AV101", "a.py AV102", "service/b.py AV102"]

    def reported() -> list[str]:
        return [f"{path} {code}" for path, code, _ in checked(tmp_path)]

    assert (reported(), reported()) == (everything, everything)
    make(tmp_path, service__asyncvet_toml='ignore = ["AV1"]\n')
    assert reported() == ["a.py AV101", "a.py AV102"]
    (tmp_path / "service" / "asyncvet.toml").unlink()
    assert reported() == everything
    accept([tmp_path], load(tmp_path), tmp_path / "asyncvet-baseline.json", root=tmp_path)
    assert (reported(), reported()) == ([], [])
    (tmp_path / "asyncvet-baseline.json").write_text('{"version": 1}')
    assert reported() == everything
