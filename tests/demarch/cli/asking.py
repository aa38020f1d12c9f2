"""Asks a kernel the way an agent does."""

from typing import Any

from demarch.calls import parse
from demarch.kernel import Kernel, Outcome


async def ask(kernel: Kernel, name: str, **arguments: Any) -> Outcome:
    return await kernel.read(parse(name, arguments))
