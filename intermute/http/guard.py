"""Who is asking: a program on this machine, or somebody with a project's key. Web pages are neither.

A page open in a browser here can send requests to loopback. It cannot leave out `Origin` or `Sec-Fetch-Site`
where they matter, and after a rebinding of names it calls us by a `Host` that is not this machine: all of
these are refused. Proxies say for whom they speak, so every address they name must be on loopback too.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from aiohttp import web

from intermute.caller import Caller, Mode
from intermute.errors import NotAllowed, NotAuthenticated
from intermute.http.fields import storable
from intermute.keys import Keyring
from intermute.patience import Patience

#: the agent a token was given to; None: a token we do not know
OwnerOfToken = Callable[[str], Awaitable[str | None]]

LONGEST = 200  #: characters of an agent's id or token

#: has no credential and speaks for nobody
ANYBODY = Caller(mode=Mode.KEY)

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_QUIET_SITES = frozenset({"none", "same-origin"})


class Guard:
    def __init__(self, keyring: Keyring, owner: OwnerOfToken, patience: Patience) -> None:
        self._keyring = keyring
        self._owner = owner
        self._patience = patience

    async def admit(self, request: web.BaseRequest) -> Caller:
        """Raises NotAuthenticated, NotAllowed, StorageDown."""
        headers = request.headers
        agent = headers.get("X-Agent-ID", "").strip()
        token = headers.get("X-Agent-Token", "").strip()
        # What the database refuses would be refused to all whose questions share a statement with this one.
        if len(agent) > LONGEST or len(token) > LONGEST or not storable(agent):
            raise NotAllowed("No agent has an id or a token like this.", code="agent_unknown")
        proven = await self._proven(token, agent) if token else ""
        keys = self._keyring.keys
        if keys.local_without_key and is_local(request):
            refuse_pages(request)
            return Caller(mode=Mode.LOCAL, agent=agent, proven=proven)
        scheme, _, key = headers.get("Authorization", "").partition(" ")
        project = keys.project(key.strip()) if scheme.lower() == "bearer" else None
        if project is None:
            raise NotAuthenticated("Send a project's key: Authorization: Bearer KEY.")
        return Caller(mode=Mode.KEY, project=project, agent=agent, proven=proven)

    def anybody(self, request: web.BaseRequest) -> Caller:
        """For what is open to all, except web pages on this machine. Raises NotAllowed."""
        if is_local(request):
            refuse_pages(request)
        return ANYBODY

    async def _proven(self, token: str, agent: str) -> str:
        owner = await self._patience.read(lambda: self._owner(token))
        if owner is None:
            return ""
        if not agent:
            raise NotAllowed(
                "Send the agent's id in X-Agent-ID with its token.",
                code="agent token is bound but X-Agent-ID header is missing",
            )
        if owner != agent:
            raise NotAllowed("This token belongs to another agent.", code="agent identity mismatch")
        return owner


def is_local(request: web.BaseRequest) -> bool:
    """Over the Unix socket or from loopback, and for nobody else."""
    transport = request.transport
    if transport is None:
        return False
    peer = transport.get_extra_info("peername")
    here = not isinstance(peer, tuple) or is_loopback(str(peer[0]))
    return here and all(is_loopback(hop) for hop in _forwarded(request))


def _forwarded(request: web.BaseRequest) -> list[str]:
    """Every address a proxy says it speaks for, whichever header it uses."""
    headers = request.headers
    hops: list[str] = []
    for name in ("X-Forwarded-For", "X-Real-IP"):
        if name in headers:
            hops += [hop.strip() for value in headers.getall(name) for hop in value.split(",")]
    if "Forwarded" in headers:
        for element in ",".join(headers.getall("Forwarded")).split(","):
            pairs = [pair.strip().partition("=") for pair in element.split(";")]
            named = [value.strip(' "') for name, _, value in pairs if name.strip().lower() == "for"]
            hops += named or ["unknown"]
    return hops


@lru_cache(maxsize=1024)
def is_loopback(text: str) -> bool:
    """Also an IPv4 address as a listener for both versions sees it, with or without a port."""
    if text == "localhost":
        return True
    try:
        address = ip_address(_bare(text))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _bare(text: str) -> str:
    """An address or a name without brackets and port."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def refuse_pages(request: web.BaseRequest) -> None:
    """Raises NotAllowed for what only a browser's page sends, or for a name that is not this machine."""
    headers = request.headers
    if "Origin" in headers or headers.get("Sec-Fetch-Site", "none").lower() not in _QUIET_SITES:
        raise NotAllowed("Web pages may not use this service.", code="web_page_refused")
    if _over_tcp(request) and not _is_here(headers.get("Host", "")):
        raise NotAllowed("This service does not answer to that host name.", code="foreign_host")


def _over_tcp(request: web.BaseRequest) -> bool:
    return request.transport is not None and isinstance(request.transport.get_extra_info("peername"), tuple)


def _is_here(host: str) -> bool:
    name = _bare(host.strip().lower())
    return name in _HERE or is_loopback(name)
