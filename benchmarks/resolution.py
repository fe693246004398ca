"""Count the calls on the event loop that could not be resolved: `resolution.py FOLDER...`, a folder an unpacked package.

A call is *unresolved* if nothing is known of what it calls. It *may be internal* if something in the package has the name that it
calls, and strings, lists and dictionaries have no method of this name: `.get(...)` of something unknown is a dictionary's far more often
than the package's own. That is still more than those that really call the package's code. The share is of these in all calls that are
known to run the package's code, and these.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from asyncvet.config import Settings
from asyncvet.engine.loading import load
from asyncvet.facts import tree
from asyncvet.graph import Project
from asyncvet.graph.scopes import last_name

_COMMON = frozenset((*dir(dict), *dir(list), *dir(str)))


@dataclass(frozen=True, slots=True)
class Counts:
    """Calls in the functions that the event loop runs."""

    calls: int
    unresolved: int
    internal: int
    may_be_internal: int

    @property
    def share(self) -> float:
        """How much of the package's own calls is unresolved at most."""
        return self.may_be_internal / max(1, self.internal + self.may_be_internal)


def count(project: Project) -> Counts:
    """Count a project's calls."""
    defined = {scope.name for module in project.modules.values() for scope in (*module.functions, *module.classes)} - _COMMON
    sites = [site for function in project.loop_functions for site in project.sites(function)]
    calls = [(site, site.node) for site in sites if isinstance(site.node, tree.Call)]
    unresolved = [node for site, node in calls if not site.is_resolved]
    return Counts(
        len(calls),
        len(unresolved),
        sum(bool(site.targets) for site, _ in calls),
        sum(last_name(node.func) in defined for node in unresolved),
    )


def main(folders: list[str]) -> int:
    """Print a table in Markdown, one line a package."""
    print("| package | calls on the loop | unresolved | run the package's code | unresolved that may | share at most |")
    print("|---|---|---|---|---|---|")
    for folder in map(Path, folders):
        counts = count(load([folder], Settings(), folder, lambda *_: None).project)
        figures = (
            f"{counts.calls:,} | {counts.unresolved:,} | {counts.internal:,} | {counts.may_be_internal:,} | {counts.share:.1%}"
        )
        print(f"| {folder.name} | {figures} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
