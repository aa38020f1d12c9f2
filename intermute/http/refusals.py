"""Errors as HTTP answers: one status for each branch of the tree, always a JSON body."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from pydantic_core import to_json

from intermute.errors import (
    Conflict,
    IntermuteError,
    InvalidRequest,
    LimitReached,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    TooLarge,
    Unavailable,
)
from intermute.http.routes import WrongMethod

_STATUSES: tuple[tuple[type[IntermuteError], int], ...] = (
    (TooLarge, 413),
    (InvalidRequest, 400),
    (NotAuthenticated, 401),
    (NotAllowed, 403),
    (WrongMethod, 405),
    (NotFound, 404),
    (Conflict, 409),
    (LimitReached, 429),
    (Unavailable, 503),
)
SERVER = "intermute"

_HEADERS = {
    "Content-Type": "application/json",
    "Server": SERVER,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Broken(IntermuteError):
    """A fault of ours; the log says more."""

    code = "internal_error"

    def __init__(self) -> None:
        super().__init__("The service could not do this; its log says why.")


def status(error: IntermuteError) -> int:
    return next((number for kind, number in _STATUSES if isinstance(error, kind)), 500)


def refusal(error: IntermuteError) -> web.Response:
    """What the caller gets instead of what it asked for."""
    body: dict[str, Any] = {"error": error.code, "message": str(error), **error.details}
    headers: dict[str, str] = {}
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        body["retry_after"] = retry_after
        headers["Retry-After"] = str(retry_after)
    match error:
        case WrongMethod():
            headers["Allow"] = ", ".join(error.allowed)
        case NotAuthenticated():
            headers["WWW-Authenticate"] = "Bearer"
    return answer(status(error), body, headers)


def answer(number: int, body: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON with the line end the original's answers have; None is an empty body."""
    return raw(number, b"" if body is None else to_json(body) + b"\n", headers)


def raw(number: int, content: bytes, headers: Mapping[str, str] | None = None) -> web.Response:
    """What is bytes already; JSON where the headers do not say otherwise."""
    return web.Response(status=number, body=content, headers={**_HEADERS, **headers} if headers else _HEADERS)


def unavailable(words: str) -> bytes:
    """A whole 503 for a connection that gets nothing else."""
    body = to_json({"error": Unavailable.code, "message": words, "retry_after": 1}) + b"\n"
    lines = [
        "HTTP/1.1 503 Service Unavailable",
        *(f"{name}: {value}" for name, value in _HEADERS.items()),
        f"Content-Length: {len(body)}",
        "Retry-After: 1",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
