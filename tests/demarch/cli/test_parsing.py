"""What the binaries print, in all the shapes they print it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarch.cli.failures import Garbled
from demarch.cli.parsing import an_object, complaint, line_of, moment_of, number_of, objects, plain, text_of

_words = st.text('aä \u05d0\n"\\{[', max_size=8)
_values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _words | st.lists(_words, max_size=2)
_objects = st.lists(st.dictionaries(st.sampled_from(["id", "x", "y"]), _values, min_size=1), max_size=4)


@given(_objects)
def test_array_lines_pretty_and_envelope_say_the_same(rows: list[dict[str, Any]]) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    shapes = [
        json.dumps(rows),
        json.dumps(rows, indent=2),
        lines,
        f"a warning first\n{lines}" if rows else "",
        json.dumps({"schema_version": 1, "data": rows}),
    ]
    for shape in shapes:
        assert list(objects(shape)) == rows


def test_one_object_alone_or_in_an_envelope_is_itself() -> None:
    for text in (
        '{"id": "a"}',
        '[{"id": "a"}]',
        '{"schema_version": 1, "data": {"id": "a"}}',
        '{"data": {"id": "a"}}',
    ):
        assert an_object(text) == {"id": "a"}
    # What `bd create` prints has the version beside its own fields.
    assert an_object('{"id": "a", "schema_version": 1}') == {"id": "a", "schema_version": 1}


@pytest.mark.parametrize(
    "text",
    ["", "\n", "null", "[]", "[null, 3]", '{"schema_version": 1, "data": []}', "12", "ok", "A new version."],
)
def test_nothing_is_no_objects_and_no_error(text: str) -> None:
    assert list(objects(text)) == []
    with pytest.raises(Garbled):
        an_object(text)


@pytest.mark.parametrize(
    "text", ["caf\ufffd", "<html>", "{", '{"id": 1', "\x00\x01", "[" * 100_000, "{'id': 1}"]
)
def test_rubbish_is_garbled(text: str) -> None:
    with pytest.raises(Garbled) as garbled:
        objects(text)
    assert len(str(garbled.value)) < 250
    assert "\x00" not in str(garbled.value)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    for read in (objects, an_object):
        try:
            read(text)
        except Garbled:
            continue
    assert "\n" not in plain(text)
    assert len(complaint(text, text)) <= 300


def test_a_torn_line_among_good_ones_is_let_go_by() -> None:
    assert [row["id"] for row in objects('{"id": 1}\n{"id": 2, "ti\n{"id": 3}\n')] == [1, 3]


def test_what_no_text_holds_is_taken_out_wherever_it_stands() -> None:
    found = an_object(
        r'{"title": "a\u0000b\u001b[31m \ud800 c\r\nd\te", "labels": ["\u0007x"], "n": {"\u0001k": "v"}}'
    )
    assert found == {"title": "ab[31m  c\nd\te", "labels": ["x"], "n": {"k": "v"}}
    assert an_object(r'{"title": "\ud83d\ude00 \u05d0\u202e"}') == {"title": "\U0001f600 \u05d0\u202e"}


def test_what_is_nested_too_deep_is_cut_before_it_breaks_somebody() -> None:
    found = an_object('{"id": "a", "metadata": ' + '{"x": [' * 300 + "1" + "]}" * 300 + "}")
    assert found["id"] == "a"
    assert 50 < len(json.dumps(found)) < 400


def test_reasons_are_found_where_the_binaries_put_them() -> None:
    assert complaint('{"error": "no issue found", "hint": "x"}', "") == "no issue found"
    assert complaint("", '{"error": "locked\\nout"}') == "locked out"
    assert complaint("", "level=ERROR msg=first\nlevel=ERROR msg=last") == "level=ERROR msg=last"
    assert (
        complaint("", "Error: no database found\nHint: run 'bd init'\n      or set BEADS_DIR\n")
        == "no database found"
    )
    assert (
        complaint("", '{"level":"ERROR","msg":"run status: not found","id":"x"}') == "run status: not found"
    )
    assert complaint("plain", "") == "plain"
    assert complaint("", "") == ""


def test_fields_of_the_wrong_kind_are_no_surprise() -> None:
    data = {"text": 5, "none": None, "flag": True, "big": 2**70, "nan": float("nan"), "line": "a\nb\u202ec"}
    assert (text_of(data, "text"), text_of(data, "none"), text_of(data, "gone")) == ("5", "", "")
    assert [number_of(data, name, 7) for name in ("flag", "big", "nan", "none", "line")] == [7] * 5
    assert line_of(data, "line") == "a bc"


@pytest.mark.parametrize(
    "value",
    [1767603600, 1767603600.0, "2026-01-05T09:00:00Z", "2026-01-05T10:00:00+01:00", "2026-01-05T09:00:00"],
)
def test_times_come_as_seconds_or_written_out(value: object) -> None:
    assert moment_of({"at": value}, "at") == datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("value", ["yesterday", -5, 10**30, True, None, [], "0000-00-00"])
def test_what_is_no_time_is_none(value: object) -> None:
    assert moment_of({"at": value}, "at") is None
