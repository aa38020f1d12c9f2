"""One container's way out: what it asks for is checked step by step, and every refusal is a sentence."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from container.egress.addresses import is_public
from container.egress.asking import OPEN, PORT, Refused, answer, target
from container.egress.hello import LARGEST, NotHello, server_name
from container.egress.names import BadHost, host_name, shown
from container.egress.passages import Passage, Verdict, Watch
from container.egress.tunnel import CHUNK, End, Tunnel
from container.wire import Allowance

log = structlog.get_logger()

#: the policy of one container, read anew for each tunnel: names as `host_name` writes them
Hosts = Callable[[], frozenset[str]]
#: all addresses of a name; raises OSError
Resolve = Callable[[str], Awaitable[Sequence[str]]]
#: a connection to this very address; raises OSError, of which LeadsBack is one
Connect = Callable[[str], Awaitable[End]]

_TRIED = 3  #: addresses of a name
_NAMED = 12  #: hosts named in a refusal
#: what TLS calls "access denied", as a record
_ALERT = bytes([21, 3, 3, 0, 2, 2, 49])


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What lies outside, as it is reached."""

    resolve: Resolve
    connect: Connect
    public: Callable[[str], bool] = is_public


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much one container may have, and how long things may take, in seconds."""

    connections: int = 96  #: that have come in, whatever they want
    tunnels: int = 48  #: open at once
    a_second: float = 4.0  #: new ones, on average
    at_once: int = 64  #: new ones before that counts
    head: float = 10.0
    lookup: float = 5.0
    connect: float = 10.0
    hello: float = 10.0
    idle: float = 300.0
    total: float = 6 * 3600.0


class LeadsBack(OSError):
    """The connection leads to where it comes from: this machine's own public address is no way out."""


