"""So many times within so many seconds, per person, and bounded in what is remembered."""

from datetime import timedelta

from bridges.web.pace import Pace
from tests.clock import START


def test_the_window_slides() -> None:
    pace = Pace(2, 10)
    for second in (0, 4):
        assert pace.wait("ana", START + timedelta(seconds=second)) == 0
        pace.count("ana", START + timedelta(seconds=second))
    assert pace.wait("ana", START + timedelta(seconds=5)) == 5
    assert pace.wait("ben", START + timedelta(seconds=5)) == 0
    assert pace.wait("ana", START + timedelta(seconds=10)) == 0


def test_only_so_many_people_are_remembered() -> None:
    pace = Pace(1, 10, keys=2)
    for name in ("ana", "ben", "cleo"):
        pace.count(name, START)
    assert [pace.wait(name, START) for name in ("ana", "ben", "cleo")] == [0, 10, 10]
