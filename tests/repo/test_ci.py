"""What continuous integration takes from the repository does what its page says: its shell steps are run, in real git repositories."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from asyncvet.report import formats
from asyncvet.report.markdown import MARKER

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "how-to" / "continuous-integration.md").read_text(encoding="utf-8")
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
SLEEP = "import time\n\n\ndef pause():\n    time.sleep(1)\n"
ROUTE = "from .clock import pause\n\n\nasync def wait():\n    pause()\n"
GH = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$GH_LOG"
case "$*" in *--paginate*) cat "$GH_COMMENT" ;; esac
"""


def load(path: str) -> Any:  # noqa: ANN401
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


class Server:
    """A folder with a checkout, in which steps run as a server of continuous integration runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkout = folder / "checkout"
        self.bin = folder / "asyncvet" / "bin"
        self.bin.mkdir(parents=True)
        self.environment = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT / "src"),
            "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
            "GIT_CONFIG_SYSTEM": os.devnull,
        }
        self.program("asyncvet", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m asyncvet "$@"\n')
        (folder / "gitconfig").write_text("[user]\nname = A\nemail = a@example.org\n[init]\ndefaultBranch = main\n")

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def run(self, script: str, **environment: str) -> tuple[int, str]:
        """Status and output of a step."""
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        result = subprocess.run(
            command,
            cwd=self.checkout,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return result.returncode, result.stdout

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=cwd or self.checkout, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str], message: str) -> str:
        for name, text in files.items():
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            (self.checkout / name).write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """A project whose last commit lets an old route reach a sleep that another, unchanged one reached already."""
    server = Server(tmp_path)
    server.checkout.mkdir()
    server.git("init", "--quiet")
    old = "from .clock import pause\n\n\nasync def old():\n    pause()\n"
    server.commit(
        {"app/__init__.py": "", "app/clock.py": SLEEP, "app/old.py": old, "app/new.py": "async def wait():\n    pass\n"}, "base"
    )
    server.commit({"app/new.py": ROUTE}, "change")
    return server


def resolved(text: object, known: Mapping[str, str]) -> str:
    """A text with the expressions in it replaced; one that is not known is a fault of the test."""
    return EXPRESSION.sub(lambda found: known[" ".join(found[1].split())], str(text))


class Action:
    """The steps of action.yml, run on a server; a step that takes another action is not."""

    def __init__(self, server: Server, inputs: Mapping[str, str], base: str = "") -> None:
        content = load("action.yml")
        self.steps = {step["name"]: step for step in content["runs"]["steps"]}
        self.server = server
        given = {name: str(value["default"]) for name, value in content["inputs"].items()} | dict(inputs)
        self.known = {f"inputs.{name}": value for name, value in given.items()} | {
            "inputs.changed-only == 'true' && github.event.pull_request.base.sha || ''": base
            if given["changed-only"] == "true"
            else "",
            "github.repository": "example/service",
            "github.event.pull_request.number": "7",
        }
        self.files = {name: server.folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GH_LOG", "GH_COMMENT")}
        for file in self.files.values():
            file.touch()

    def run(self, name: str) -> tuple[int, str]:
        step = self.steps[name]
        environment = {key: resolved(value, self.known) for key, value in step["env"].items()}
        files = {key: str(file) for key, file in self.files.items()}
        assert not EXPRESSION.search(step["run"]), "what comes from outside goes by the environment"
        status, output = self.server.run(step["run"], RUNNER_TEMP=str(self.server.folder), **files, **environment)
        for line in self.files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            self.known[f"steps.check.outputs.{key}"] = value
        return status, output


ANNOTATION = (
    "::error file=app/{name}.py,line=5,endLine=5,col=5,endColumn=12,title=AV101 blocking-call (critical)::"
    "`pause()` blocks the event loop for up to 1 s: it reaches `time.sleep`%0Ause `await asyncio.to_thread(pause)`%0A"
    "app/{name}.py:5 {function}: pause()%0Aapp/clock.py:5 pause: time.sleep(1)%0Ablocks: sleep, at most 1 s"
)


def test_action_on_a_pull_request(server: Server, tmp_path: Path) -> None:
    """A shallow checkout gets the history it lacks; what the change brings about is shown in all ways, and fails the job at the end."""
    base = server.git("rev-parse", "HEAD~")
    server.git("clone", "--quiet", "--depth=1", f"file://{server.checkout}", str(tmp_path / "shallow"), cwd=tmp_path)
    server.checkout = tmp_path / "shallow"
    action = Action(server, {"options": "--select AV1"}, base)
    status, output = action.run("Check")
    assert (status, output.splitlines()) == (
        0,
        [ANNOTATION.format(name="new", function="wait"), "1 finding from 1 root cause: 1 critical"],
    )
    sarif = json.loads((tmp_path / "asyncvet.sarif").read_text(encoding="utf-8"))
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in sarif["runs"][0]["results"]]
    markdown = (tmp_path / "asyncvet.md").read_text(encoding="utf-8")
    assert (places, markdown.splitlines()[0]) == (["app/new.py"], MARKER)
    assert action.files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8") == markdown
    assert (action.known["steps.check.outputs.sarif"], action.run("Result")) == (str(tmp_path / "asyncvet.sarif"), (1, ""))


def test_action_on_a_branch(server: Server) -> None:
    """Everything is reported; words of the inputs are words, whatever they hold."""
    action = Action(server, {"paths": "app $(touch owned)", "options": "--select AV1"})
    status, output = action.run("Check")
    assert (status, output) == (0, "asyncvet: error: $(touch: there is no such file or folder\n")
    assert action.run("Result") == (2, "")
    assert not (server.checkout / "owned").exists()
    action.files["GITHUB_OUTPUT"].write_text("")
    action.known["inputs.paths"] = "app"
    status, output = action.run("Check")
    assert (status, output.splitlines()) == (
        0,
        [
            ANNOTATION.format(name="new", function="wait"),
            ANNOTATION.format(name="old", function="old"),
            "2 findings from 1 root cause: 2 critical",
        ],
    )


def test_action_keeps_one_comment(server: Server) -> None:
    """The first run makes it, the next one writes it anew."""
    server.program("gh", GH)
    action = Action(server, {})
    action.run("Check")
    asked = f'api --paginate repos/example/service/issues/7/comments --jq .[] | select(.body | startswith("{MARKER}")) | .id'
    body = f"--field body=@{server.folder / 'asyncvet.md'}"
    assert action.run("Comment") == (0, "")
    action.files["GH_COMMENT"].write_text("42\n43\n")
    assert action.run("Comment") == (0, "")
    assert action.files["GH_LOG"].read_text(encoding="utf-8").splitlines() == [
        asked,
        f"api --silent --method POST repos/example/service/issues/7/comments {body}",
        asked,
        f"api --silent --method PATCH repos/example/service/issues/comments/42 {body}",
    ]


def test_every_input_of_the_action_is_used() -> None:
    content = load("action.yml")
    used = {name for found in EXPRESSION.findall(str(content["runs"])) for name in re.findall(r"inputs\.([\w-]+)", found)}
    assert used == set(content["inputs"])
    outputs = {name for found in EXPRESSION.findall(str(content)) for name in re.findall(r"steps\.check\.outputs\.(\w+)", found)}
    assert outputs == {"status", "sarif", "markdown"}


@pytest.mark.parametrize(("since", "expected"), [(True, ["app/new.py"]), (False, ["app/new.py", "app/old.py"])])
def test_gitlab(since: bool, expected: list[str], server: Server) -> None:
    """The job writes the reports that it keeps; in a merge request, of what it brings about."""
    job = load("templates/gitlab.yml")["asyncvet"]
    environment = {**job["variables"], "CI_PROJECT_DIR": str(server.checkout), "ASYNCVET_OPTIONS": "--select AV1"}
    if since:
        environment["CI_MERGE_REQUEST_DIFF_BASE_SHA"] = server.git("rev-parse", "HEAD~")
    status, _ = server.run("\n".join(job["script"]), **environment)
    kept = {name: server.checkout / path for name, path in job["artifacts"]["reports"].items()}
    issues = json.loads(kept["codequality"].read_text(encoding="utf-8"))
    suites = [suite.get("name") for suite in ET.parse(kept["junit"]).getroot()]
    assert (status, [issue["location"]["path"] for issue in issues], suites) == (1, expected, expected)
    assert [path for path in job["artifacts"]["paths"] if not (server.checkout / path).is_file()] == []
    subprocess.run(["bash", "-n", "-c", "\n".join(job["before_script"])], check=True)


def test_pre_commit(server: Server) -> None:
    """One hook speaks of the project, the other of what is about to be committed."""
    hooks = {hook["id"]: hook["entry"] for hook in load(".pre-commit-hooks.yaml")}
    assert list(hooks) == ["asyncvet", "asyncvet-changed"]
    status, output = server.run(f"{hooks['asyncvet']} --select AV1")
    assert (status, output.splitlines()[-3]) == (1, "2 findings from 1 root cause: 2 critical")
    status, output = server.run(hooks["asyncvet-changed"])
    assert (status, output.splitlines()[0]) == (0, "No findings")
    (server.checkout / "app" / "third.py").write_text(ROUTE)
    server.git("add", "--all")
    status, output = server.run(f"{hooks['asyncvet-changed']} --select AV1")
    assert (status, output.splitlines()[0]) == (1, "app/third.py:5:5: AV101 blocking-call critical")


def test_the_page() -> None:
    """What its examples name is there."""
    workflow, steps, gitlab, hooks = (
        yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    )
    (used,) = (step["with"] for step in workflow["jobs"]["asyncvet"]["steps"] if step["uses"].startswith("example/asyncvet@"))
    assert set(used) <= set(load("action.yml")["inputs"])
    assert [step["run"].split()[:2] for step in steps] == [["pip", "install"], ["asyncvet", "check"]]
    assert (ROOT / gitlab["include"][0]["file"]).is_file()
    assert set(gitlab["asyncvet"]["variables"]) <= set(load("templates/gitlab.yml")["asyncvet"]["variables"])
    assert {hook["id"] for hook in hooks["repos"][0]["hooks"]} <= {hook["id"] for hook in load(".pre-commit-hooks.yaml")}
    rows = re.findall(r"^\| (`[a-z]+`(?:, `[a-z]+`)*) \| ", PAGE, flags=re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall("`([a-z]+)`", row)) == list(formats())


def test_any_other_server(server: Server) -> None:
    """The plain commands of the page, run as they stand there but for the installation."""
    (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    install, command = block.strip().split("\n")
    assert install == "pip install asyncvet"
    (server.checkout / "src").symlink_to("app")
    server.git("update-ref", "refs/remotes/origin/main", "HEAD~")
    status, output = server.run(command)
    assert (status, [name for name in ("asyncvet.xml", "asyncvet.html") if not (server.checkout / name).is_file()]) == (1, [])
    assert "1 finding from 1 root cause: 1 critical" in output
    assert shutil.which("asyncvet", path=str(server.bin))
