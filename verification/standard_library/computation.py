"""What computes for long in the calling thread."""

from __future__ import annotations

import hashlib

from verification.observing import observe_computation
from verification.standard_library.registry import CASES, resolve

CASES.add(
    "hashlib.pbkdf2_hmac", lambda _: observe_computation(lambda size: hashlib.pbkdf2_hmac("sha256", b"p", b"s", size), 10_000)
)
CASES.add("hashlib.scrypt", lambda _: observe_computation(lambda size: hashlib.scrypt(b"p", salt=b"s", n=size, r=8, p=1), 1024))
CASES.add(
    "crypt.crypt", lambda _: observe_computation(lambda size: resolve("crypt.crypt")("p", f"$6$rounds={size}$salt$"), 50_000)
)
