"""Reservations and places in line as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import NotRequired, cast

from typing_extensions import TypedDict

from intermute import times
from intermute.reservations.ledger import Verdict
from intermute.reservations.line import Place
from intermute.reservations.obstacles import Obstacles
from intermute.reservations.reservation import Reservation


class Held(TypedDict):
    """A reservation; `token` is its fencing token."""

    id: str
    agent_id: str
    held_by: str
    project: str
    path_pattern: str
    exclusive: bool
    reason: NotRequired[str]
    token: int
    created_at: str
    expires_at: str
    released_at: NotRequired[str]
    ended: NotRequired[str]
    is_active: bool


class HeldTogether(Held):
    """The first of several; with all of them, where the request named several patterns."""

    reservations: NotRequired[list[Held]]


class HeldPage(TypedDict):
    """The newest first. `cursor` asks for those after them, where there are `more`."""

    reservations: list[Held]
    cursor: int
    more: bool


class InTheWay(TypedDict):
    """`reservation_id` is empty for somebody who only waits, by `waiting_id`, but came first."""

    reservation_id: str
    agent_id: str
    held_by: str
    pattern: str
    reason: NotRequired[str]
    expires_at: str
    expires_in_seconds: int
    exclusive: bool
    requested: str
    waiting_id: NotRequired[str]


class Checked(TypedDict):
    """`conflicts` is null when nothing is in the way."""

    conflicts: list[InTheWay] | None
    more: bool


class InLine(TypedDict):
    """A place in line; 1 is served next. Its id becomes that of the (first) reservation."""

    id: str
    waiting: bool
    place: int
    agent_id: str
    project: str
    patterns: list[str]
    exclusive: bool
    reason: NotRequired[str]
    created_at: str
    expires_at: str


class InLineBehind(InLine):
    conflicts: list[InTheWay]


class Line(TypedDict):
    """The first first. `cursor` asks for those behind them, where there are `more`."""

    waiting: list[InLine]
    cursor: int
    more: bool


class Fence(TypedDict):
    """`reason` is empty for a valid token, else unknown, ended or elsewhere."""

    valid: bool
    reason: str
    token: int
    latest_token: int
    reservation: Held | None


def held(one: Reservation, now: datetime) -> Held:
    shown: Held = {
        "id": one.id,
        "agent_id": one.agent,
        "held_by": one.held_by,
        "project": one.project,
        "path_pattern": one.pattern,
        "exclusive": one.exclusive,
        "token": one.token,
        "created_at": times.precise(one.created_at),
        "expires_at": times.precise(one.expires_at),
        "is_active": one.active(now),
    }
    if one.reason:
        shown["reason"] = one.reason
    if one.released_at:
        shown["released_at"] = times.precise(one.released_at)
        shown["ended"] = one.ended
    return shown


def together(granted: Sequence[Reservation], now: datetime) -> HeldTogether:
    shown = [held(one, now) for one in granted]
    first = cast(HeldTogether, dict(shown[0]))
    if len(shown) > 1:
        first["reservations"] = shown
    return first


def in_the_way(obstacles: Obstacles, now: datetime) -> list[InTheWay]:
    return [cast(InTheWay, obstacle.told(now)) for obstacle in obstacles.found]


def in_line(place: Place) -> InLine:
    waiter = place.waiter
    shown: InLine = {
        "id": waiter.claim.id,
        "waiting": True,
        "place": place.place,
        "agent_id": waiter.claim.agent,
        "project": waiter.claim.project,
        "patterns": list(waiter.claim.texts),
        "exclusive": waiter.claim.exclusive,
        "created_at": times.precise(waiter.created_at),
        "expires_at": times.precise(waiter.expires_at),
    }
    if waiter.claim.reason:
        shown["reason"] = waiter.claim.reason
    return shown


def fence(verdict: Verdict, token: int, now: datetime) -> Fence:
    return {
        "valid": verdict.valid,
        "reason": verdict.reason,
        "token": token,
        "latest_token": verdict.latest,
        "reservation": None if verdict.reservation is None else held(verdict.reservation, now),
    }
