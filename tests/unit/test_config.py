"""Configuration: where it is found, what it gives, and what is said about a wrong one."""

import tomllib
from pathlib import Path

import jsonschema
import msgspec
import pytest

from asyncvet.catalogue.schema import Api, CatalogueFile, Type
from asyncvet.config import BASELINE, PathSettings, Settings, UsageError, as_written, hint, load, load_file, nearest, schema
from asyncvet.config.form import Form
from asyncvet.model import Severity

EVERYTHING = """
select = ["AV1", "dropped-task"]
ignore = ["AV102"]
min-severity = "medium"
exclude = ["migrations/"]
include-tests = true
require-reason = false
baseline = "ci/accepted.json"
catalogue = ["ours.toml"]
offloads = ["acme.pool.run"]
python = ".venv"
jobs = 2
cache = false

[severity]
AV101 = "high"
busy-wait = "medium"

[per-path."scripts/"]
ignore = ["AV101"]
min-severity = "high"

[per-path."/app/api/*.py"]
select = ["AV805"]

[[api]]
names = ["acme.fetch"]
effect = "blocks"
category = "network"
why = "waits for the billing server"

[[type]]
names = ["acme.Client"]
closed_by = ["close"]
"""


def read(file: Path, jobs: int) -> Settings:
    """Settings as `load` gives them, read from a file that sets the number of processes."""
    return Settings(jobs=jobs, base=file.parent, file=file, nested=as_written)


def test_every_setting_is_read(tmp_path: Path) -> None:
    (tmp_path / "asyncvet.toml").write_text(EVERYTHING)
    assert load(tmp_path) == Settings(
        select=("AV1", "dropped-task"),
        ignore=("AV102",),
        min_severity=Severity.MEDIUM,
        exclude=("migrations/",),
        include_tests=True,
        require_reason=False,
        baseline=tmp_path / "ci" / "accepted.json",
        catalogue=(tmp_path / "ours.toml",),
        entries=CatalogueFile(
            distribution="asyncvet.toml",
            version="",
            api=(
                Api(names=("acme.fetch",), effect="blocks", category="network", why="waits for the billing server"),
                Api(names=("acme.pool.run",), effect="offloads", argument=("func", "function", "fn", "f", "target", 0)),
            ),
            type=(Type(names=("acme.Client",), closed_by=("close",)),),
        ),
        python=tmp_path / ".venv",
        jobs=2,
        cache=False,
        severity={"AV101": Severity.HIGH, "busy-wait": Severity.MEDIUM},
        per_path=(
            PathSettings(pattern="scripts/", ignore=("AV101",), min_severity=Severity.HIGH),
            PathSettings(pattern="/app/api/*.py", select=("AV805",)),
        ),
        base=tmp_path,
        file=tmp_path / "asyncvet.toml",
        nested=as_written,
    )


def test_the_settings_that_are_read_are_those_that_can_be_written() -> None:
    written = {field.name for field in msgspec.structs.fields(Form)} - {"offloads", "api", "type"}
    assert written == set(Settings.__struct_fields__) - {"entries", "base", "file", "nested"}


def test_a_baseline_beside_the_configuration_counts_without_being_named(tmp_path: Path) -> None:
    inner = tmp_path / "service"
    inner.mkdir()
    (tmp_path / BASELINE).touch()
    assert load(inner).baseline == tmp_path / BASELINE, "without a configuration, the nearest one at or above"
    (inner / "asyncvet.toml").touch()
    assert load(inner).baseline is None
    (inner / BASELINE).touch()
    assert load(inner).baseline == inner / BASELINE


def test_without_a_configuration_the_defaults_hold(tmp_path: Path) -> None:
    assert load(tmp_path) == Settings(nested=as_written)


def test_the_nearest_configuration_counts_and_a_pyproject_without_the_table_does_not(tmp_path: Path) -> None:
    inner = tmp_path / "service" / "app"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.asyncvet]\njobs = 1\n")
    (tmp_path / "service" / "pyproject.toml").write_text("[project]\nname = 'service'\n")
    (inner / "main.py").touch()
    assert load(inner / "main.py") == read(tmp_path / "pyproject.toml", jobs=1)
    (tmp_path / "service" / "asyncvet.toml").write_text("jobs = 3\n")
    assert load(inner / "main.py") == read(tmp_path / "service" / "asyncvet.toml", jobs=3)


