"""What a test lets the model do: an answer is a tuple of parts, or a refusal before any of it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.servers.models.talk import Talk


@dataclass(frozen=True, slots=True)
class Say:
    """Text, streamed word by word."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call, by the name the agent offers the tool under or by the end of that name."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing more is sent until the test sets the event."""

    until: asyncio.Event


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks, without an end of the stream."""


@dataclass(frozen=True, slots=True)
class Overload:
    """The provider gives up in the middle of a stream, in the words of its API."""


@dataclass(frozen=True, slots=True)
class Endless:
    """Text without end, a number every so many seconds, until the other side hangs up.

    Numbers, because agents notice when a model says the same over and over.
    """

    every: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the answer says it used, instead of a count of its own."""

    input: int = 0  #: neither read from a cache nor written to one
    cache_read: int = 0
    cache_write: int = 0  #: Anthropic only; the others do not bill it
    output: int = 0
    thought: int = 0  #: of the output; told apart where the API does


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """An error status instead of an answer, in the shape of the API."""

    status: int
    retry_after: float | None = None
    message: str = "refused by the test"


Part = Say | Call | Hold | Cut | Overload | Endless | Spent
Answer = tuple[Part, ...] | Refuse
Script = Callable[[Talk], Answer]


def echo(talk: Talk) -> Answer:
    """The model that nobody told anything else."""
    return (Say(f"You said: {talk.words[-200:]}"),)


class Rules:
    """Answers by what the person said last: the n-th answer of a phrase follows n-1 rounds of tool calls.

    No state is kept, so a request that an agent repeats gets the same answer again.
    """

    def __init__(self, rules: Mapping[str, tuple[Answer, ...]], otherwise: Script = echo) -> None:
        self._rules = dict(rules)
        self._otherwise = otherwise

    def __call__(self, talk: Talk) -> Answer:
        found = [phrase for phrase in self._rules if phrase in talk.words]
        if not found:
            return self._otherwise(talk)
        latest = max(found, key=talk.words.rindex)
        answers = self._rules[latest]
        if talk.rounds >= len(answers):
            return Refuse(status=400, message=f"the test tells no answer {talk.rounds + 1} to {latest!r}")
        return answers[talk.rounds]
