"""Answers what the catalogue says about a name."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from asyncvet.catalogue.reader import PROTOCOLS, CatalogueError, read_catalogue
from asyncvet.catalogue.schema import Api, CatalogueFile, Type

_DATA = Path(__file__).with_name("data")
_DERIVED = Path(__file__).with_name("derived")
INDEX = "index.toml"
"""The file of a folder of derived files that tells of which packages each of them speaks."""
# Each begins with literal text, which is searched for many times faster than a line's start.
_NAMES = re.compile(r"\nnames\s*=\s*\[([^\]]*)\]")
_ALIASES = re.compile(r"\n\[alias\]\n(.*?)(?=\n\[|\Z)", re.DOTALL)
_QUOTED = re.compile(r"[\"'](\w+)")
_KEY = re.compile(r"^[\"']?(\w+)", re.MULTILINE)


class Catalogue:
    """What is known of the calls and classes of libraries.

    Files are parsed when a name of one of their top-level packages is first asked for: a review pays only for the libraries
    that the code uses.

    What is derived from the source of libraries speaks only where what people stated is silent: of names that no file has, of
    methods that neither their class nor its bases nor a ``*`` has.
    """

    def __init__(
        self, files: Iterable[Path], extra: Mapping[Path, CatalogueFile] | None = None, derived: Path | None = None
    ) -> None:
        """Know `files`, the entries of `extra` in place of theirs, and those in the folder `derived` where both are silent.

        Raises:
            CatalogueError: Extra files contradict each other. A wrong one of `files` is told when it is first needed.
        """
        self._derived = Derived(derived)
        self._waiting: dict[str, list[Path]] = {}
        for path in sorted(files):
            for root in scanned_roots(path.read_text(encoding="utf-8")):
                self._waiting.setdefault(root, []).append(path)
        self._known_roots = set(self._waiting)
        self._alias: dict[str, str] = {}
        self._apis: dict[str, list[Api]] = {}
        self._types: dict[str, Type] = {}
        self._origin: dict[tuple[str, str], Path] = {}
        self._extra = dict(sorted((extra or {}).items()))
        self._read = set(self._extra)
        self._canonical: dict[str, str] = {}
        self._lineages: dict[str, tuple[str, ...]] = {}
        self._merged: dict[str, Type | None] = {}
        self._derived_lineages: dict[str, tuple[str, ...]] = {}
        self._owners: set[str] = set()
        for path, file in self._extra.items():
            for root in spoken_roots(file):
                self._known_roots.add(root)
                self._load(root)
            self._take(path, file)

    @classmethod
    @functools.cache
    def bundled(cls) -> Catalogue:
        """The catalogue that ships with asyncvet."""
        return cls(_DATA.glob("*.toml"), derived=_DERIVED)

    @classmethod
    def stated(cls, derived: Path | None = None) -> Catalogue:
        """Only what people stated, and what is derived in another folder than the one that ships."""
        return cls(_DATA.glob("*.toml"), derived=derived)

    @classmethod
    def with_extra(cls, files: Iterable[Path], entries: Mapping[Path, CatalogueFile] | None = None) -> Catalogue:
        """The bundled catalogue and a user's own entries, which stand in place of the bundled ones of the same name.

        Args:
            files: Files of the user's own.
            entries: Entries that were read already, by the file in which they stand.

        Raises:
            CatalogueError: One of the files is wrong, or they contradict each other.
        """
        return cls(_DATA.glob("*.toml"), {path: read_catalogue(path) for path in files} | dict(entries or {}), _DERIVED)

    def canonical(self, name: str) -> str:
        """The name under which the catalogue knows `name`; `name` itself if it is no alias."""
        found = self._canonical.get(name)
        if found is None:
            self._load(name)
            found = self._renamed(name)
            self._load(found)
            if self._derived.load(found):
                found = self._renamed(self._derived.followed(found, self._is_stated))
            self._canonical[name] = found
        return found

    def api(self, name: str) -> tuple[Api, ...]:
        """The entries of a function or method, those of a base class where its own class has none."""
        name = self.canonical(name)
        if name in self._apis:
            return tuple(self._apis[name])
        owner, _, attr = name.rpartition(".")
        for base in self._lineage(owner):
            for entry in _entries(base, attr):
                if entry in self._apis:
                    return tuple(self._apis[entry])
        return self._derived_api(name)

    def _derived_api(self, name: str) -> tuple[Api, ...]:
        """The same where nothing is stated of the class and its bases: what is derived, or stated of a base that is derived."""
        if name in self._derived.apis:
            return tuple(self._derived.apis[name])
        owner, _, attr = name.rpartition(".")
        for base in self._derived_lineage(owner):
            for entry in _entries(base, attr):
                found = self._apis.get(entry) or self._derived.apis.get(entry)
                if found:
                    return tuple(found)
        return ()

    def type(self, name: str) -> Type | None:
        """The class under any of its paths, with what it inherits: attributes and protocols of its bases are filled in."""
        name = self.canonical(name)
        if name not in self._merged:
            self._merged[name] = self._with_bases(name)
        return self._merged[name]

    def member(self, type_name: str, attr: str) -> str:
        """The dotted name of an attribute: on the class or on the base that declares it, on the class if none does."""
        owner = self.canonical(type_name)
        for base in self._lineage(owner):
            declared = self._types.get(base)
            if f"{base}.{attr}" in self._apis or (declared is not None and attr in declared.attributes):
                return f"{base}.{attr}"
        if any(entry in self._apis for base in self._lineage(owner) for entry in _entries(base, attr)):
            return f"{owner}.{attr}"
        for base in self._derived_lineage(owner):
            known = (self._types.get(base), self._derived.types.get(base))
            is_call = f"{base}.{attr}" in self._apis or f"{base}.{attr}" in self._derived.apis
            if is_call or any(kind is not None and attr in kind.attributes for kind in known):
                return f"{base}.{attr}"
        return f"{owner}.{attr}"

    def is_known_root(self, top_level: str) -> bool:
        """Whether some file speaks of this top-level package or module."""
        return top_level in self._known_roots

    def entries_of(self, top_level: str) -> list[tuple[str, tuple[Api, ...]]]:
        """The names in a top-level package or module of which something is stated, and their entries."""
        self._load(top_level)
        prefix = f"{top_level}."
        return [(name, tuple(apis)) for name, apis in self._apis.items() if name.startswith(prefix)]

    def _load(self, name: str) -> None:
        for path in self._waiting.pop(name.partition(".")[0], ()):
            if path not in self._read:
                self._read.add(path)
                self._take(path, read_catalogue(path))

    def _take(self, path: Path, file: CatalogueFile) -> None:
        for name, target in _aliases(file):
            if self._claim("alias", name, path):
                self._alias[name] = target
        for kind in file.type:
            if self._claim("type", kind.names[0], path):
                self._types[kind.names[0]] = kind
        for api in file.api:
            for name in dict.fromkeys(map(self._renamed, api.names)):
                if self._claim("api", name, path):
                    self._apis.setdefault(name, []).append(api)
                    self._owners.add(name.rpartition(".")[0])

    def _claim(self, table: str, name: str, path: Path) -> bool:
        """Whether this file may speak of the name: a user's file before a bundled one; two of a kind must not both."""
        first = self._origin.setdefault((table, name), path)
        if first == path:
            return True
        if (first in self._extra) == (path in self._extra):
            raise CatalogueError(f'{path}: {table} "{name}" is already in {first}')
        if path in self._extra:
            self._origin[table, name] = path
            if table == "api":
                del self._apis[name]
        return path in self._extra

    def _renamed(self, name: str) -> str:
        seen = {name}
        while (target := self._follow(name)) not in seen:
            seen.add(target)
            name = target
        return name

    def _follow(self, name: str) -> str:
        end = len(name)
        while end > 0:
            if name[:end] in self._alias:
                return self._alias[name[:end]] + name[end:]
            end = name.rfind(".", 0, end)
        return name

    def _lineage(self, name: str) -> tuple[str, ...]:
        """The class and its bases, nearest first, depth first."""
        if name not in self._lineages:
            order = {name: None}
            pending = [name]
            while pending:
                current = pending.pop()
                order.setdefault(current)
                known = self._types.get(current)
                bases = [self.canonical(base) for base in known.bases] if known else []
                pending += [base for base in reversed(bases) if base not in order]
            self._lineages[name] = tuple(order)
        return self._lineages[name]

    def _derived_lineage(self, name: str) -> tuple[str, ...]:
        """The class and its bases, as stated and as derived; empty if nothing is derived of it."""
        if name not in self._derived_lineages:
            order: dict[str, None] = {}
            pending = [name] if name in self._derived.owners else []
            while pending:
                current = self.canonical(pending.pop())
                order.setdefault(current)
                known = (self._types.get(current), self._derived.types.get(current))
                bases = [self.canonical(base) for kind in known if kind is not None for base in kind.bases]
                pending += [base for base in reversed(bases) if base not in order]
            self._derived_lineages[name] = tuple(order)
        return self._derived_lineages[name]

    def _is_stated(self, name: str) -> bool:
        return name in self._types or name in self._apis or name in self._owners

    def _with_bases(self, name: str) -> Type | None:
        stated = self._types.get(name)
        if stated is None and name not in self._derived.types:
            return None
        if stated is None:
            known = [
                kind for base in self._derived_lineage(name) if (kind := self._types.get(base) or self._derived.types.get(base))
            ]
            return self._merge(known[0], known)
        known = [self._types[base] for base in self._lineage(name) if base in self._types]
        merged = self._merge(stated, known)
        derived = [self._derived.types[base] for base in self._derived_lineage(name) if base in self._derived.types]
        if merged.getattr or not derived:
            return merged
        attributes = {attr: notation for kind in reversed(derived) for attr, notation in kind.attributes.items()}
        return msgspec.structs.replace(merged, attributes=attributes | merged.attributes)

    @staticmethod
    def _merge(own: Type, known: list[Type]) -> Type:
        """A class with what it inherits from those after it in a list of its lineage."""
        inherited: dict[str, Any] = {key: next(filter(None, (getattr(kind, key) for kind in known)), "") for key in PROTOCOLS}
        attributes = {attr: notation for kind in reversed(known) for attr, notation in kind.attributes.items()}
        binds_loop = any(kind.binds_loop for kind in known)
        timed = next((kind for kind in known if kind.timeout is not None or kind.bound), own)
        closed_by = next((kind.closed_by for kind in known if kind.closed_by), ())
        inherited |= {"timeout": timed.timeout, "bound": timed.bound, "closed_by": closed_by}
        return msgspec.structs.replace(own, attributes=attributes, binds_loop=binds_loop, **inherited)