def test_asyncvet_toml_goes_before_pyproject_toml(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.asyncvet]\njobs = 1\n")
    (tmp_path / "asyncvet.toml").write_text("jobs = 2\n")
    assert load(tmp_path) == read(tmp_path / "asyncvet.toml", jobs=2)


def test_a_file_named_by_the_user_needs_no_special_name(tmp_path: Path) -> None:
    file = tmp_path / "strict.toml"
    file.write_text("jobs = 4\n")
    assert load_file(file) == Settings(jobs=4, base=tmp_path, file=file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = []", ": there is no setting `selct`; did you mean `select`?"),
        (
            "zzz = 1",
            ": there is no setting `zzz`; known are api, baseline, cache, catalogue, exclude, ignore, include-tests, jobs, "
            "min-severity, offloads, per-path, python, require-reason, select, severity, type",
        ),
        ('select = "AV1"', ": `select`: must be a list, not a string"),
        ("ignore = [1]", ": `ignore[0]`: must be a string, not a whole number"),
        ("min-severity = 3", ": `min-severity`: must be a string, not a whole number"),
        ('min-severity = "hi"', ": `min-severity`: there is no severity `hi`; did you mean `high`?"),
        ("severity = 3", ": `severity`: must be a table, not a whole number"),
        ('severity.AV101 = "x"', ": `severity`: there is no severity `x`; known are critical, high, low, medium"),
        ("per-path = []", ": `per-path`: must be a table, not a list"),
        ('per-path."a/" = 3', ': `per-path."a/"`: must be a table, not a whole number'),
        ('per-path."a/".ignroe = []', ': `per-path."a/"`: there is no setting `ignroe`; did you mean `ignore`?'),
        ('per-path."a/".ignore = [3]', ': `per-path."a/".ignore[0]`: must be a string, not a whole number'),
        (
            'per-path."a/".min-severity = "hgih"',
            ': `per-path."a/".min-severity`: there is no severity `hgih`; did you mean `high`?',
        ),
        ("baseline = true", ": `baseline`: must be a string, not true or false"),
        ('offloads = ["pool run"]', ": `offloads`: `pool run` is not the dotted name of a function"),
        (
            'api = [{names = ["a.b"], effect = "block"}]',
            ': api entry 1 ("a.b"), key "effect": "block" is not one of its words; did you mean "blocks"?',
        ),
        ('api = [{names = ["a.b"], effect = "blocks"}]', ': api entry 1 ("a.b"): effect "blocks" needs the key "category"'),
        ("type = [{nams = []}]", ': type entry 1: unknown key "nams"; did you mean "names"?'),
        ("include-tests = 1", ": `include-tests`: must be true or false, not a whole number"),
        ("jobs = true", ": `jobs`: must be a whole number, not true or false"),
        ("jobs = -1", ": `jobs`: must be 0 or more"),
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


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        (EVERYTHING, True),
        ("", True),
        ("selct = []", False),
        ("ignore = [1]", False),
        ('min-severity = "hi"', False),
        ('severity.AV101 = "x"', False),
        ('per-path."a/".ignroe = []', False),
        ("jobs = -1", False),
        ("jobs = true", False),
        ('api = [{names = ["a.b"], effect = "block"}]', False),
        ("type = [{nams = []}]", False),
    ],
)
def test_the_schema_holds_of_what_can_be_read_and_of_nothing_else(text: str, is_valid: bool) -> None:
    jsonschema.Draft7Validator.check_schema(schema.schema())
    assert jsonschema.Draft7Validator(schema.schema()).is_valid(tomllib.loads(text)) is is_valid


def test_every_key_of_the_schema_says_what_it_means() -> None:
    parts = {"": schema.schema(), **schema.schema()["definitions"]}
    keys = [(name, key, "description" in value) for name, part in parts.items() for key, value in part["properties"].items()]
    undescribed = {(name, key) for name, key, is_described in keys if not is_described}
    assert undescribed == {("Condition", key) for name, key, _ in keys if name == "Condition"}, (
        "its docstring tells of all at once"
    )


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
        assert load(tmp_path) == Settings(nested=as_written)
        return
    with pytest.raises(UsageError) as error:
        load(tmp_path)
    assert str(error.value) == f"{file}: `tool.asyncvet` must be a table"


def test_nearest_names_the_word_that_was_meant() -> None:
    assert [nearest(word, ["AV101", "AV999"]) for word in ("av1o1", "x")] == ["AV101", ""]
    assert [hint(word, ["AV999", "AV101"]) for word in ("av1o1", "x")] == ["did you mean `AV101`?", "known are AV101, AV999"]
