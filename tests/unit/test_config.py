"""Configuration: where it is found, what it gives, and what is said about a wrong one."""

from pathlib import Path

import pytest

from asyncvet.config import Settings, UsageError, hint, load, load_file, nearest
from asyncvet.model import Severity

EVERYTHING = """
select = ["AV1", "dropped-task"]
ignore = ["AV102"]
min-severity = "medium"
exclude = ["migrations/"]
include-tests = true
jobs = 2
catalogue = ["ours.toml"]
"""


def test_every_setting_is_read(tmp_path: Path) -> None:
    (tmp_path / "asyncvet.toml").write_text(EVERYTHING)
    assert load(tmp_path) == Settings(
        select=("AV1", "dropped-task"),
        ignore=("AV102",),
        min_severity=Severity.MEDIUM,
        exclude=("migrations/",),
        include_tests=True,
        jobs=2,
        catalogue=(tmp_path / "ours.toml",),
        base=tmp_path,
    )


def test_without_a_configuration_the_defaults_hold(tmp_path: Path) -> None:
    assert load(tmp_path) == Settings()


def test_the_nearest_configuration_counts_and_a_pyproject_without_the_table_does_not(tmp_path: Path) -> None:
    inner = tmp_path / "service" / "app"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.asyncvet]\njobs = 1\n")
    (tmp_path / "service" / "pyproject.toml").write_text("[project]\nname = 'service'\n")
    (inner / "main.py").touch()
    assert load(inner / "main.py") == Settings(jobs=1, base=tmp_path)
    (tmp_path / "service" / "asyncvet.toml").write_text("jobs = 3\n")
    assert load(inner / "main.py") == Settings(jobs=3, base=tmp_path / "service")


def test_asyncvet_toml_goes_before_pyproject_toml(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.asyncvet]\njobs = 1\n")
    (tmp_path / "asyncvet.toml").write_text("jobs = 2\n")
    assert load(tmp_path) == Settings(jobs=2, base=tmp_path)


def test_a_file_named_by_the_user_needs_no_special_name(tmp_path: Path) -> None:
    file = tmp_path / "strict.toml"
    file.write_text("jobs = 4\n")
    assert load_file(file) == Settings(jobs=4, base=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = []", ": there is no setting `selct`; did you mean `select`?"),
        (
            "zzz = 1",
            ": there is no setting `zzz`; known are cache, catalogue, exclude, ignore, include-tests, jobs, min-severity, python, select",
        ),
        ('select = "AV1"', ": `select`: must be a list of strings, not a string"),
        ("ignore = [1]", ": `ignore`: must be a list of strings, not a list of other things"),
        ("min-severity = 3", ": `min-severity`: must be a string, not a whole number"),
        (
            'min-severity = "hi"',
            ": `min-severity`: there is no severity `hi`; the severities are low, medium, high, critical",
        ),
        ("include-tests = 1", ": `include-tests`: must be true or false, not a whole number"),
        ("jobs = true", ": `jobs`: must be a whole number, not true or false"),
        ("jobs = -1", ": `jobs`: must not be negative"),
        ("jobs = 2020-01-01", ": `jobs`: must be a whole number, not a date or time"),
        ("jobs = 1\nexclude = [\n", ":2: not valid TOML: Invalid value"),
        ("jobs = 1\nselect = AV1\n", ":2:10: not valid TOML: Invalid value"),
        ("jobs = 1\njobs = 2", ":2: not valid TOML: Cannot overwrite a value"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "asyncvet.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as error:
        load(tmp_path)
    assert str(error.value) == f"{file}{message}"


def test_text_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_bytes(b"name = '\xff'")
    with pytest.raises(UsageError) as error:
        load(tmp_path)
    assert str(error.value) == f"{file}: is not UTF-8, as TOML must be (byte 8)"


def test_a_named_file_must_be_there_and_speak_of_asyncvet(tmp_path: Path) -> None:
    missing, other = tmp_path / "no.toml", tmp_path / "pyproject.toml"
    other.write_text("[project]\n")
    with pytest.raises(UsageError) as error:
        load_file(missing)
    assert str(error.value) == f"{missing}: cannot be read: No such file or directory"
    with pytest.raises(UsageError) as error:
        load_file(other)
    assert str(error.value) == f"{other}: there is no table [tool.asyncvet]"


@pytest.mark.parametrize("content", ["tool = 1", "[tool]\nasyncvet = 1"])
def test_a_table_of_the_wrong_kind(content: str, tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(content)
    if content == "tool = 1":
        assert load(tmp_path) == Settings()
        return
    with pytest.raises(UsageError) as error:
        load(tmp_path)
    assert str(error.value) == f"{file}: `tool.asyncvet` must be a table"


def test_nearest_names_the_word_that_was_meant() -> None:
    assert [nearest(word, ["AV101", "AV999"]) for word in ("av1o1", "x")] == ["AV101", ""]
    assert [hint(word, ["AV999", "AV101"]) for word in ("av1o1", "x")] == ["did you mean `AV101`?", "known are AV101, AV999"]
