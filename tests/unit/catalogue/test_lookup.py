"""Look-ups in the catalogue: aliases, inheritance, files of several distributions, a user's own files."""

from pathlib import Path

import pytest

from asyncvet.catalogue import Catalogue, CatalogueError, Type
from asyncvet.catalogue.lookup import scanned_roots, spoken_roots
from asyncvet.catalogue.reader import read_catalogue

SHOP = """
distribution = "shop"
version = "1.0"

[[api]]
names = ["shop.Store.open", "shop.buy"]
effect = "blocks"
category = "network"
why = "waits for the shop"
only_if = [{ argument = "now", equals = true }]

[[api]]
names = ["shop.buy"]
returns = "shop.Item"

[[api]]
names = ["shop.Client.*"]
effect = "blocks"
category = "network"
why = "waits for the shop"

[[api]]
names = ["shop.Client.name"]

[[type]]
names = ["shop.Store", "shop.stores.Store"]
attributes = { owner = "shop.Person", city = "shop.City" }
enter = "self"
timeout = 30
bound = ["patience", 1]

[[type]]
names = ["shop.WebStore"]
bases = ["shop.Store", "web.Page"]
attributes = { owner = "shop.Firm" }

[[type]]
names = ["shop.Client"]

[alias]
"shop.api" = "shop"
"shopping" = "shop.api"
"""

