"""The packaged extension: what is in it, and that its code needs nothing but the editor and Node."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
PACKAGE = FOLDER / "asyncvet.vsix"

LOAD = """
const Module = require("node:module");
const load = Module._load;
const needed = new Set();
const nothing = new Proxy(class {}, { get: (of, name) => (name === "prototype" ? of.prototype : nothing), apply: () => nothing });
Module._load = (name, ...rest) => {
    needed.add(name);
    return name === "vscode" ? nothing : load(name, ...rest);
};
const extension = require(process.argv[1]);
const missing = [...needed].filter((name) => name !== "vscode" && name !== process.argv[1] && !Module.isBuiltin(name));
console.log(JSON.stringify({ exported: Object.keys(extension).sort(), missing }));
"""


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The content of the package, by path."""
    with zipfile.ZipFile(PACKAGE) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def test_contents(files: dict[str, bytes]) -> None:
    """The package holds what runs and what people read, and no more."""
    assert sorted(files) == [
        "[Content_Types].xml",
        "extension.vsixmanifest",
        "extension/LICENSE.txt",
        "extension/dist/extension.js",
        "extension/package.json",
        "extension/readme.md",
    ]
    assert files["extension/LICENSE.txt"] == (ROOT / "LICENSE").read_bytes()
    assert files["extension/readme.md"] == (FOLDER / "README.md").read_bytes()
    assert len(files["extension/dist/extension.js"]) < 600_000


def test_manifest(files: dict[str, bytes]) -> None:
    """What the manifest promises is there: the code, and the settings and commands that the code knows."""
    manifest = json.loads(files["extension/package.json"])
    code = files[f"extension/{Path(manifest['main']).as_posix()}"].decode()
    source = (FOLDER / "src" / "extension.ts").read_text(encoding="utf-8")
    commands = [command["command"] for command in manifest["contributes"]["commands"]]
    assert sorted(re.findall(r'registerCommand\("([\w.]+)"', source)) == sorted(commands)
    settings = set(manifest["contributes"]["configuration"]["properties"]) - {"asyncvet.trace.server"}  # the client library's own
    assert {f"asyncvet.{name}" for name in re.findall(r'\.get<[^(]*>\("(\w+)"', source)} == settings
    assert [word for word in ("lsp", *commands) if f'"{word}"' not in code] == []


def test_version(files: dict[str, bytes]) -> None:
    """The extension has the version of the project."""
    (version,) = re.findall(
        r'^__version__ = "(.+)"', (ROOT / "src" / "asyncvet" / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert json.loads(files["extension/package.json"])["version"] == version


def test_code_loads(files: dict[str, bytes], tmp_path: Path) -> None:
    """The bundle loads beside nothing: every library is in it but the editor's own."""
    code = tmp_path / "extension.js"
    code.write_bytes(files["extension/dist/extension.js"])
    done = subprocess.run(["node", "-e", LOAD, str(code)], capture_output=True, text=True, check=False)
    assert (done.stderr, json.loads(done.stdout)) == ("", {"exported": ["activate", "deactivate"], "missing": []})


def test_server_starts_as_the_extension_starts_it() -> None:
    """The command that the extension runs is one that the server knows."""
    source = (FOLDER / "src" / "extension.ts").read_text(encoding="utf-8")
    (arguments,) = re.findall(r'args: \[((?:"[\w-]+", )+)\.\.\.', source)
    done = subprocess.run(
        [sys.executable, *json.loads(f"[{arguments.rstrip(', ')}]")], input="", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
