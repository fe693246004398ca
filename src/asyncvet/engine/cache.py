"""Facts of files, kept from run to run by what the files hold: a distribution's source is read once for all projects that use it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import msgspec

from asyncvet import facts
from asyncvet.engine.contents import Contents, Seen, look
from asyncvet.engine.store import Store
from asyncvet.engine.tool import distributions
from asyncvet.facts import codec, extract
from asyncvet.facts.tree import ModuleFacts


class FactsCache:
    """Facts by the content of files.

    Attributes:
        contents: What is known of the files without reading them.
        hits: Files whose facts were there.
    """

    def __init__(self, contents: Contents | None = None) -> None:
        """Keep facts where what is known of files is kept; nowhere if that is None."""
        self.contents = contents or Contents(Store(None), b"")
        self.hits = 0
        self._store = self.contents.store
        self._is_void = self._store.is_empty

    def known(self, file: str) -> ModuleFacts | None:
        """What a file says, if a file of this content was read before. It is looked into only if it was touched."""
        if self._is_void:
            return None
        digest = self.contents.digest(file)
        found = self._store.get("facts", _version() + digest) if digest is not None else None
        if found is None or digest is None:
            return None
        try:
            decoded = codec.decode(found)
        except (msgspec.DecodeError, RecursionError) as error:
            self._store.spoilt("facts", _version() + digest, str(error))
            return None
        self.hits += 1
        return decoded

    def keep(self, file: str, seen: Seen, said: ModuleFacts | bytes) -> None:
        """Keep what a file says that was just read: facts, or these encoded."""
        self.contents.learn(file, seen)
        if self._store.is_open:
            encoded = said if isinstance(said, bytes) else codec.encode(said)
            self._store.put("facts", _version() + seen.digest, encoded)

    def facts(self, file: str) -> ModuleFacts:
        """What a file says.

        Raises:
            OSError: It cannot be read.
        """
        found = self.known(file)
        if found is None:
            seen, content = look(file)
            found = extract(content)
            self.keep(file, seen, found)
        return found


@cache
def _version() -> bytes:
    """Identity of the code that makes facts: what another one has made is not looked at."""
    digest = hashlib.blake2b(" ".join(distributions("tree_sitter")).encode(), digest_size=16)
    for file in sorted(Path(facts.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.digest()
