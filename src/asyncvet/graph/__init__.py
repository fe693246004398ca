"""Facts of all modules -> `Project`: names resolved across modules, types of values, call edges, execution contexts."""

from __future__ import annotations

from collections.abc import Mapping

from asyncvet.catalogue import Catalogue
from asyncvet.facts.tree import ModuleFacts
from asyncvet.graph.library import Library
from asyncvet.graph.observed_calls import Edges
from asyncvet.graph.project import Project, Statistics

__all__ = ["Project", "Statistics", "link"]


def link(
    modules: Mapping[str, ModuleFacts],
    catalogue: Catalogue,
    package: str = "",
    library: Library | None = None,
    observed: Edges | None = None,
) -> Project:
    """Link the facts of a project.

    Args:
        modules: Facts by posix path, relative to the root of the review.
        catalogue: What the calls of libraries do.
        package: Dotted name of the package that the root itself is; empty if it is none.
        library: Installed packages whose sources may be read where the catalogue knows nothing of them.
        observed: Calls that were seen at run time, for places where nothing else tells what is called.
    """
    return Project(modules, catalogue, package, library, observed)
