"""Asking git what changed. Only its own code runs: no hooks, no external diff programs, no file monitors, no shell."""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from asyncvet.config import UsageError
from asyncvet.engine.changes import WHOLE, Changes, Ranges, parse, strip_prefix

_OPTIONS = ("--no-pager", "-c", "core.fsmonitor=", "-c", f"core.hooksPath={os.devnull}")
_DIFF = (
    *("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--ignore-submodules=all"),
    *("-U0", "--src-prefix=a/", "--dst-prefix=b/"),
)


def since(revision: str, folder: Path) -> Changes:
    """What has changed since a revision, or since the current branch left it, up to the files as they are now.

    New files count as changed whether or not git knows them yet, unless it ignores them.

    Args:
        revision: Name of a commit.
        folder: A folder of the repository.

    Raises:
        UsageError: The folder is in no repository, there is no such revision, or git cannot tell.
    """
    top = _top(folder)
    if revision.startswith("-") or not revision.strip():
        raise UsageError(f"there is no revision `{revision}`")
    commit = _ask(top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if not commit:
        raise UsageError(f"there is no revision `{revision}` in {top}; if it is a branch of a shallow clone, fetch it")
    base = _ask(top, "merge-base", os.fsdecode(commit), "HEAD")
    if not base:
        raise UsageError(f"the current branch and `{revision}` have no commit in common; in a shallow clone, fetch more of it")
    lines: dict[str, Ranges] = {}
    for patch in parse(_run(top, *_DIFF, os.fsdecode(base), "--"), "git diff"):
        lines[os.path.realpath(top / strip_prefix(patch.path))] = patch.changed
    for path in _run(top, "ls-files", "-z", "--others", "--exclude-standard").split(b"\0"):
        if path:
            lines[os.path.realpath(top / os.fsdecode(path))] = WHOLE
    return Changes(lines)


def unrecoverable(files: Sequence[Path]) -> dict[Path, str]:
    """The files that git could not give back as they are now, with the reason: changed, unknown to it, or in no repository.

    Raises:
        UsageError: Git cannot be run.
    """
    found: dict[Path, str] = {}
    by_top: defaultdict[Path | None, list[Path]] = defaultdict(list)
    for file in files:
        by_top[top_of(file.resolve().parent)].append(file)
    for top, inside in by_top.items():
        if top is None:
            found |= dict.fromkeys(inside, "it is in no git repository; --allow-dirty edits it all the same")
            continue
        changed = _uncommitted(top)
        for file in inside:
            if file.resolve() in changed or not _is_tracked(top, file.resolve()):
                found[file] = "it has changes that are not committed; commit them, or use --allow-dirty"
    return found


def _uncommitted(top: Path) -> set[Path]:
    entries = _run(top, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=all")
    return {(top / os.fsdecode(entry[3:])).resolve() for entry in entries.split(b"\0") if entry}


def _is_tracked(top: Path, file: Path) -> bool:
    return bool(_ask(top, "ls-files", "--error-unmatch", "--", f":(literal){file.relative_to(top.resolve())}"))


def top_of(folder: Path) -> Path | None:
    """The folder that holds the repository of a folder; None if it is in none."""
    return next((around for around in (folder, *folder.parents) if (around / ".git").exists()), None)


def _top(folder: Path) -> Path:
    answer = _git(folder, "rev-parse", "--show-toplevel")
    if answer.returncode:
        reason = os.fsdecode(answer.stderr).strip().partition("\n")[0].removeprefix("fatal: ")
        raise UsageError(f"{folder}: git cannot tell what changed: {reason}")
    return Path(os.fsdecode(answer.stdout.removesuffix(b"\n")))


def _ask(folder: Path, *arguments: str) -> bytes:
    """The answer of git on one line; empty if it has none."""
    answer = _git(folder, *arguments)
    return b"" if answer.returncode else answer.stdout.strip()


def _run(folder: Path, *arguments: str) -> bytes:
    answer = _git(folder, *arguments)
    if answer.returncode:
        raise UsageError(f"git {arguments[0]} failed: {os.fsdecode(answer.stderr).strip() or answer.returncode}")
    return answer.stdout


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    command = ["git", *_OPTIONS, "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        raise UsageError(f"git cannot be run: {error.strerror}") from error
