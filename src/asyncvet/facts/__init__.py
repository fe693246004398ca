"""What one file of Python says on its own: the only package that touches a parser."""

from asyncvet.facts import tree
from asyncvet.facts.extraction import extract
from asyncvet.facts.tree import ModuleFacts

__all__ = ["ModuleFacts", "extract", "tree"]
