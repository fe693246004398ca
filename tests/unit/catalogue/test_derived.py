"""What is derived speaks where what is stated is silent; and the derived files that ship agree with what is stated."""

import re
import tomllib
from pathlib import Path

import pytest

from asyncvet.catalogue import Catalogue, Type, lookup
from asyncvet.catalogue.lookup import INDEX, Derived
from asyncvet.catalogue.reader import read_catalogue
from scripts import derive

STATED = """
distribution = "shop"
version = "1.0"

[[api]]
names = ["shop.Store.open"]

[[api]]
names = ["shop.Client.*"]
effect = "blocks"
category = "network"
why = "waits for the shop"

[[type]]
names = ["shop.Store"]
attributes = { owner = "shop.Person" }
"""

DERIVED = """
distribution = "shop"
version = "1.0"

[[api]]
names = ["shop.Store.open", "shop.Store.close", "shop.Client.name", "shop.Cart.*", "shop.buy"]
effect = "blocks"
category = "process"
why = "reaches `subprocess.run`"

[[api]]
names = ["shop.Cart.name"]

[[type]]
names = ["shop.Store"]
attributes = { owner = "shop.Dog", city = "shop.City" }

[[type]]
names = ["shop.Cart"]
bases = ["shop.Client"]
attributes = { store = "shop.Store" }

[[type]]
names = ["shop.BigCart"]
bases = ["shop.Cart"]

[alias]
"shop.carts.Cart" = "shop.Cart"
"shop.Store" = "shop.Cart"
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """One stated and one derived file of the same library."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "shop.toml").write_text(STATED)
    (tmp_path / "shop.toml").write_text(DERIVED)
    (tmp_path / INDEX).write_text('"shop" = ["shop"]\n')
    return Catalogue((tmp_path / "data").glob("*.toml"), derived=tmp_path)


@pytest.mark.parametrize(
    ("name", "categories"),
    [
        ("shop.buy", ["process"]),
        ("shop.Store.open", [None]),
        ("shop.Store.close", ["process"]),
        ("shop.Store.other", []),
        ("shop.Client.name", ["network"]),
        ("shop.Cart.name", [None]),
        ("shop.carts.Cart.add", ["process"]),
        ("shop.Cart.__enter__", []),
        ("shop.BigCart.name", [None]),
        ("shop.BigCart.add", ["process"]),
        ("other.buy", []),
    ],
)
def test_api(catalogue: Catalogue, name: str, categories: list[str | None]) -> None:
    """A stated name, method of a class or `*` goes before."""
    assert [api.category for api in catalogue.api(name)] == categories


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shop.carts.Cart.add", "shop.Cart.add"),
        ("shop.Store.open", "shop.Store.open"),
        ("shop.Cart", "shop.Cart"),
    ],
)
def test_canonical(catalogue: Catalogue, name: str, expected: str) -> None:
    """A derived alias counts unless what it renames is stated."""
    assert catalogue.canonical(name) == expected


def test_type(catalogue: Catalogue) -> None:
    """Derived attributes join those that are stated, which go before."""
    assert catalogue.type("shop.Store") == Type(names=("shop.Store",), attributes={"owner": "shop.Person", "city": "shop.City"})
    assert catalogue.type("shop.BigCart") == Type(
        names=("shop.BigCart",), bases=("shop.Cart",), attributes={"store": "shop.Store"}
    )


def test_member(catalogue: Catalogue) -> None:
    """The class that declares an attribute, in what is stated or derived."""
    assert catalogue.member("shop.BigCart", "store") == "shop.Cart.store"
    assert catalogue.member("shop.BigCart", "other") == "shop.BigCart.other"
    assert catalogue.member("shop.Client", "name") == "shop.Client.name"


def test_is_known_root(tmp_path: Path) -> None:
    """What is derived does not keep an environment's source from being read."""
    (tmp_path / "shop.toml").write_text(DERIVED)
    (tmp_path / INDEX).write_text('"shop" = ["shop"]\n')
    catalogue = Catalogue([], derived=tmp_path)
    assert [api.category for api in catalogue.api("shop.buy")] == ["process"]
    assert not catalogue.is_known_root("shop")


