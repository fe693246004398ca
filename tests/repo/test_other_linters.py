"""The page for those who come from another linter says what is so."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from asyncvet import rules
from asyncvet.config import Settings
from asyncvet.engine import review
from tests.repo.test_docs import page

PAGE = page("how-to/other-linters.md")
RUFF = re.findall(
    r"^\| ([A-Z]+\d+) ([\w-]+) \| (?:(AV\d+) ([\w-]+)|–) \|", PAGE.partition("## From flake8-async")[0], flags=re.MULTILINE
)

IMPORTS = "import asyncio\nimport os\nimport pathlib\nimport subprocess\nimport time\n\nimport httpx\nimport requests\n\n\n"
ALIKE = {
    "ASYNC110": """\
ready = False


def get():
    global ready
    ready = True


async def main():
    while not ready:
        await asyncio.sleep(1)


async def other():
    get()
""",
    "ASYNC210": "async def main():\n    requests.get('http://example.org', timeout=1)\n",
    "ASYNC212": "async def main():\n    client = httpx.Client()\n    client.get('http://example.org')\n    client.close()\n",
    "ASYNC220": "async def main():\n    subprocess.Popen(['ls'])\n",
    "ASYNC221": "async def main():\n    subprocess.run(['ls'])\n",
    "ASYNC222": "async def main():\n    os.waitpid(0, 0)\n",
    "ASYNC230": "async def main():\n    with open('file') as file:\n        await use(file)\n",
    "ASYNC240": "async def main():\n    pathlib.Path('file').exists()\n",
    "ASYNC250": "async def main():\n    input('name')\n",
    "ASYNC251": "async def main():\n    time.sleep(1)\n",
    "RUF006": "async def main():\n    asyncio.create_task(work())\n    await work()\n\n\nasync def work():\n    await asyncio.sleep(1)\n",
    "B904": "async def main():\n    try:\n        await work()\n    except Exception as e:\n        raise LookupError('no')\n",
    "BLE001": "async def main():\n    try:\n        await work()\n    except Exception:\n        pass\n",
}
"""Code that ruff reports by each of the rules that have one of asyncvet beside them."""


def test_every_rule_that_is_named_exists() -> None:
    known = {(rule.code, rule.name) for rule in rules.load()}
    named = re.findall(r"\b(AV\d+) ([a-z]+(?:-[a-z]+)+)", PAGE)
    assert len(named) > 30
    assert set(named) - known == set()
    assert set(re.findall(r"\bAV\d{3}\b", PAGE)) == {code for code, _ in named}


def test_every_rule_of_ruff_about_async_code_is_there() -> None:
    """By its name and code; so that a new release of ruff shows what is missing."""
    listed = subprocess.run(
        [sys.executable, "-m", "ruff", "rule", "--all", "--output-format", "json"], capture_output=True, check=True
    )
    known = {(rule["code"], rule["name"]) for rule in json.loads(listed.stdout)}
    asynchronous = {(code, name) for code, name in known if code is not None and code.startswith("ASYNC")}
    named = {(code, name) for code, name, _, _ in RUFF}
    assert (named - known, asynchronous - named) == (set(), set())


def test_every_rule_of_flake8_async_is_there_once() -> None:
    table = PAGE.partition("## From flake8-async")[2].partition("```")[0]
    codes: list[int] = []
    for first, last in re.findall(
        r"ASYNC(\d{3})(?: to ASYNC(\d{3}))?", "\n".join(re.findall(r"^\| (ASYNC[^|]*) \|", table, flags=re.MULTILINE))
    ):
        codes += range(int(first), int(last or first) + 1)
    expected = {
        *range(100, 107),
        *range(109, 117),
        *range(118, 129),
        200,
        *range(210, 213),
        *range(220, 223),
        *range(230, 233),
        240,
    }
    assert sorted(codes) == sorted(expected | {250, 251, 300, 400, 401, 900, *range(910, 914)})


@pytest.mark.parametrize(("code", "rule"), [(code, rule) for code, _, rule, _ in RUFF if rule])
def test_what_ruff_reports_is_reported_in_its_place(code: str, rule: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(IMPORTS + ALIKE[code])
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--preview",
        "--select",
        code,
        "--output-format",
        "json",
    ]
    result = subprocess.run([*command, "app.py"], cwd=tmp_path, capture_output=True, check=False)
    assert {finding["code"] for finding in json.loads(result.stdout)} == {code}
    found = review([tmp_path], Settings(select=(rule,), cache=False), root=tmp_path)
    assert {finding.code for finding in found.findings} == {rule}
