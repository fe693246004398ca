"""The catalogue's reader: a wrong file is told with file, entry, key and the nearest valid word."""

from pathlib import Path

import pytest

from asyncvet.catalogue.reader import CatalogueError, read_catalogue
from asyncvet.catalogue.schema import Api, CatalogueFile, Condition, Type

HEAD = 'distribution = "shop"\nversion = "1.0"\n'
BLOCKS = 'effect = "blocks"\ncategory = "network"\nwhy = "waits"\n'
API = f'[[api]]\nnames = ["shop.buy"]\n{BLOCKS}'
TESTS = "equals, is_none, present, literal, starts_with"


def test_reads_every_table(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(
        HEAD
        + API
        + 'unless = [{ argument = "wait", position = 0, equals = false }]\nreturns = "list[shop.Item]"\n'
        + '[[type]]\nnames = ["shop.Item"]\nenter = "self"\nattributes = { maker = "shop.Maker" }\n'
        + '[alias]\n"shop.api" = "shop"\n'
    )
    assert read_catalogue(path) == CatalogueFile(
        distribution="shop",
        version="1.0",
        api=(
            Api(
                names=("shop.buy",),
                effect="blocks",
                category="network",
                why="waits",
                unless=(Condition(argument="wait", position=0, equals=False),),
                returns="list[shop.Item]",
            ),
        ),
        type=(Type(names=("shop.Item",), enter="self", attributes={"maker": "shop.Maker"}),),
        alias={"shop.api": "shop"},
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "[[api]]\nnames = 'x", 'not valid TOML: Expected "\'" (at end of document)'),
        ('version = "1.0"\n', 'the key "distribution" is missing'),
        (HEAD + "apis = []\n", 'unknown key "apis"; did you mean "api"?'),
        (HEAD + "colour = 1\n", 'unknown key "colour"; valid are distribution, version, underivable, api, type, alias'),
        (HEAD + API + 'efect = "blocks"\n', 'api entry 1 ("shop.buy"): unknown key "efect"; did you mean "effect"?'),
        (HEAD + "[[api]]\n" + BLOCKS, 'api entry 1: the key "names" is missing'),
        (HEAD + "[[api]]\nnames = []\n", 'api entry 1: "names" is empty'),
        (HEAD + '[[api]]\nnames = ["shop buy"]\n', 'api entry 1 ("shop buy"): "shop buy" is not a dotted name'),
        (HEAD + '[[api]]\nnames = "shop.buy"\n', 'api entry 1, key "names": expected array, got str'),
        (
            HEAD + '[[api]]\nnames = ["shop.buy"]\neffect = "blocs"\n',
            'api entry 1 ("shop.buy"), key "effect": "blocs" is not one of its words; did you mean "blocks"?',
        ),
        (
            HEAD + API + 'stall = "forever"\n',
            'api entry 1 ("shop.buy"), key "stall": "forever" is not one of its words; valid are unbounded, device, short',
        ),
        (
            HEAD + API + 'timeout = "never"\n',
            'api entry 1 ("shop.buy"), key "timeout": "never" is not one of its words; valid are none, a number of seconds',
        ),
        (
            HEAD + '[[api]]\nnames = ["shop.buy"]\neffect = "blocks"\nwhy = "waits"\n',
            'api entry 1 ("shop.buy"): effect "blocks" needs the key "category"',
        ),
        (
            HEAD + '[[api]]\nnames = ["shop.buy"]\neffect = "cpu-bound"\ncategory = "hash"\n',
            'api entry 1 ("shop.buy"): effect "cpu-bound" needs the key "why"',
        ),
        (
            HEAD + API + 'returns = "list[shop.Item"\n',
            'api entry 1 ("shop.buy"): key "returns": type "list[shop.Item" has a bracket that is not closed',
        ),
        (
            HEAD + API + 'unless = [{ argument = "wait", equal = 0 }]\n',
            'api entry 1 ("shop.buy"), key "unless[0]": unknown key "equal"; did you mean "equals"?',
        ),
        (
            HEAD + API + 'unless = [{ argument = "wait" }]\n',
            f'api entry 1 ("shop.buy"): key "unless": a condition needs exactly one of {TESTS}, but has none',
        ),
        (
            HEAD + API + 'only_if = [{ argument = "wait", equals = 0, present = true }]\n',
            f'api entry 1 ("shop.buy"): key "only_if": a condition needs exactly one of {TESTS}, but has equals and present',
        ),
        (
            HEAD + API + "unless = [{ equals = 0 }]\n",
            'api entry 1 ("shop.buy"): key "unless": a condition needs "argument", "position" or both',
        ),
        (
            HEAD + '[[type]]\nnames = ["shop.Item"]\nenters = "self"\n',
            'type entry 1 ("shop.Item"): unknown key "enters"; did you mean "enter"?',
        ),
        (
            HEAD + '[[type]]\nnames = ["shop.Item"]\nattributes = { maker = "?" }\n',
            'type entry 1 ("shop.Item"): key "attributes.maker": type "?" has a character that no type has, at "?"',
        ),
        (HEAD + API + API, 'api "shop.buy" is there 2 times with the same conditions'),
        (HEAD + '[alias]\n"shop.api" = "shop."\n', 'alias "shop.api": "shop." is not a dotted name'),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(text)
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(path)
    assert str(caught.value) == f"{path}: {message}"


def test_says_that_a_file_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(tmp_path / "none.toml")
    assert str(caught.value) == f"{tmp_path / 'none.toml'}: cannot be read: No such file or directory"


def test_says_that_a_file_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "raw.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(tmp_path / "raw.toml")
    assert str(caught.value) == f"{tmp_path / 'raw.toml'}: not UTF-8 text"
