"""When a group's digest comes: every day or one day a week, at a time of the reader's clock. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WRITTEN = re.compile(r"(daily|weekly\s+([a-z]{2,9}))(?:\s+at)?\s+(\d{1,2})(?::(\d{2}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Schedule:
    at: time
    weekday: int | None = None  #: Monday is 0; None is every day

    def next_after(self, now: datetime, zone: tzinfo) -> datetime:
        """The first moment after `now`; a time that a clock change skips is the moment after it."""
        local = now.astimezone(zone)
        for days in range(9):
            day = local.date() + timedelta(days=days)
            if self.weekday not in (None, day.weekday()):
                continue
            moment = datetime.combine(day, self.at, zone).astimezone(UTC)
            if moment > now:
                return moment
        raise AssertionError("a week has every weekday")

    def words(self) -> str:
        """every day at 09:00, every Monday at 09:00."""
        day = "day" if self.weekday is None else WEEKDAYS[self.weekday]
        return f"every {day} at {self.at:%H:%M}"


def schedule_of(text: str) -> Schedule | None:
    """What "daily 09:00" or "weekly mon 9" means; None when it means nothing."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        return None
    hour, minute = int(match[3]), int(match[4] or 0)
    if hour > 23 or minute > 59:
        return None
    if match[2] is None:
        return Schedule(time(hour, minute))
    day = next((place for place, name in enumerate(WEEKDAYS) if _begins(name, match[2])), None)
    return None if day is None else Schedule(time(hour, minute), day)


def _begins(name: str, written: str) -> bool:
    return name.lower().startswith(written.lower())
