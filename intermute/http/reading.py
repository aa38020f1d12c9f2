"""What came in, as an endpoint's own types: bounded in size and time, or refused with the reason."""

import asyncio
from typing import TypeVar

from aiohttp import web
from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from intermute.errors import InvalidRequest, TooLarge
from intermute.http.endpoint import Given
from intermute.limits import MAX_BODY

SLOWEST = 10.0  #: seconds for a whole body

BAD_JSON = "invalid JSON"

Model = TypeVar("Model", bound=Given)


async def content(request: web.BaseRequest, *, within: float = SLOWEST) -> bytes:
    """The whole body. Raises TooLarge, InvalidRequest."""
    if not request.body_exists:
        return b""
    if (request.content_length or 0) > MAX_BODY:
        raise _too_large()
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    stream = request.content
    if stream.is_eof():
        return _bounded(stream.read_nowait())
    chunks, size = [], 0
    try:
        async with asyncio.timeout(within):
            while chunk := await stream.readany():
                size += len(chunk)
                if size > MAX_BODY:
                    raise _too_large()
                chunks.append(chunk)
    except TimeoutError:
        raise InvalidRequest(
            f"The body did not arrive within {within:g} seconds.", code="body_timeout"
        ) from None
    return b"".join(chunks)


def query(request: web.BaseRequest, model: type[Model]) -> Model:
    """The query's parameters; of a repeated one the first counts. Raises InvalidRequest."""
    given: dict[str, str] = {}
    for name, value in request.query.items():
        given.setdefault(name, value)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _refused(error.errors(include_url=False, include_input=False), "query parameter") from None


def body(data: bytes, model: type[Model], *, optional: bool = False) -> Model:
    """The body's JSON object. A member that is null is one that is not there. Raises InvalidRequest."""
    if optional and not data.strip():
        data = b"{}"
    try:
        return model.model_validate_json(_without_nulls(data) if b"null" in data else data, strict=True)
    except ValidationError as error:
        raise _refused(error.errors(include_url=False, include_input=False), "member") from None


def _without_nulls(data: bytes) -> bytes:
    """Go programs send null for lists and maps that they have not made."""
    try:
        given = from_json(data, allow_inf_nan=False)
    except ValueError:
        return data
    if not isinstance(given, dict):
        return data
    return to_json({name: value for name, value in given.items() if value is not None})


def _refused(errors: list[ErrorDetails], what: str) -> InvalidRequest:
    first = errors[0]
    if first["type"] == "json_invalid":
        return InvalidRequest("The body is not JSON.", code=BAD_JSON)
    if not first["loc"]:
        return InvalidRequest("The body must be a JSON object.")
    field = ".".join(str(part) for part in first["loc"])[:200]
    if first["type"] == "missing":
        return InvalidRequest(f"The {what} {field} is missing.", details={"field": field})
    reason = first["msg"].removeprefix("Value error, ")
    return InvalidRequest(f"The {what} {field} is wrong: {reason}.", details={"field": field})


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_BODY:
        raise _too_large()
    return data


def _too_large() -> TooLarge:
    return TooLarge(f"The body is larger than {MAX_BODY} bytes.")
