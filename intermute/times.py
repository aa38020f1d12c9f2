"""Times on the wire: RFC 3339 in UTC with `Z`, as Go programs read and write them."""

from datetime import UTC, datetime

#: Go's zero time; its clients send it for "not set"
UNSET_YEAR = 1


def seconds(at: datetime) -> str:
    """`2026-01-02T15:04:05Z`: whole seconds (agents, presence, the end of a thread)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def precise(at: datetime) -> str:
    """`2026-01-02T15:04:05.25Z`: as fine as we know it, without trailing zeros (everything else)."""
    at = at.astimezone(UTC)
    whole = f"{at:%Y-%m-%dT%H:%M:%S}"
    return f"{whole}.{at.microsecond:06}".rstrip("0") + "Z" if at.microsecond else f"{whole}Z"


def given(at: datetime | None) -> datetime | None:
    """A time somebody sent, aware; None where it is Go's way to say that there is none."""
    if at is None or at.year <= UNSET_YEAR:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
