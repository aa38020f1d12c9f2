"""Asks one provider, and asks again where that is right, as long as nothing of an answer was passed on."""

import asyncio
import io
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import aiohttp
import structlog
from multidict import CIMultiDict
from yarl import URL

from container.broker import troubles
from container.broker.bounds import Bounds
from container.broker.counting import told_fault
from container.broker.credentials import NoCredential
from container.broker.port import Trouble
from container.broker.providers import Provider

LARGEST_ERROR = 64 * 1024
ERROR_WITHIN = 5.0
FIRST_WAIT = 0.5
LONGEST_RETRY_AFTER = 24 * 3600.0
#: asking again helps: too slow, in conflict, too early, too many, or a fault over there
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})

RETRY_DELAY = re.compile(rb'"retryDelay"\s*:\s*"(\d{1,6}(?:\.\d{1,9})?)s"')

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """The provider gave none."""

    trouble: Trouble
    used: bool = False  #: it may have worked on it all the same
    status: int | None = None  #: its own error, when the agent can make use of it: too long a prompt, say
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failed:
    """One try."""

    answer: NoAnswer
    again: bool = False
    wait: float | None = None  #: seconds the provider asks us to wait
    credential: bool = False  #: it did not take ours


class Upstream:
    """The connections to one provider."""

    def __init__(
        self,
        provider: Provider,
        http: aiohttp.ClientSession,
        bounds: Bounds,
        *,
        sleep: Callable[[float], Awaitable[None]],
        random: Callable[[], float],
    ) -> None:
        self.provider = provider
        self._http = http
        self._bounds = bounds
        self._sleep = sleep
        self._random = random

    async def ask(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> aiohttp.ClientResponse | NoAnswer:
        """A response with status 200, which the caller closes, or why there is none."""
        url = URL(self.provider.base_url.rstrip("/") + path, encoded=True).with_query(query)
        patience, renewed, tries = self._bounds.patience, False, 0
        while True:
            try:
                shown = await self.provider.credential.headers(self._http)
                tries += 1
                result = await self._once(url, merged(headers, shown), body, tries)
                if isinstance(result, aiohttp.ClientResponse):
                    return result
                if result.credential and not renewed:
                    renewed = True
                    if await self.provider.credential.renew(self._http, shown):
                        continue
            except NoCredential as error:
                return NoAnswer(trouble=troubles.credential(self.provider.title, str(error)))
            wait = self._wait(tries) if result.wait is None else result.wait
            if not result.again or tries >= self._bounds.tries or wait > patience:
                return _hidden(result.answer, shown)
            patience -= wait
            log.info("model.asked_again", provider=self.provider.title, tries=tries, wait=round(wait, 2))
            await self._sleep(wait)

    async def _once(
        self, url: URL, headers: CIMultiDict[str], body: bytes, tries: int
    ) -> aiohttp.ClientResponse | _Failed:
        title = self.provider.title
        try:
            async with asyncio.timeout(self._bounds.first_byte):
                # A stream, since the client would rather not send so many bytes in one piece.
                response = await self._http.post(
                    url, data=io.BytesIO(body), headers=headers, allow_redirects=False
                )
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientError, OSError) as error:
            if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientError):
                trouble = troubles.silent(title, self._bounds.first_byte)
                return _Failed(answer=NoAnswer(trouble=trouble, used=True))
            log.info("model.unreachable", provider=title, error=type(error).__name__)
            return _Failed(answer=NoAnswer(trouble=troubles.unreachable(title, tries)), again=True)
        if response.status == 200:
            return response
        async with response:
            return _failed(title, response, await _error_body(response), tries)

    def _wait(self, tries: int) -> float:
        """Twice as long each time, and by chance, so that not all ask at the same moment."""
        return FIRST_WAIT * float(2 ** (tries - 1)) * (0.5 + self._random())


def merged(headers: Mapping[str, str], shown: Mapping[str, str]) -> CIMultiDict[str]:
    """What is sent: the container's own headers, and ours instead of its where both name one."""
    sent: CIMultiDict[str] = CIMultiDict(headers)
    for name, value in shown.items():
        both = name == "anthropic-beta" and name in sent
        sent[name] = f"{sent[name]},{value}" if both else value
    sent["content-type"] = "application/json"
    sent["accept-encoding"] = "identity"  # nothing to unpack between the provider and the container
    return sent


def _failed(title: str, response: aiohttp.ClientResponse, body: bytes, tries: int) -> _Failed:
    status, quote = response.status, _quote(body)
    wait = _asked_wait(response.headers.get("retry-after", "")) or _told_wait(body)
    if b"insufficient_quota" in body or b"credit balance is too low" in body or status == 402:
        return _Failed(answer=NoAnswer(trouble=troubles.exhausted(title, quote)))
    unknown_key = status == 401 or (status == 400 and b"API key not valid" in body)  # Google says it so
    if unknown_key or status == 403:
        return _Failed(answer=NoAnswer(trouble=troubles.refused_key(title, status)), credential=unknown_key)
    if status == 429:
        return _Failed(answer=NoAnswer(trouble=troubles.limited(title, wait, tries)), again=True, wait=wait)
    if status in PASSING or status >= 500:
        trouble = troubles.overloaded(title, status, tries)
        return _Failed(answer=NoAnswer(trouble=trouble), again=status in PASSING, wait=wait)
    if status < 400:
        return _Failed(answer=NoAnswer(trouble=troubles.moved(title, status)))
    trouble = troubles.refused(title, status, quote)
    own = status if _is_object(body) else None
    return _Failed(answer=NoAnswer(trouble=trouble, status=own, body=body if own else b""))


def _hidden(answer: NoAnswer, shown: Mapping[str, str]) -> NoAnswer:
    """Without what we showed the provider, should it have repeated that."""
    body, sentence = answer.body, answer.trouble.sentence
    for value in shown.values():
        secret = value.removeprefix("Bearer ")
        body = body.replace(secret.encode(), b"***")
        sentence = sentence.replace(secret, "***")
    return replace(answer, body=body, trouble=replace(answer.trouble, sentence=sentence))


async def _error_body(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(ERROR_WITHIN):
            while len(body) < LARGEST_ERROR and (piece := await response.content.read(LARGEST_ERROR)):
                body += piece
    except (aiohttp.ClientError, OSError):
        pass  # the status says enough
    return body[:LARGEST_ERROR]


def _told_wait(body: bytes) -> float | None:
    """Google tells in the error itself how long to wait: `"retryDelay": "3s"`."""
    found = RETRY_DELAY.search(body)
    return _asked_wait(found.group(1).decode()) if found else None


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _quote(body: bytes) -> str:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return told_fault(message) if isinstance(message, dict) else ""


def _asked_wait(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 <= seconds <= LONGEST_RETRY_AFTER else None
