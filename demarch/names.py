"""Short ids: letters and digits from a given source, made longer until they are free."""

import secrets
import string
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from demarch.errors import KernelUnavailable

#: gives that many characters of [a-z0-9]
Letters = Callable[[int], str]

Row = TypeVar("Row")
_ALPHABET = string.ascii_lowercase + string.digits


def random_letters(length: int) -> str:
    """The production source."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


async def first_free(
    lengths: Iterable[int], letters: Letters, insert: Callable[[str], Awaitable[Row | None]]
) -> Row:
    """Insert under one candidate after the other until one is not taken."""
    for length in lengths:
        row = await insert(letters(length))
        if row is not None:
            return row
    raise KernelUnavailable("No free id was found; try again.")