def test_packages_of_a_namespace_are_read_one_by_one(tmp_path: Path) -> None:
    """A name needs the file of its own package only; a folder with no index holds nothing."""
    (tmp_path / INDEX).write_text('"big-shop" = ["big.shop"]\n"big-web" = ["big.web"]\n')
    (tmp_path / "big-shop.toml").write_text(DERIVED.replace('"shop.', '"big.shop.'))
    derived = Derived(tmp_path)
    assert (derived.load("big.shop.buy"), derived.load("big.other"), derived.load("shop.buy")) == (True, False, False)
    assert "big.shop.buy" in derived.apis
    assert not Derived(tmp_path / "none").load("big.shop.buy")


SHIPPED = Path(lookup.__file__).with_name("derived")
FILES = sorted(path for path in SHIPPED.glob("*.toml") if path.name != INDEX)

_SMALL_FILE = "reads or writes one small file that the caller names, mostly once at start-up: not worth a report"
EXPLAINED = {
    "google.cloud.bigquery.Client.schema_from_json": _SMALL_FILE,
    "google.cloud.bigquery.Client.schema_to_json": _SMALL_FILE,
    "google.oauth2.credentials.Credentials.from_authorized_user_file": _SMALL_FILE,
    "google.oauth2.service_account.Credentials.from_service_account_file": _SMALL_FILE,
    "paho.mqtt.client.Client.tls_set": _SMALL_FILE,
    "paramiko.SSHClient.load_host_keys": _SMALL_FILE,
    "paramiko.SSHClient.load_system_host_keys": _SMALL_FILE,
}
"""Names that are derived to block and stated not to, with the reason why both are right."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_ships_does_not_contradict_what_is_stated(path: Path) -> None:
    """A derived name that blocks is stated to block, or nothing is stated of it."""
    stated = Catalogue.stated()
    blocking = [name for api in read_catalogue(path).api if api.effect == "blocks" for name in api.names]
    contrary = {
        name
        for name in blocking
        if (said := stated.api(name)) and not any(api.effect in ("blocks", "cpu-bound") and not api.is_async for api in said)
    }
    assert contrary - EXPLAINED.keys() == set()


def test_every_explanation_is_needed() -> None:
    """An explained name is still derived to block."""
    names = {name for path in FILES for api in read_catalogue(path).api if api.effect == "blocks" for name in api.names}
    assert EXPLAINED.keys() - names == set()


def test_the_index_names_every_file() -> None:
    """Each package of the index belongs to a file that is there, and speaks of it."""
    index = tomllib.loads((SHIPPED / INDEX).read_text(encoding="utf-8"))
    for name, packages in index.items():
        file = read_catalogue(SHIPPED / f"{name}.toml")
        spoken = [called for api in file.api for called in api.names] + [kind.names[0] for kind in file.type] + list(file.alias)
        assert [p for p in packages if not any(s == p or s.startswith(f"{p}.") for s in spoken)] == []
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 3_000_000


def test_every_pin_has_a_file_and_a_row() -> None:
    """What ships is what is pinned, in the versions that are pinned, and the page speaks of all of it."""
    pinned = {derive.normal(name): version for name, version in derive.pins().items()}
    shipped = {path.stem: read_catalogue(path).version for path in FILES}
    rows = re.findall(r"^\| (\S+) \| (\S+) \| \d+ \|", derive.PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert shipped == pinned
    assert {derive.normal(name): version for name, version in rows} == pinned


def test_compare(tmp_path: Path) -> None:
    """Names that block as stated, those that are new or contrary, and stated ones of which nothing is derived."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "shop.toml").write_text(STATED)
    (tmp_path / "shop.toml").write_text(DERIVED)
    stated = Catalogue((tmp_path / "data").glob("*.toml"))
    found = derive.compare(read_catalogue(tmp_path / "shop.toml"), ["shop"], stated, ["shop.sell", "shop.buy", "other.buy"])
    assert found == derive.Comparison(
        blocking=("shop.Client.name", "shop.Store.close", "shop.Store.open", "shop.buy"),
        same=("shop.Client.name",),
        new=("shop.Store.close", "shop.buy"),
        contrary=("shop.Store.open",),
        silent=("shop.sell",),
    )
