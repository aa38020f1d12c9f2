"""What the spending tells others: the settings it goes by, and what people must hear of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from host.spending.money import DOLLAR
from host.spending.prices import Tariff

DAILY = 10 * DOLLAR  #: what a group may spend on a day when nobody said
WARN_PERCENT = 80
EXTEND_PERCENT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendRules:
    """The settings of the spending."""

    daily: int = DAILY  #: millionths of a US dollar
    warn_percent: int = WARN_PERCENT
    prices: Mapping[str, Tariff] = field(default_factory=dict)  #: own ones; they come before the list


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A group has spent most of its limit, for the first time on that day."""

    folder: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A request was refused because the limit is reached."""

    folder: str
    day: date
    address: str  #: the chat of the turn it belongs to; "" outside of one
    lane: str
    model: str
    needs: int  #: what the request may cost
