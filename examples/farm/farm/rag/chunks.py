"""Text cut into pieces that an encoder takes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from farm.documents import Section

_SENTENCE_END = re.compile(r"(?<=[.!?。])\s+|\n{2,}")


@dataclass(frozen=True)
class Chunk:
    """A piece of a document, and where in it that is."""

    text: str
    place: str


def chunked(sections: Iterable[Section], limit: int) -> Iterator[Chunk]:
    """Whole sentences, as many as fit into `limit` characters; a sentence that is longer is cut."""
    for section in sections:
        text = ""
        for sentence in _sentences(section.text, limit):
            if text and len(text) + 1 + len(sentence) > limit:
                yield Chunk(text, section.place)
                text = ""
            text = f"{text} {sentence}" if text else sentence
        if text:
            yield Chunk(text, section.place)


def _sentences(text: str, limit: int) -> Iterator[str]:
    for sentence in _SENTENCE_END.split(text):
        words = " ".join(sentence.split())
        for start in range(0, len(words), limit):
            yield words[start : start + limit]