class Derived:
    """What was derived of libraries: one file a distribution, in one folder, with an index of the packages they speak of.

    Attributes:
        apis: Entries by name, of the files that were needed so far.
        types: Classes by name.
        owners: The names of classes of which `apis` or `types` tell something.
    """

    def __init__(self, folder: Path | None) -> None:
        """Know the files of a folder; of none if there is no folder, or no index in it."""
        self._folder = folder
        self._alias: dict[str, str] = {}
        self.apis: dict[str, list[Api]] = {}
        self.types: dict[str, Type] = {}
        self.owners: set[str] = set()

    @functools.cached_property
    def _waiting(self) -> dict[str, list[str]]:
        """Names of files by the package that they speak of."""
        waiting: dict[str, list[str]] = {}
        index = self._folder / INDEX if self._folder is not None else None
        if index is not None and index.is_file():
            for file, packages in tomllib.loads(index.read_text(encoding="utf-8")).items():
                for package in packages:
                    waiting.setdefault(package, []).append(file)
        return waiting

    def load(self, name: str) -> bool:
        """Read what is needed to know a name; whether anything is known of its package."""
        end = len(name)
        is_known = False
        while end > 0:
            files = self._waiting.get(name[:end])
            if files is not None:
                is_known = True
                while files:
                    self._take(files.pop())
            end = name.rfind(".", 0, end)
        return is_known

    def followed(self, name: str, is_stated: Callable[[str], bool]) -> str:
        """The name that an alias stands for; one that is stated is not followed."""
        end = len(name)
        while end > 0:
            prefix = name[:end]
            if is_stated(prefix):
                return name
            if prefix in self._alias:
                return self._alias[prefix] + name[end:]
            end = name.rfind(".", 0, end)
        return name

    def _take(self, name: str) -> None:
        assert self._folder is not None
        file = read_catalogue(self._folder / f"{name}.toml")
        self._alias |= dict(_aliases(file))
        for kind in file.type:
            self.types[kind.names[0]] = kind
            self.owners.add(kind.names[0])
        for api in file.api:
            for called in api.names:
                self.apis.setdefault(called, []).append(api)
                self.owners.add(called.rpartition(".")[0])


def _entries(base: str, attr: str) -> tuple[str, ...]:
    """The names of entries that speak of a method of a class."""
    return (f"{base}.{attr}",) if attr.startswith("_") else (f"{base}.{attr}", f"{base}.*")


def spoken_roots(file: CatalogueFile) -> set[str]:
    """The top-level packages whose names a file speaks of."""
    of_calls = [name for api in file.api for name in api.names]
    of_classes = [name for kind in file.type for name in kind.names]
    return {name.partition(".")[0] for name in (*of_calls, *of_classes, *file.alias)}


def scanned_roots(text: str) -> set[str]:
    """The same as `spoken_roots`, from the file's text: parsing it takes a hundred times as long."""
    keys = "".join(_ALIASES.findall(text))
    return set(_QUOTED.findall("".join(_NAMES.findall(text)))) | set(_KEY.findall(keys))


def _aliases(file: CatalogueFile) -> list[tuple[str, str]]:
    other_paths = [(name, kind.names[0]) for kind in file.type for name in kind.names[1:]]
    return [*file.alias.items(), *other_paths]
