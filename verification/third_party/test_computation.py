"""What computes uses the processor for longer, the more it is given; what its conditions leave out does not."""

# ruff: noqa: D103 - the names of the tests say what they show

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Callable

import argon2
import argon2.low_level
import bcrypt
import bs4
import cryptography.hazmat.primitives.kdf.pbkdf2
import cryptography.hazmat.primitives.kdf.scrypt
import lxml.etree
import numpy
import pandas
import PIL.Image
import PIL.ImageEnhance
import PIL.ImageOps
import pytest
import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from verification.observing import NotObservedError, observe_computation
from verification.third_party.registry import HARMLESS, exercises

with warnings.catch_warnings():  # passlib imports a module that Python 3.13 removes
    warnings.simplefilter("ignore")
    import passlib.context
    import passlib.hash

PASSWORD = "word"
SALT = b"0123456789abcdef"


def observe_little_computation(call: Callable[[], object], at_most: float = 0.02) -> None:
    """See that `call` uses the processor for `at_most` seconds at its best of three times."""
    times = []
    for _ in range(3):
        start = time.thread_time()
        call()
        times.append(time.thread_time() - start)
    if min(times) > at_most:
        raise NotObservedError(f"the call took {min(times):.4f} s of processor time")


@exercises("bcrypt.hashpw", "bcrypt.kdf")
@pytest.mark.parametrize(
    ("derive", "size"),
    [
        (lambda size: bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(size.bit_length() - 1)), 2**6),
        (lambda size: bcrypt.kdf(PASSWORD.encode(), SALT, 32, rounds=size, ignore_few_rounds=True), 8),
    ],
    ids=["hashpw", "kdf"],
)
def test_bcrypt(derive: Callable[[int], object], size: int) -> None:
    observe_computation(derive, size)


@exercises("passlib.context.CryptContext.hash", "passlib.hash.pbkdf2_sha256.hash", "passlib.hash.sha512_crypt.hash")
@pytest.mark.parametrize(
    "derive",
    [
        lambda size: passlib.context.CryptContext(["pbkdf2_sha256"], pbkdf2_sha256__rounds=size).hash(PASSWORD),
        lambda size: passlib.hash.pbkdf2_sha256.using(rounds=size).hash(PASSWORD),
        lambda size: passlib.hash.sha512_crypt.using(rounds=size).hash(PASSWORD),
    ],
    ids=["context", "pbkdf2_sha256", "sha512_crypt"],
)
def test_passlib(derive: Callable[[int], object]) -> None:
    observe_computation(derive, 10_000)


@exercises("argon2.PasswordHasher.hash", "argon2.low_level.hash_secret_raw")
@pytest.mark.parametrize(
    "derive",
    [
        lambda size: argon2.PasswordHasher(time_cost=size, memory_cost=8192, parallelism=1).hash(PASSWORD),
        lambda size: argon2.low_level.hash_secret_raw(PASSWORD.encode(), SALT, size, 8192, 1, 32, argon2.Type.ID),
    ],
    ids=["hasher", "low_level"],
)
def test_argon2(derive: Callable[[int], object]) -> None:
    observe_computation(derive, 1)


@exercises(
    "cryptography.hazmat.primitives.kdf.pbkdf2.PBKDF2HMAC.derive", "cryptography.hazmat.primitives.kdf.scrypt.Scrypt.derive"
)
@pytest.mark.parametrize(
    ("derive", "size"),
    [
        (
            lambda size: cryptography.hazmat.primitives.kdf.pbkdf2.PBKDF2HMAC(hashes.SHA256(), 32, SALT, size).derive(b"word"),
            20_000,
        ),
        (lambda size: cryptography.hazmat.primitives.kdf.scrypt.Scrypt(SALT, 32, n=size, r=8, p=1).derive(b"word"), 2**10),
    ],
    ids=["pbkdf2", "scrypt"],
)
def test_key_derivation(derive: Callable[[int], object], size: int) -> None:
    observe_computation(derive, size)


@exercises("cryptography.hazmat.primitives.asymmetric.rsa.generate_private_key")
def test_rsa_keys() -> None:
    """Chance decides how long one search takes, so each size is the sum of several."""
    observe_computation(lambda size: [rsa.generate_private_key(65537, size) for _ in range(8)], 1024, growth=3)


