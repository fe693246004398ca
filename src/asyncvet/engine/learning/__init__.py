"""Derive a catalogue file from the source of an installed distribution: what its public functions do to their caller.

The blocking calls that it finds are those of the standard library and of other distributions that the catalogue knows, as far down
the chain of calls as the source goes, also through other packages of the environment. Only what a call surely comes to is told. What
is written in C, or made at run time, it cannot see.
"""

from __future__ import annotations

from asyncvet.catalogue import Catalogue
from asyncvet.config import UsageError
from asyncvet.engine.environment import Environment
from asyncvet.engine.learning.certainty import Certainty
from asyncvet.engine.learning.classes import Classes
from asyncvet.engine.learning.distribution import Distribution, find_distribution
from asyncvet.engine.learning.draft import Draft, draft
from asyncvet.engine.learning.interface import Interface
from asyncvet.engine.learning.outcomes import Outcomes
from asyncvet.engine.learning.writing import toml
from asyncvet.graph import link

__all__ = ["Distribution", "derive", "find_distribution", "learn", "toml"]


def learn(distribution: str, environment: Environment) -> str:
    """A catalogue file, as TOML, for a distribution that is installed in an environment.

    Raises:
        UsageError: It is not installed there, or has no Python source.
    """
    found = find_distribution(distribution, environment.folder)
    if not found.modules:
        raise UsageError(f"{distribution}: the distribution has no Python source to learn from")
    return toml(found, derive(found, Catalogue.stated(), environment))


def derive(distribution: Distribution, catalogue: Catalogue, environment: Environment | None = None) -> Draft:
    """What the source of a distribution tells of its public functions and classes.

    Args:
        distribution: What to read.
        catalogue: What is known of the libraries that it calls.
        environment: Where to read the source of those of which the catalogue knows nothing.
    """
    project = link(distribution.modules, catalogue, library=environment)
    interface = Interface(project, catalogue)
    certainty = Certainty(project, project.functions)
    outcomes = Outcomes(certainty)
    return draft(interface, outcomes, Classes(project, catalogue, interface, outcomes), catalogue)
