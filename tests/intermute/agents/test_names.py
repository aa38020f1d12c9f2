"""Names of agents that bring none."""

import random
import re

from intermute.agents.names import FIRST, LAST, READY, THING, new_name


def test_there_are_many_names_and_every_one_once() -> None:
    assert len(READY) == len(set(READY)) >= 100
    for words in (FIRST, THING, LAST):
        assert len(words) == len(set(words))


def test_names_are_ready_ones_or_put_together() -> None:
    chance = random.Random(7)  # noqa: S311 - the same names in every run
    names = [new_name(chance.randbytes) for _ in range(5000)]
    ready = [name for name in names if name in READY]
    made = set(names) - set(READY)
    assert 0.55 < len(ready) / len(names) < 0.65
    assert set(ready) == set(READY)
    assert len(made) > 1000
    pattern = re.compile(rf"({'|'.join(FIRST)}) ({'|'.join(THING)})( ({'|'.join(LAST)}))?")
    assert all(pattern.fullmatch(name) for name in made)
    assert any(len(name.split()) == 2 for name in made)
