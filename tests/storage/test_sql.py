"""Named SQL: found by name, and every mistake in a file or a name is said."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import sql
from storage.errors import BadStatements

NAME = st.from_regex(r"[a-z]{1,6}\.[a-z]{1,6}", fullmatch=True)


def test_statements_are_loaded_by_name_from_beside_the_package() -> None:
    statements = sql.load("storage", "wakeups", "lease")
    assert statements["wakeups.notify"] == "SELECT pg_notify($1, $2)"
    assert "lease.take" in statements


def test_a_comment_under_the_heading_belongs_to_the_statement_and_a_last_semicolon_does_not() -> None:
    text = "-- head of the file\n\n-- posts.insert\n-- Put a post.\nINSERT INTO posts\nVALUES ($1);\n"
    assert sql.parse(text) == {"posts.insert": "-- Put a post.\nINSERT INTO posts\nVALUES ($1)"}


def test_a_comment_that_mentions_a_table_is_no_heading() -> None:
    assert list(sql.parse("-- a.b\n-- host.posts is read here\n-- x.y, too\nSELECT 1")) == ["a.b"]


@given(st.dictionaries(NAME, st.integers(), min_size=1))
def test_every_block_of_a_file_is_found(blocks: dict[str, int]) -> None:
    text = "\n".join(f"-- {name}\nSELECT {number};\n" for name, number in blocks.items())
    assert sql.parse(text) == {name: f"SELECT {number}" for name, number in blocks.items()}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-- a.b\nSELECT 1\n-- a.b\nSELECT 2", "two statements named a.b"),
        ("SELECT 1\n-- a.b\nSELECT 2", "before the first heading"),
        ("-- a.b\n-- only words\n-- a.c\nSELECT 1", "nothing under a.b"),
    ],
)
def test_a_file_with_a_mistake_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadStatements, match=re.escape(words)):
        sql.parse(text)


def test_an_unknown_statement_is_refused_naming_those_that_exist() -> None:
    statements = sql.load("storage", "wakeups")
    with pytest.raises(BadStatements, match=r"no statement 'wakeups.nothing'; there are wakeups.heartbeat"):
        statements["wakeups.nothing"]


def test_a_missing_file_and_a_missing_package_are_refused() -> None:
    with pytest.raises(BadStatements, match=r"storage/sql/nothing.sql cannot be read"):
        sql.load("storage", "nothing")
    with pytest.raises(BadStatements, match=r"nowhere/sql/posts.sql cannot be read"):
        sql.load("nowhere", "posts")


def test_a_name_in_two_files_is_refused() -> None:
    with pytest.raises(BadStatements, match=r"repeats wakeups.heartbeat, wakeups.notify"):
        sql.load("storage", "wakeups", "wakeups")
