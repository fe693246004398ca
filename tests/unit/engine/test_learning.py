"""What `asyncvet learn` derives from an installed distribution."""

from pathlib import Path

import pytest

from asyncvet.config import UsageError
from asyncvet.engine.environment import Environment, find
from asyncvet.engine.learning import learn

FILES = {
    "remote/__init__.py": "from remote._client import Client, AsyncClient\nfrom remote.files import size\n",
    "remote/_client.py": (
        "import requests\n\n\nclass Client:\n"
        "    def __init__(self, url):\n        self.session = requests.Session()\n        self.url = url\n\n"
        "    def fetch(self):\n        return self._get()\n\n"
        "    def _get(self):\n        return self.session.get(self.url)\n\n"
        "    def name(self):\n        return self.url\n\n\n"
        "class AsyncClient:\n    async def fetch(self):\n        return 1\n"
    ),
    "remote/files.py": "import os\n\n\ndef size(path):\n    return os.stat(path).st_size\n\n\ndef double(number):\n    return 2 * number\n",
    "remote-1.2.dist-info/METADATA": "Name: remote\nVersion: 1.2\n",
}

LEARNED = """\
distribution = "remote"
version = "1.2"

[[api]]
names = ["remote.AsyncClient.fetch"]
is_async = true

[[api]]
names = ["remote.size"]
effect = "blocks"
category = "metadata"
stall = "short"
why = "reaches os.stat"

[[api]]
names = ["remote.Client.fetch"]
effect = "blocks"
category = "network"
stall = "unbounded"
why = "reaches requests.Session.get"
"""


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """A virtual environment in which a small distribution is installed."""
    folder = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "remote-1.2.dist-info" / "RECORD").write_text("".join(f"{name},,\n" for name in FILES))
    found = find(tmp_path / "env", tmp_path)
    assert found is not None
    return found


def test_public_functions_are_summarised(environment: Environment) -> None:
    """Private names are left out, re-exported ones go by their shortest path, harmless ones need no entry."""
    assert learn("Remote", environment) == LEARNED


def test_a_distribution_that_is_not_there(environment: Environment) -> None:
    """The message names the environment and says what to do."""
    with pytest.raises(UsageError) as error:
        learn("other", environment)
    expected = (
        f"other: there is no such distribution in {environment.folder}; install it there or name another environment by --python"
    )
    assert str(error.value) == expected


def test_no_environment(tmp_path: Path) -> None:
    """A folder with no packages is no environment."""
    with pytest.raises(UsageError) as error:
        find(tmp_path, tmp_path)
    assert str(error.value) == f"{tmp_path}: this is no Python environment: it holds no site-packages folder"