class Gate:
    """Serves the connections of one container."""

    def __init__(self, key: str, hosts: Hosts, world: World, watch: Watch, bounds: Bounds) -> None:
        self._key = key
        self._hosts = hosts
        self._world = world
        self._watch = watch
        self._bounds = bounds
        self._pace = Allowance(bounds.a_second, bounds.at_once)
        self._connections = 0
        self._tunnels = 0

    def enter(self) -> bool:
        """Take one connection in; False when there are too many, and then it is to be hung up on."""
        if self._connections >= self._bounds.connections:
            self._watch(Passage(key=self._key, verdict=Verdict.BUSY))
            return False
        self._connections += 1
        return True

    async def serve(self, client: End) -> None:
        """One connection that was taken in, to its end. Nothing a client or a server does raises."""
        began = asyncio.get_running_loop().time()
        try:
            passage = await self._serve(client)
        except OSError:  # the client is gone
            return
        except asyncio.CancelledError:
            client.writer.transport.abort()
            raise
        except Exception:
            log.exception("egress.failed", key=self._key)
            return
        finally:
            self._connections -= 1
            await client.close()
        self._watch(replace(passage, seconds=asyncio.get_running_loop().time() - began))

    async def _serve(self, client: End) -> Passage:
        try:
            host = target(await self._head(client))
            self._admit(host)
        except Refused as refused:
            return await self._refuse(client, refused)
        self._tunnels += 1
        try:
            return await self._open(client, host)
        except Refused as refused:
            return await self._refuse(client, refused)
        finally:
            self._tunnels -= 1

    async def _open(self, client: End, host: str) -> Passage:
        address, server = await self._reach(host)
        tunnel = Tunnel(client, server, idle=self._bounds.idle, total=self._bounds.total)
        verdict = Verdict.SERVED
        try:
            client.writer.write(OPEN)
            await client.writer.drain()
            await tunnel.run(await self._hello(client, host))
        except Refused as refused:  # too late for HTTP
            verdict = refused.verdict
            client.writer.write(_ALERT)
        except asyncio.CancelledError:
            server.writer.transport.abort()
            raise
        finally:
            await server.close()
        return Passage(
            key=self._key,
            verdict=verdict,
            host=host,
            port=PORT,
            address=address,
            sent=tunnel.sent,
            received=tunnel.received,
        )

    async def _head(self, client: End) -> bytes:
        try:
            async with asyncio.timeout(self._bounds.head):
                return await client.reader.readuntil(b"\r\n\r\n")
        except TimeoutError as error:
            raise Refused(408, "No request came in time.", Verdict.SLOW) from error
        except asyncio.IncompleteReadError as error:
            raise Refused(400, "The request is not whole.", Verdict.MALFORMED) from error
        except asyncio.LimitOverrunError as error:
            raise Refused(400, "The request's head is too long.", Verdict.MALFORMED) from error

    def _admit(self, host: str) -> None:
        allowed = self._hosts()
        if host not in allowed:
            names = sorted(allowed)
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            may = f"Allowed: {', '.join(names[:_NAMED])}{more}." if names else "No host is allowed."
            sentence = f"{shown(host)} is not among the hosts an owner of this group has allowed. {may}"
            raise Refused(403, sentence, Verdict.NOT_ALLOWED, host, PORT)
        if self._tunnels >= self._bounds.tunnels:
            sentence = f"There are {self._tunnels} connections open already, which is the most."
            raise Refused(503, sentence, Verdict.BUSY, host, PORT)
        if pause := self._pace.take():
            sentence = f"Too many connections in a short time; the next one may be made in {pause:.1f} s."
            raise Refused(429, sentence, Verdict.BUSY, host, PORT)

    async def _reach(self, host: str) -> tuple[str, End]:
        """Look the name up once, and connect to what was found and to nothing else."""
        public = [each for each in await self._look_up(host) if self._world.public(each)]
        if not public:
            sentence = f"{shown(host)} leads to an address that is not on the open internet."
            raise Refused(403, sentence, Verdict.NOT_PUBLIC, host, PORT)
        try:
            return await self._first(public[:_TRIED])
        except LeadsBack as error:
            sentence = f"{shown(host)} leads to this machine itself."
            raise Refused(403, sentence, Verdict.NOT_PUBLIC, host, PORT) from error
        except OSError as error:
            sentence = f"{shown(host)} cannot be reached now."
            raise Refused(502, sentence, Verdict.UNREACHABLE, host, PORT) from error

    async def _look_up(self, host: str) -> Sequence[str]:
        try:
            async with asyncio.timeout(self._bounds.lookup):
                return await self._world.resolve(host)
        except TimeoutError as error:
            sentence = f"The address of {shown(host)} was not found out in time."
            raise Refused(504, sentence, Verdict.UNKNOWN, host, PORT) from error
        except OSError as error:
            sentence = f"Nobody knows a host {shown(host)}."
            raise Refused(502, sentence, Verdict.UNKNOWN, host, PORT) from error

    async def _first(self, addresses: Sequence[str]) -> tuple[str, End]:
        """The first that answers; each gets its share of the time."""
        trouble = OSError("no address")
        for address in addresses:
            try:
                async with asyncio.timeout(self._bounds.connect / len(addresses)):
                    return address, await self._world.connect(address)
            except OSError as error:
                trouble = error
        raise trouble

    async def _hello(self, client: End, host: str) -> bytes:
        """What the client says first, once it is known to be TLS that asks for this very host."""
        data = b""
        try:
            async with asyncio.timeout(self._bounds.hello):
                while (name := server_name(data)) is None:
                    more = await client.reader.read(min(CHUNK, LARGEST + 1 - len(data)))
                    if not more:
                        raise Refused(400, "Nothing was said.", Verdict.NOT_HTTPS, host, PORT)
                    data += more
            asked = host_name(name)
        except TimeoutError as error:
            raise Refused(408, "TLS did not begin in time.", Verdict.SLOW, host, PORT) from error
        except NotHello as error:
            raise Refused(403, str(error), Verdict.NOT_HTTPS, host, PORT) from error
        except BadHost as error:
            raise Refused(403, str(error), Verdict.OTHER_HOST, host, PORT) from error
        if asked != host:
            raise Refused(403, "TLS asks for another host.", Verdict.OTHER_HOST, host, PORT)
        return data

    async def _refuse(self, client: End, refused: Refused) -> Passage:
        client.writer.write(answer(refused))
        await client.writer.drain()
        return Passage(key=self._key, verdict=refused.verdict, host=refused.host, port=refused.port)
