"""The notation of types: what it says, and what is said about a wrong one."""

import pytest

from asyncvet.catalogue import TypeRef, parse_type

PATH = TypeRef("class", "pathlib.Path")


@pytest.mark.parametrize(
    ("notation", "expected"),
    [
        ("pathlib.Path", PATH),
        ("self", TypeRef("self")),
        ("argument", TypeRef("argument")),
        ("dict", TypeRef("dict")),
        ("list[pathlib.Path]", TypeRef("list", items=(PATH,))),
        ("dict[self]", TypeRef("dict", items=(TypeRef("self"),))),
        ("async-iterator[pathlib.Path]", TypeRef("async-iterator", items=(PATH,))),
        ("context[pathlib.Path]", TypeRef("context", items=(PATH,))),
        ("tuple[pathlib.Path, self]", TypeRef("tuple", items=(PATH, TypeRef("self")))),
        ("a.B | pathlib.Path", TypeRef("union", items=(TypeRef("class", "a.B"), PATH))),
        ("iterator[tuple[a.B | self]]", TypeRef("iterator", items=(
            TypeRef("tuple", items=(TypeRef("union", items=(TypeRef("class", "a.B"), TypeRef("self"))),)),
        ))),
    ],
)  # fmt: skip
def test_reads(notation: str, expected: TypeRef) -> None:
    assert parse_type(notation) == expected


@pytest.mark.parametrize(
    ("notation", "message"),
    [
        ("", 'type "" lacks a name at its end'),
        ("list[a.B", 'type "list[a.B" has a bracket that is not closed'),
        ("list[]", 'type "list[]" lacks a name before "]"'),
        ("a.B |", 'type "a.B |" lacks a name at its end'),
        ("a.B c", 'type "a.B c" goes on after its end, at "c"'),
        ("a..B", 'type "a..B" has "a..B", which is not a dotted name'),
        ("a-b", 'type "a-b" has "a-b", which is not a dotted name'),
        ("a & b", 'type "a & b" has a character that no type has, at "& b"'),
        (
            "set[a.B]",
            'type "set[a.B]" has "set[...]", where only these hold others: '
            "list, dict, iterator, tuple, async-iterator, context, async-context",
        ),
    ],
)
def test_says_what_is_wrong(notation: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        parse_type(notation)
    assert str(caught.value) == message
