"""What every API's writer can do; each turns the model's doings into the bytes of its protocol."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from tests.servers.models.script import Spent
from tests.servers.models.talk import Json


class Writer(Protocol):
    """The bytes of one answer, in the order of the calls. `whole` is the same answer unstreamed."""

    def begin(self, spent: Spent) -> bytes: ...

    def text(self, piece: str) -> bytes: ...

    def call(self, name: str, arguments: Mapping[str, Any]) -> bytes: ...

    def end(self, spent: Spent) -> bytes: ...

    def overload(self) -> bytes: ...

    def whole(self, spent: Spent) -> Json: ...


def event(name: str, data: Mapping[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def in_pieces(text: str, size: int = 12) -> list[str]:
    """As arguments are streamed: cut anywhere."""
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]