WEB = """
distribution = "web"
version = "1.0"

[[api]]
names = ["web.Page.render"]
effect = "cpu-bound"
category = "document"
why = "draws the page"

[[type]]
names = ["web.Page"]
iterates = "web.Line"
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    (tmp_path / "shop.toml").write_text(SHOP)
    (tmp_path / "web.toml").write_text(WEB)
    return Catalogue(tmp_path.glob("*.toml"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shop.buy", "shop.buy"),
        ("shop.api.buy", "shop.buy"),
        ("shopping.buy", "shop.buy"),
        ("shop.stores.Store.open", "shop.Store.open"),
        ("shopping.stores.Store", "shop.Store"),
        ("shop.apiary", "shop.apiary"),
        ("unknown.thing", "unknown.thing"),
    ],
)
def test_canonical(catalogue: Catalogue, name: str, expected: str) -> None:
    assert catalogue.canonical(name) == expected


@pytest.mark.parametrize(
    ("name", "effects"),
    [
        ("shop.buy", ["blocks", "pure"]),
        ("shopping.buy", ["blocks", "pure"]),
        ("shop.WebStore.open", ["blocks"]),
        ("shop.WebStore.render", ["cpu-bound"]),
        ("shop.WebStore.close", []),
        ("shop.Client.fetch", ["blocks"]),
        ("shop.Client.name", ["pure"]),
        ("shop.Client.__enter__", []),
        ("unknown.thing", []),
    ],
)
def test_api(catalogue: Catalogue, name: str, effects: list[str]) -> None:
    assert [api.effect for api in catalogue.api(name)] == effects


def test_type_has_what_it_inherits(catalogue: Catalogue) -> None:
    assert catalogue.type("shopping.WebStore") == Type(
        names=("shop.WebStore",),
        bases=("shop.Store", "web.Page"),
        attributes={"owner": "shop.Firm", "city": "shop.City"},
        enter="self",
        iterates="web.Line",
        timeout=30,
        bound=("patience", 1),
    )


def test_type_of_an_unknown_name(catalogue: Catalogue) -> None:
    assert (catalogue.type("shop.buy"), catalogue.type("unknown.Thing")) == (None, None)


@pytest.mark.parametrize(
    ("type_name", "attr", "expected"),
    [
        ("shop.WebStore", "owner", "shop.WebStore.owner"),
        ("shop.WebStore", "city", "shop.Store.city"),
        ("shop.WebStore", "render", "web.Page.render"),
        ("shop.WebStore", "close", "shop.WebStore.close"),
        ("shop.stores.Store", "close", "shop.Store.close"),
        ("unknown.Thing", "close", "unknown.Thing.close"),
    ],
)
def test_member(catalogue: Catalogue, type_name: str, attr: str, expected: str) -> None:
    assert catalogue.member(type_name, attr) == expected


def test_known_roots(catalogue: Catalogue) -> None:
    roots = ("shop", "shopping", "web", "version", "self", "unknown")
    assert [catalogue.is_known_root(root) for root in roots] == [True, True, True, False, False, False]


def test_two_files_must_not_speak_of_one_name(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(SHOP)
    (tmp_path / "store.toml").write_text('distribution = "store"\nversion = "1"\n[[api]]\nnames = ["shop.api.buy"]\n')
    with pytest.raises(CatalogueError) as caught:
        Catalogue(tmp_path.glob("*.toml")).api("shop.buy")
    assert str(caught.value) == f'{tmp_path / "store.toml"}: api "shop.buy" is already in {tmp_path / "shop.toml"}'


def test_a_users_entry_replaces_the_bundled_one(tmp_path: Path) -> None:
    extra = tmp_path / "mine.toml"
    extra.write_text(
        'distribution = "mine"\nversion = "1"\n[[api]]\nnames = ["time.sleep", "mine.act"]\n'
        '[[type]]\nnames = ["pathlib.Path"]\nenter = "self"\n'
    )
    ours = Catalogue.with_extra([extra])
    assert [api.effect for api in ours.api("time.sleep")] == ["pure"]
    assert [api.effect for api in ours.api("mine.act")] == ["pure"]
    assert ours.type("pathlib.Path") == Type(names=("pathlib.Path",), enter="self")
    assert [api.effect for api in Catalogue.bundled().api("time.sleep")] == ["blocks"]
    assert (ours.is_known_root("mine"), Catalogue.bundled().is_known_root("mine")) == (True, False)


BUNDLED = sorted((Path(__file__).parents[3] / "src/asyncvet/catalogue/data").glob("*.toml"))


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_bundled_file_is_valid_and_found_by_its_roots(path: Path) -> None:
    assert scanned_roots(path.read_text(encoding="utf-8")) == spoken_roots(read_catalogue(path))


def test_no_two_bundled_files_speak_of_one_name() -> None:
    catalogue = Catalogue(BUNDLED)
    roots = {root for path in BUNDLED for root in spoken_roots(read_catalogue(path))}
    assert [root for root in roots if not (catalogue.api(root) or catalogue.is_known_root(root))] == []


@pytest.mark.parametrize(
    ("name", "effect", "category", "returns"),
    [
        ("time.sleep", "blocks", "sleep", ""),
        ("pathlib.PosixPath.read_text", "blocks", "file", "builtins.str"),
        ("pathlib.Path.with_suffix", "pure", None, "self"),
        ("io.TextIOWrapper.readline", "blocks", "file", ""),
        ("tempfile._TemporaryFileWrapper.write", "blocks", "file", ""),
        ("concurrent.futures.ThreadPoolExecutor.__exit__", "blocks", "thread", ""),
        ("concurrent.futures.thread.ThreadPoolExecutor.submit", "offloads", "thread", "concurrent.futures.Future"),
        ("asyncio.tasks.create_task", "spawns", None, "asyncio.Task"),
        ("asyncio.Task.add_done_callback", "schedules", None, ""),
        ("socketserver.TCPServer.serve_forever", "blocks", "network", ""),
    ],
)
def test_the_standard_library(name: str, effect: str, category: str | None, returns: str) -> None:
    assert [(api.effect, api.category, api.returns) for api in Catalogue.bundled().api(name)] == [(effect, category, returns)]


@pytest.mark.parametrize(
    "name", ["io.StringIO.read", "io.BytesIO.getvalue", "threading.Lock.__enter__", "json.JSONEncoder.encode"]
)
def test_what_is_harmless_has_no_entry(name: str) -> None:
    assert Catalogue.bundled().api(name) == ()
