"""Times as people say them, in the reader's zone."""

from datetime import datetime, tzinfo


def moment(when: datetime, now: datetime, zone: tzinfo) -> str:
    """`14:05` today, `yesterday 16:40`, `tomorrow 09:00`, else `3 Mar 16:40`, with another year in it."""
    local, today = when.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    time = local.strftime("%H:%M")
    if days == 0:
        return time
    if days in (-1, 1):
        return f"{'yesterday' if days < 0 else 'tomorrow'} {time}"
    day = f"{local.day} {local:%b}"
    return f"{day} {time}" if local.year == today.year else f"{day} {local.year} {time}"


def at_moment(when: datetime, now: datetime, zone: tzinfo) -> str:
    """The same after a verb: `at 14:05`, but plain `yesterday 16:40`."""
    said = moment(when, now, zone)
    return f"at {said}" if said[0].isdigit() and " " not in said else said


def stamp(when: datetime, beside: datetime, zone: tzinfo) -> str:
    """For what is read much later, beside a date one sees: `14:05`, on another day `3 Mar 2026 16:40`."""
    local = when.astimezone(zone)
    same_day = local.date() == beside.astimezone(zone).date()
    return f"{local:%H:%M}" if same_day else f"{local.day} {local:%b %Y %H:%M}"
