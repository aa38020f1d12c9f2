"""One row of the HTTP interface: what a request looks like, what is done with it, what comes back.

The tables of endpoints make the routes, the checks of what comes in, and the OpenAPI document.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from intermute.caller import Caller


class Given(BaseModel):
    """What comes in: unknown members are ignored, values are frozen."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Nothing(Given):
    """No query parameters, or no body."""


Query = TypeVar("Query", bound=Given)
Body = TypeVar("Body", bound=Given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[Query, Body]):
    """A request that was let in and parsed."""

    caller: Caller
    path: Mapping[str, str]  #: the parameters in the path, decoded
    query: Query
    body: Body
    headers: Mapping[str, str] = field(default_factory=dict)  #: as they came, names in any case


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A body that goes on until the client leaves or the service ends, for `Reply.body`."""

    chunks: AsyncGenerator[bytes, None]
    media: str = "text/event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`body` becomes JSON; None is an empty body, bytes and a Flow are sent as they are."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[Query, Body]):
    """`replies` give the shape of each good answer: a TypedDict or what pydantic can describe; None: empty.

    `errors` are the statuses beyond those every endpoint may answer (400, 401, 403, 413, 429, 500, 503).
    """

    method: str
    path: str
    summary: str
    tag: str
    run: Callable[[Request[Query, Body]], Awaitable[Reply]]
    query: type[Query]
    body: type[Body]
    replies: Mapping[int, Any]
    errors: tuple[int, ...] = ()
    body_optional: bool = False
    open: bool = False  #: served without a credential
    media: str = "application/json"  #: of its good answers
    stream: str = ""  #: the media type of a Flow it answers with when asked for that
    deadline: float | None = None  #: seconds it may take; None: the service's own patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """A path that becomes a WebSocket. `run` gets the request as aiohttp has it, and who asks."""

    path: str
    summary: str
    query: type[Given]
    run: Callable[[web.BaseRequest, Caller, Mapping[str, str]], Awaitable[web.StreamResponse]]


AnyEndpoint = Endpoint[Any, Any]