def table(rows: int) -> pandas.DataFrame:
    """A table of numbers."""
    return pandas.DataFrame(numpy.arange(rows * 4).reshape(rows, 4), columns=list("abcd"))


def csv(rows: int) -> io.StringIO:
    """The text of a table."""
    return io.StringIO("a,b,c,d\n" + "1,2,3,4\n" * rows)


@exercises("pandas.read_csv", "pandas.read_json", "pandas.DataFrame.to_csv", "pandas.DataFrame.to_json")
@pytest.mark.parametrize(
    "handle",
    [
        lambda size: pandas.read_csv(csv(size)),
        lambda size: pandas.read_json(io.StringIO("[" + '{"a": 1},' * size + '{"a": 2}]')),
        lambda size: table(size).to_csv(),
        lambda size: table(size).to_json(),
    ],
    ids=["read_csv", "read_json", "to_csv", "to_json"],
)
def test_pandas(handle: Callable[[int], object]) -> None:
    observe_computation(handle, 50_000)


@exercises("pandas.read_csv", aspect="chunksize present")
@exercises("pandas.read_csv", aspect="iterator=True")
@exercises("pandas.read_csv", aspect=HARMLESS)
@pytest.mark.parametrize("options", [{"chunksize": 10}, {"iterator": True}])
def test_pandas_reads_chunks(options: dict[str, int]) -> None:
    text = csv(1_000_000)
    observe_little_computation(lambda: pandas.read_csv(text, **options))


@exercises("pandas.io.parsers.TextFileReader.get_chunk")
def test_pandas_chunks() -> None:
    observe_computation(lambda size: pandas.read_csv(csv(size), chunksize=size).get_chunk(), 50_000)


def image(size: int) -> PIL.Image.Image:
    """An image of `size` rows."""
    return PIL.Image.new("RGB", (1000, size), "red")


@exercises("PIL.Image.Image.resize", "PIL.Image.Image.save", "PIL.ImageOps.invert", "PIL.ImageEnhance.Contrast.enhance")
@exercises("PIL.Image.Image.tobytes")
@pytest.mark.parametrize(
    "handle",
    [
        lambda size: image(size).resize((size * 2, 1000)),
        lambda size: image(size).save(io.BytesIO(), "PNG"),
        lambda size: PIL.ImageOps.invert(image(size)),
        lambda size: PIL.ImageEnhance.Contrast(image(size)).enhance(2),
        lambda size: image(size).tobytes("jpeg", "RGB"),
    ],
    ids=["resize", "save", "invert", "contrast", "tobytes"],
)
def test_pillow(handle: Callable[[int], object]) -> None:
    observe_computation(handle, 2000)


@exercises("yaml.safe_load", "bs4.BeautifulSoup", "lxml.etree.fromstring")
@pytest.mark.parametrize(
    ("parse", "size"),
    [
        (lambda size: yaml.safe_load("- a: 1\n" * size), 300),
        (lambda size: bs4.BeautifulSoup("<p>a</p>" * size, "html.parser"), 1000),
        (lambda size: lxml.etree.fromstring("<r>" + "<p>a</p>" * size + "</r>"), 20_000),
    ],
    ids=["yaml", "bs4", "lxml"],
)
def test_documents(parse: Callable[[int], object], size: int) -> None:
    observe_computation(parse, size)


@exercises("yaml.safe_load", aspect="stream literal")
@exercises("bs4.BeautifulSoup", aspect="markup literal")
@exercises("lxml.etree.fromstring", aspect="#0 literal")
@pytest.mark.parametrize(
    "parse",
    [
        lambda: yaml.safe_load("name: value\nlist: [1, 2, 3]\n"),
        lambda: bs4.BeautifulSoup("<html><body><p>text</p></body></html>", "html.parser"),
        lambda: lxml.etree.fromstring("<root><leaf>text</leaf></root>"),
    ],
    ids=["yaml", "bs4", "lxml"],
)
def test_documents_written_in_the_code(parse: Callable[[], object]) -> None:
    observe_little_computation(parse)
