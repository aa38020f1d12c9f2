"""Who may talk to the web server at all: known host names, own origins, and loopback for the machine's eyes.

A hostile page in the same browser can send requests here. The `Host` list defeats DNS rebinding, the
`Origin` check foreign WebSockets and writes, the cookie's SameSite=Strict everything else.
"""

from ipaddress import IPv6Address, ip_address

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

log = structlog.get_logger()

LIVE = "/api/live"

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "intercom",
}
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - what a server listens on is not a name it is called by
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


def known_hosts(host: str, port: int, names: tuple[str, ...] = ()) -> frozenset[str]:
    """The values of the `Host` header that mean this server."""
    own = {"127.0.0.1", "localhost", "::1", host} - _EVERYWHERE
    full = {f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in own}
    if port == 80:
        full |= {name.removesuffix(":80") for name in full}
    return frozenset(name.lower() for name in full.union(names))


def guard(hosts: frozenset[str]) -> Middleware:
    """Refuse strangers with a sentence; turn surprises into one as well."""

    @web.middleware
    async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get(hdrs.HOST, "").lower() not in hosts:
            raise web.HTTPForbidden(text="This address is not the one Intercom answers to.")
        if needs_origin(request) and not own_origin(request, hosts):
            raise web.HTTPForbidden(text="Only Intercom's own page may do this.")
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception:
            # The route, not the path with its query: a one-time token must not reach the log.
            resource = request.match_info.route.resource
            log.exception("web.request_failed", route=resource.canonical if resource else "")
            raise web.HTTPInternalServerError(
                text="The host could not answer this just now; its log says why. Try again in a moment."
            ) from None

    return checked


def needs_origin(request: web.Request) -> bool:
    return request.method not in {hdrs.METH_GET, hdrs.METH_HEAD} or request.path == LIVE


def own_origin(request: web.Request, hosts: frozenset[str]) -> bool:
    scheme, _, host = request.headers.get(hdrs.ORIGIN, "").lower().partition("://")
    return scheme in {"http", "https"} and host in hosts


def from_this_machine(request: web.Request) -> bool:
    """The other end is on loopback, and not a proxy that speaks for somebody else."""
    if request.transport is None or any(name in request.headers for name in _FORWARDED):
        return False
    peer = request.transport.get_extra_info("peername")
    if not isinstance(peer, tuple):
        return False
    return is_loopback(peer[0])


def is_loopback(text: str) -> bool:
    """Also an IPv4 address as a listener for both versions sees it."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """On every response, whoever made it."""
    response.headers.update(_HEADERS)
    response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
