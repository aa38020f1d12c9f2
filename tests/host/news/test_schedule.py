"""When a digest comes: what people write, and the next moment of it in their own time zone."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.news.schedule import Schedule, schedule_of
from tests.clock import START

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("daily 09:00", "every day at 09:00"),
        ("daily at 9", "every day at 09:00"),
        ("Weekly mon 09:30", "every Monday at 09:30"),
        ("weekly sunday 23:59", "every Sunday at 23:59"),
    ],
)
def test_a_schedule_is_written_as_it_is_said(written: str, meant: str) -> None:
    schedule = schedule_of(written)
    assert schedule is not None
    assert schedule.words() == meant


@pytest.mark.parametrize(
    "written", ["", "daily", "daily 24:00", "weekly 09:00", "weekly xy 9", "daily 9:60", "9"]
)
def test_what_means_nothing_is_nothing(written: str) -> None:
    assert schedule_of(written) is None


def test_the_next_moment_is_in_the_readers_zone() -> None:
    assert Schedule(time(9)).next_after(START, BERLIN) == datetime(2026, 1, 6, 8, 0, tzinfo=UTC)


def test_a_time_the_clocks_skip_still_comes_that_day() -> None:
    before = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    moment = Schedule(time(2, 30)).next_after(before, BERLIN)
    assert moment.astimezone(BERLIN).date().isoformat() == "2026-03-29"


@given(
    at=st.times().map(lambda moment: moment.replace(microsecond=0, tzinfo=None)),
    weekday=st.none() | st.integers(0, 6),
    now=st.integers(0, 10**9).map(lambda seconds: START + timedelta(seconds=seconds)),
)
def test_the_next_moment_lies_ahead_and_not_further_than_the_rhythm(
    at: time, weekday: int | None, now: datetime
) -> None:
    moment = Schedule(at, weekday).next_after(now, BERLIN)
    longest = timedelta(days=1 if weekday is None else 7, hours=2)
    assert now < moment <= now + longest
    assert weekday in (None, moment.astimezone(BERLIN).weekday())
