"""A request as the model sees it, the same for every API, and what the server remembers of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Api = Literal["anthropic", "openai", "gemini"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What was said so far, and which tools there are."""

    model: str
    words: str  #: what the person said last
    rounds: int  #: answers of the model since then
    results: tuple[str, ...]  #: of the tools it called since then
    history: tuple[tuple[str, str], ...]  #: (user | model, text) of everything said
    system: str
    tools: tuple[str, ...]  #: by the names they are offered under
    side: bool  #: the agent asks for itself (a title, a check) and not for the person
    streamed: bool

    def tool(self, name: str) -> str:
        """The offered name of a tool, which may carry its server's name in front."""
        fits = [offered for offered in self.tools if offered == name or offered.endswith(f"_{name}")]
        return min(fits, key=len) if fits else name


class WrongRequest(Exception):
    """What the real API would answer to this request."""

    def __init__(self, status: int, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind


def need(condition: object, message: str, status: int = 400, kind: str = "") -> None:
    if not condition:
        raise WrongRequest(status, message, kind)


@dataclass(slots=True, kw_only=True)
class Asked:
    """One request that was received, whatever became of it."""

    api: Api
    method: str
    path: str
    headers: Mapping[str, str]  #: names in lower case
    raw: bytes
    at: float  #: of the loop's clock
    body: Json = field(default_factory=dict)
    talk: Talk | None = None
    status: int = 0
    words_sent: int = 0
    outcome: str = ""  #: answered, refused, cut, left (the other side hung up)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def everything(self) -> str:
        """All of it as one text, to look for what must not be in it."""
        lines = [f"{self.method} {self.path}", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\n".join([*lines, self.raw.decode(errors="replace")])


@dataclass(frozen=True, slots=True)
class Piece:
    """Something said in a request, in order."""

    who: Literal["user", "model", "result"]
    text: str


def rounds_and_results(pieces: list[Piece]) -> tuple[str, int, tuple[str, ...]]:
    """What the person said last, how often the model answered since, and what its tools answered."""
    last = max((at for at, piece in enumerate(pieces) if piece.who == "user"), default=-1)
    first = last  # words that came in one go may be several pieces
    while first > 0 and pieces[first - 1].who == "user":
        first -= 1
    words = "\n".join(piece.text for piece in pieces[max(first, 0) : last + 1])
    since = pieces[last + 1 :]
    rounds = sum(
        1
        for at, piece in enumerate(since)
        if piece.who == "model" and (at == 0 or since[at - 1].who != "model")
    )
    return words, rounds, tuple(piece.text for piece in since if piece.who == "result")
