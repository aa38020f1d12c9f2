"""Numbers as JavaScript prints them: doubles, in the shortest digits, with its own rule for exponents."""

import math

SAFE = 2**53


def js_number(value: int | float) -> str:
    """What JSON.stringify prints for the double nearest to value; what no double holds is null."""
    if isinstance(value, int) and -SAFE <= value <= SAFE:
        return str(value)
    try:
        real = float(value)
    except OverflowError:
        return "null"
    if not math.isfinite(real):
        return "null"
    if real == 0:
        return "0"
    digits, point = _digits(abs(real))
    return ("-" if real < 0 else "") + _placed(digits, point)


def as_double(text: str) -> int | float | None:
    """Read a JSON number as JavaScript does; whole ones within 2^53 as int, too large ones as None.

    A JavaScript peer reads 1e400 as Infinity and prints Infinity as null, so None is what it would sign.
    """
    real = float(text)
    if math.isinf(real):
        return None
    if -SAFE <= real <= SAFE and real.is_integer():
        return int(real)
    return real


def as_integer(text: str) -> int | float | None:
    """Read the text of a JSON integer; 15 digits always fit a double."""
    return int(text) if len(text) <= 15 else as_double(text)


def _digits(real: float) -> tuple[str, int]:
    """The shortest digits that read back as real, and where the decimal point stands among them."""
    mantissa, _, exponent = repr(real).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return digits.rstrip("0"), point


def _placed(digits: str, point: int) -> str:
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"
