"""Topics, protocols, names and ids."""

import os
import re

import pytest

from sidechannel.errors import Refused
from sidechannel.names import base36, channel_name, message_id, protocol_of, topic_of, trimmed
from tests.sidechannel.captured import VECTORS


def test_topics_are_the_original_ones() -> None:
    for name, topic in VECTORS["topic"].items():
        assert topic_of(name).hex() == topic
        assert topic_of(f" {name}\n").hex() == topic
    assert protocol_of("0000intercom") == "sidechannel/0000intercom"


@pytest.mark.parametrize("name", ["", "  ", "x" * 257, "é" * 129])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        channel_name(name)


def test_names_are_trimmed_and_may_be_anything() -> None:
    assert channel_name(" room 1/ä \n") == "room 1/ä"
    assert len(topic_of("\ud83d")) == 32


def test_names_are_trimmed_as_javascript_trims() -> None:
    # String.prototype.trim takes U+FEFF and leaves U+0085 and U+001C; Python's strip does the opposite.
    assert trimmed("\ufeff\u00a0room\u2003\v") == "room"
    assert trimmed("\x85room\x1c") == "\x85room\x1c"


def test_ids_say_who_and_when() -> None:
    assert re.fullmatch(r"ab:123:[0-9a-z]{8}", message_id("ab", 123, os.urandom))
    assert len({base36(os.urandom) for _ in range(1000)}) == 1000
    assert base36(bytes) == "00000000"
