"""What the broker asks of the host: may this request be made, what did it cost, what went wrong.

RequestRefused
├── NotAllowed     the group may not do this (model, provider's tool, route)
├── BudgetSpent    the group's spend limit is reached
└── Unrecorded     what it costs cannot be stored at the moment; trying again later may help
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from container.agent import ModelApi


class RequestRefused(Exception):
    """The request does not leave the host; the message is a sentence for people and agent."""


class NotAllowed(RequestRefused):
    """The group may not do this."""


class BudgetSpent(RequestRefused):
    """The group's spend limit is reached."""


class Unrecorded(RequestRefused):
    """What it costs cannot be stored at the moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a container may ask of its provider; read anew for every request."""

    api: ModelApi
    models: frozenset[str]  #: the ids it may name; empty allows none
    provider_tools: bool = False  #: search, fetch, remote tools and files on the provider's side


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One request as it is about to be made, with what it may cost at most."""

    api: ModelApi
    model: str
    input_tokens: int  #: an estimate that errs on the high side
    output_tokens: int  #: the most it lets the model answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What was set aside for one request."""

    id: UUID
    #: what the answer may be long at most: as asked, or less when the rest of the limit pays no more.
    #: The broker makes the request say so (and a budget for thoughts fit beneath it).
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the provider says was used. All counts are of tokens; none is counted in two fields."""

    input: int = 0  #: neither read from a cache nor written to one
    cache_read: int = 0
    cache_write: int = 0  #: for minutes, as is usual
    cache_write_hour: int = 0  #: for an hour, where the provider offers that and charges more for it
    output: int = 0  #: thoughts included


class TroubleKind(StrEnum):
    """Why the provider gave no answer."""

    CREDENTIAL = "credential"  #: it does not accept ours, or there is none
    LIMITED = "limited"  #: too many requests
    OVERLOADED = "overloaded"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"  #: it found the request wrong, or we did
    BUDGET = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A request that ended without an answer."""

    kind: TroubleKind
    sentence: str  #: what did not happen, why, and what to do; for people


class Account(Protocol):
    """One container's account with the host; who is calling is decided by whose account this is."""

    def grant(self) -> Grant: ...

    def reserve(self, request: ModelRequest) -> Reservation:
        """Set the highest cost of the request aside, at once and for all callers. Raises RequestRefused."""
        ...

    async def recorded(self, reservation: UUID) -> None:
        """Return when the reservation is stored. Nothing of the answer is passed on before.

        Raises Unrecorded when that takes too long; the caller still settles it.
        """
        ...

    def settle(self, reservation: UUID, usage: Usage | None) -> None:
        """Replace the reservation by what was used; None: nothing is known, so all of it was.

        A request that never reached the provider is settled with an empty usage. Stored soon after.
        """
        ...

    def trouble(self, trouble: Trouble | None, model: str = "") -> None:
        """How a request to `model` ended; None: well.

        A success ends the trouble of its own model only: what an agent asks a small one beside its answer
        says nothing about the answer. A trouble without a model is ended by any success.
        """
        ...
