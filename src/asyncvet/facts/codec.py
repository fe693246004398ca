"""Facts as bytes: what worker processes send and the cache keeps."""

from __future__ import annotations

import msgspec

from asyncvet.facts.tree import ModuleFacts

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ModuleFacts)


def encode(facts: ModuleFacts) -> bytes:
    """The MessagePack form of `facts`."""
    return _encoder.encode(facts)


def decode(data: bytes) -> ModuleFacts:
    """The facts that `encode` made `data` from.

    Raises:
        msgspec.DecodeError: `data` is not the form of this version of the tree (`msgspec.ValidationError` is one of them).
    """
    return _decoder.decode(data)
