"""Version 7 UUIDs: the example of RFC 9562, and that they sort by the time they were made."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from storage.clock import SystemClock
from storage.ids import NewId, new_ids, uuid7
from tests.clock import HandClock

RANDOM = st.integers(0, 2**74 - 1)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2500, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_rfc_9562_example_is_reproduced() -> None:
    example = UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
    when = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)  # 0x017F22E279B0 milliseconds, as in appendix A.6
    assert int(when.timestamp() * 1000) == 0x017F22E279B0
    assert uuid7(when, 0xCC3 << 62 | 0x18C4DC0C0C07398F) == example


@given(TIMES, RANDOM)
def test_every_id_says_its_version_and_its_millisecond(when: datetime, random: int) -> None:
    made = uuid7(when, random)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == int(when.timestamp() * 1000)


@given(TIMES, RANDOM, RANDOM, st.integers(1, 10**9))
def test_a_later_millisecond_sorts_later_as_number_and_as_text(
    when: datetime, random: int, other: int, later: int
) -> None:
    first, second = uuid7(when, random), uuid7(when + timedelta(milliseconds=later), other)
    assert first < second
    assert str(first) < str(second)


@given(TIMES, RANDOM, RANDOM)
def test_different_randomness_gives_different_ids_in_its_own_order(
    when: datetime, random: int, other: int
) -> None:
    assert (uuid7(when, random) < uuid7(when, other)) == (random < other)


def test_the_production_source_follows_its_clock_and_never_repeats() -> None:
    clock = HandClock()
    new_id = new_ids(clock)
    made = [new_id() for _ in range(1000)]
    assert made == sorted(set(made))
    assert {one.int >> 80 for one in made} == {int(clock.now().timestamp() * 1000)}
    assert new_ids(SystemClock())() > made[0] or SystemClock().now() < clock.now()


async def test_the_production_source_goes_on_rising_when_the_clock_steps_back() -> None:
    clock = HandClock()
    new_id = new_ids(clock)
    before = new_id()
    await clock.advance(-60)
    assert before < new_id() < new_id()


def test_the_tests_own_ids_sort_in_the_order_they_were_asked_for(new_id: NewId) -> None:
    made = [new_id() for _ in range(100)]
    assert made == sorted(set(made))
