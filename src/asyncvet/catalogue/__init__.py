"""What the calls of libraries do, as data: the reader of the files and the answers they give."""

from asyncvet.catalogue.lookup import Catalogue
from asyncvet.catalogue.notation import TypeRef, parse_type
from asyncvet.catalogue.reader import CatalogueError
from asyncvet.catalogue.schema import Api, Category, Condition, Effect, Stall, Type

__all__ = ["Api", "Catalogue", "CatalogueError", "Category", "Condition", "Effect", "Stall", "Type", "TypeRef", "parse_type"]
