"""What the command line says of itself: help, examples, completion, the manual page; and what it does not import for that."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asyncvet.cli import COMMANDS, command, parser
from asyncvet.cli.completing import SHELLS
from scripts import manual
from tests.unit.commands import run

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_it_understands(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    examples = command(name).examples
    for line in examples:
        words = shlex.split(line.partition(" > ")[0].rpartition("| ")[2])
        assert words[0] == "asyncvet"
        assert parser().parse_args(words[1:]).command == name
    status, out, _ = run(capsys, name, "--help")
    assert (status, bool(examples)) == (0, True)
    assert [line for line in examples if f"\n  {line}  " not in out] == []


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--help")
    words = " ".join(out.split())
    assert (status, [name for name in COMMANDS if f"{name} {command(name).summary}" not in words]) == (0, [])


def test_the_manual_page_is_fresh() -> None:
    """`make golden` writes it anew."""
    assert manual.PAGE.read_text(encoding="utf-8") == manual.manual()


def test_the_manual_page_is_roff() -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    result = subprocess.run(["mandoc", "-T", "lint", "-W", "error", manual.PAGE], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--version"], {"asyncvet.engine", "asyncvet.graph", "asyncvet.rules", "rich"}),
        (["rule", "AV101"], {"asyncvet.engine", "rich"}),
        (["rule"], {"asyncvet.engine", "rich"}),
        (["check", "examples/shop", "--exit-zero"], {"rich", "shtab", "asyncvet.engine.learning", "asyncvet.report.html"}),
    ],
)
def test_what_is_slow_to_import_is_imported_where_it_is_needed(arguments: list[str], unwanted: set[str]) -> None:
    code = (
        "import sys\nfrom asyncvet.cli import main\n"
        f"try:\n    main({arguments})\nexcept SystemExit:\n    pass\n"
        f"print(sorted({unwanted} & set(sys.modules)), file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert result.stderr == "[]\n"


def completed(shell: str, script: Path, line: str) -> list[str]:
    """What a shell proposes for the last word of a line, by the script."""
    if shell == "bash":
        words = [*shlex.split(line), *([""] if line.endswith(" ") else [])]
        code = f"""
            source {shlex.quote(str(script))}
            COMP_WORDS=({" ".join(map(shlex.quote, words))}); COMP_CWORD={len(words) - 1}
            COMP_LINE={shlex.quote(line)}; COMP_POINT={len(line)}
            _shtab_asyncvet asyncvet {shlex.quote(words[-1])} 2>/dev/null
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        command = ["bash", "--norc", "-c", code]
    else:
        command = ["fish", "--no-config", "-c", f"source {shlex.quote(str(script))}; complete -C {shlex.quote(line)}"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return [proposal.split("\t")[0].strip() for proposal in result.stdout.splitlines()]


@pytest.mark.parametrize("shell", SHELLS)
def test_completion(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Commands, options and choices are completed; a shell that is not installed is left out."""
    status, out, err = run(capsys, "completion", shell)
    assert (status, err) == (0, "")
    script = tmp_path / "asyncvet"
    script.write_text(out, encoding="utf-8")
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n", str(script)], check=True)
    if shell == "zsh":  # it completes at a terminal only
        return
    assert completed(shell, script, "asyncvet re") == ["review"]
    assert completed(shell, script, "asyncvet check --stat") == ["--statistics"]
    assert completed(shell, script, "asyncvet check --format sa") == ["sarif"]
    (tmp_path / "settings.toml").touch()
    wanted = f"asyncvet check --config {tmp_path}/sett"
    assert completed(shell, script, wanted) == [f"{tmp_path}/settings.toml"]


def test_completion_of_another_shell(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "completion", "cmd")
    assert (status, err.splitlines()[-1].replace("'", "")) == (  # quotes as the interpreter's version has them
        2,
        "asyncvet completion: error: argument shell: invalid choice: cmd (choose from bash, zsh, fish)",
    )
