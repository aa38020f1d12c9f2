"""Whatever people and agents write can be kept."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.database import Database, encode_json
from storage.text import storable, storable_json

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=10,
)
SHARED_DATABASE = [HealthCheck.function_scoped_fixture]


@given(ANY_TEXT)
def test_storable_text_encodes_and_keeps_every_good_character(text: str) -> None:
    stored = storable(text)
    assert "\x00" not in stored
    assert len(stored) == len(text)
    assert stored.encode().decode() == stored
    assert all(new == old or new == "\ufffd" for new, old in zip(stored, text, strict=True))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_good_text_stays_itself(text: str) -> None:
    assert storable(text) is text or storable(text) == text


@given(ANY_JSON)
def test_json_is_encoded_as_if_its_strings_had_been_made_storable(value: object) -> None:
    assert json.loads(encode_json(value)) == storable_json(value)


def test_a_backslash_before_u0000_is_text_and_stays() -> None:
    text = "a\\u0000 \\\\u0000 \\"
    assert json.loads(encode_json({"t": text})) == {"t": text}
    assert json.loads(encode_json("\\\x00")) == "\\\ufffd"


@given(st.data())
@settings(max_examples=20, suppress_health_check=SHARED_DATABASE, deadline=None)
async def test_postgres_keeps_any_storable_text_and_any_json(database_url: str, data: st.DataObject) -> None:
    async with Database.open(database_url, size=1) as database:
        for _ in range(5):
            text, value = data.draw(ANY_TEXT), data.draw(ANY_JSON)
            row = await database.fetchrow(
                "SELECT $1::text AS text, $2::jsonb AS value", storable(text), value
            )
            assert row is not None
            assert (row["text"], row["value"]) == (storable(text), storable_json(value))
