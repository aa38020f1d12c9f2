"""Money: whole millionths of a US dollar inside, dollars and cents where people read and write it."""

import re
from decimal import ROUND_HALF_UP, Decimal

DOLLAR = 1_000_000
CENT = 10_000
MOST = 1_000_000 * DOLLAR  #: nobody means more; keeps what is typed within what is stored
_TYPED = re.compile(r"\$?\s*(\d{1,7}(?:[.,]\d{1,6})?)\s*(?:USD|\$)?", re.IGNORECASE | re.ASCII)


def usd(amount: int) -> str:
    """`$1.20`; what is less than a cent and not nothing is not shown as nothing."""
    if 0 < abs(amount) < CENT:
        return "less than $0.01"
    cents = (Decimal(amount) / CENT).quantize(Decimal(1), ROUND_HALF_UP)
    return f"{'-' if cents < 0 else ''}${abs(cents) / 100:,.2f}"


def whole_cents(amount: int) -> int:
    """Rounded up, so that what is shown is enough."""
    return -(-amount // CENT) * CENT


def short_usd(amount: int) -> str:
    """The same for the axis of a chart, where it must be short: `$15`, `$1.50`, `$0.002`."""
    dollars = Decimal(amount) / DOLLAR
    return f"${dollars.normalize():f}" if dollars % 1 == 0 or abs(amount) < CENT else f"${dollars:,.2f}"


def parse_usd(typed: str) -> int | None:
    """What a person typed, such as `10`, `$2.50` or `2,50`; None when that is no amount."""
    found = _TYPED.fullmatch(typed.strip())
    if found is None:
        return None
    amount = int(Decimal(found[1].replace(",", ".")) * DOLLAR)
    return amount if amount <= MOST else None


def from_usd(dollars: float | Decimal) -> int:
    """A setting in dollars as millionths."""
    return int((Decimal(str(dollars)) * DOLLAR).to_integral_value(ROUND_HALF_UP))
