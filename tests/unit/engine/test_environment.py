"""Packages of the project's environment are read where the catalogue knows nothing of them."""

from pathlib import Path

from asyncvet.engine import Settings, review

LIBRARY = """\
import requests


class Client:
    def __init__(self, url):
        self.session = requests.Session()
        self.url = url

    def fetch(self):
        return self.session.get(self.url)

    def settings(self):
        return open("settings").read()
"""
SERVICE = """\
from remote import Client

client = Client('http://peer')


async def route():
    client.settings()
    return client.fetch()
"""


def install(root: Path) -> None:
    """Write the library into a virtual environment of the project, and the service beside it."""
    folder = root / ".venv" / "lib" / "python3.11" / "site-packages" / "remote"
    folder.mkdir(parents=True)
    (root / ".venv" / "pyvenv.cfg").write_text("")
    (folder / "__init__.py").write_text(LIBRARY)
    (root / "service.py").write_text(SERVICE)


def test_a_chain_through_an_installed_package(tmp_path: Path) -> None:
    """Network calls of a package are found through its source; what it does with its own files is its business."""
    install(tmp_path)
    report = review([tmp_path], Settings(select=("AV101",)), root=tmp_path)
    chains = [[(frame.path, frame.line, frame.function) for frame in finding.chain] for finding in report.findings]
    assert chains == [[("service.py", 8, "service.route"), ("site-packages/remote/__init__.py", 10, "remote.Client.fetch")]]


def test_without_the_environment_nothing_is_known(tmp_path: Path) -> None:
    """The same code with no environment: the call is taken as harmless."""
    install(tmp_path)
    (tmp_path / ".venv" / "pyvenv.cfg").unlink()
    assert review([tmp_path], Settings(select=("AV101",)), root=tmp_path).findings == ()
