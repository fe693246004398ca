"""What `asyncvet learn` derives from an installed distribution."""

from pathlib import Path

import pytest

from asyncvet.config import UsageError
from asyncvet.engine.environment import Environment, find
from asyncvet.engine.learning import learn

FILES = {
    "remote/__init__.py": (
        "from remote._client import Client, AsyncClient\nfrom remote.files import size\nfrom remote.sheets import Sheet\n"
    ),
    "remote/_client.py": (
        "import requests\n\n\nclass Client:\n"
        "    def __init__(self, url):\n        self.session = requests.Session()\n        self.url = url\n\n"
        "    def fetch(self):\n        return self._get()\n\n"
        "    def fetch_within(self, timeout):\n        return self.session.get(self.url, timeout=timeout)\n\n"
        "    def _get(self):\n        return self.session.get(self.url)\n\n"
        "    def name(self):\n        return self.url\n\n\n"
        "class AsyncClient:\n    async def fetch(self):\n        return 1\n"
    ),
    "remote/files.py": "import os\n\n\ndef size(path):\n    return os.stat(path).st_size\n\n\ndef double(number):\n    return 2 * number\n",
    "remote/shop.py": (
        "from remote import Client\n\n\n"
        "class Shop:\n    def __init__(self):\n        self.client = Client('shop')\n\n"
        "    def open(self, wait=True, timeout=None):\n        if wait:\n            self.client.fetch()\n        return self\n\n"
        "    def wait(self, *, timeout=None):\n        return self.client.fetch_within(timeout)\n\n\n"
        "class Store(Shop):\n    def open(self):\n        return self\n\n\n"
        "def shop() -> Shop:\n    return Shop()\n"
    ),
    "remote/sheets.py": (
        "from remote import Client\n\n\nclass Sheet:\n"
        "    def __init__(self, client: Client):\n        self._client = client\n\n"
        + "".join(f"    def read_{n}(self):\n        self._client.fetch()\n\n" for n in range(8))
        + "    def close(self):\n        pass\n"
    ),
    "remote/_fast.cpython-311-x86_64-linux-gnu.so": "",
    "remote/tests/test_client.py": "def test_it():\n    pass\n",
    "remote-1.2.dist-info/METADATA": "Name: Remote\nVersion: 1.2\n",
}

LEARNED = """\
distribution = "Remote"
version = "1.2"
underivable = ["remote._fast"]

[[api]]
names = ["remote.Sheet.close"]

[[api]]
names = ["remote.Client.fetch_within"]
effect = "blocks"
category = "network"
bound = ["timeout", 0]
why = "reaches `requests.Session.get`"
returns = "requests.Response"

[[api]]
names = ["remote.shop.Shop.wait"]
effect = "blocks"
category = "network"
bound = ["timeout"]
why = "reaches `requests.Session.get`"
returns = "requests.Response"

[[api]]
names = ["remote.Sheet.*"]
effect = "blocks"
category = "network"
why = "reaches `requests.Session.get`"

[[api]]
names = ["remote.shop.Shop.open"]
effect = "blocks"
category = "network"
why = "reaches `requests.Session.get`"
only_if = [{ argument = "wait", position = 0, present = false }]
returns = "self"

[[api]]
names = ["remote.Client.fetch"]
effect = "blocks"
category = "network"
why = "reaches `requests.Session.get`"
returns = "requests.Response"

[[api]]
names = ["remote.AsyncClient.fetch"]
is_async = true

[[api]]
names = ["remote.shop.shop"]
returns = "remote.shop.Shop"

[[api]]
names = ["remote.shop.Store.open"]
returns = "self"

[[type]]
names = ["remote.Client"]
attributes = { session = "requests.Session" }

[[type]]
names = ["remote.shop.Shop"]
attributes = { client = "remote.Client" }

[[type]]
names = ["remote.shop.Store"]
bases = ["remote.shop.Shop"]

[alias]
"remote.sheets.Sheet" = "remote.Sheet"
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
    """What blocks, by the shortest path; harmless and private names and tests are left out; what tells of types is there."""
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
