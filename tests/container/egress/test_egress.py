"""The way out of a container: to the hosts that were allowed, over TLS, and nowhere else."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from container.egress.gate import Bounds, LeadsBack
from container.egress.passages import Verdict
from container.egress.proxy import Egress, connect
from tests.container.egress.outside import API, HERE, OTHER, Rig, closed, rigged

CONNECT = b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n"
QUICK = Bounds(head=0.2, lookup=0.2, connect=0.2, hello=0.2, idle=0.2)
LIMITED = Bounds(connections=8, tunnels=2)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with asyncio.timeout(60), rigged(tmp_path) as made:
        yield made


async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, words: bytes) -> bytes:
    writer.write(words)
    async with asyncio.timeout(10):
        return await reader.readexactly(len(words))


async def test_an_allowed_host_is_reached_and_counted(rig: Rig) -> None:
    reader, writer = await rig.tunnel()
    assert await said(reader, writer, b"hello") == b"hello"
    await closed(writer)
    (passage,) = await rig.told(1)
    assert (passage.key, passage.host, passage.port) == ("main", API, 443)
    assert (passage.verdict, passage.address) == (Verdict.SERVED, HERE)
    assert passage.sent > 300
    assert passage.received > 300
    assert (rig.outside.asked, rig.outside.connected) == ([API], [HERE])


async def test_much_goes_both_ways_at_once(rig: Rig) -> None:
    reader, writer = await rig.tunnel()
    chunk = bytes(range(256)) * 256
    pieces = 64

    async def talk() -> None:
        for _ in range(pieces):
            writer.write(chunk)
            await writer.drain()

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(talk())
        for _ in range(pieces):
            assert await reader.readexactly(len(chunk)) == chunk
    await closed(writer)
    (passage,) = await rig.told(1)
    assert min(passage.sent, passage.received) > pieces * len(chunk)


async def test_a_reader_that_rests_stops_the_sender(rig: Rig) -> None:
    rig.outside.may_answer.clear()
    reader, writer = await rig.tunnel()
    sent = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            while sent < 64 * 1024 * 1024:
                writer.write(bytes(64 * 1024))
                await writer.drain()
                sent += 64 * 1024
    assert sent < 16 * 1024 * 1024
    rig.outside.may_answer.set()
    async with asyncio.timeout(10):
        assert len(await reader.readexactly(sent)) == sent
    writer.transport.abort()


async def test_one_side_may_end_before_the_other(tmp_path: Path) -> None:
    """Plain bytes show it: TLS itself ends both ways at once."""
    from tests.container.egress.test_hello import REAL

    async with asyncio.timeout(30), rigged(tmp_path, tls=False) as rig:
        reader, writer = await rig.call()
        writer.write(CONNECT)
        await reader.readuntil(b"\r\n\r\n")
        rig.outside.may_answer.clear()
        writer.write(REAL + b"the rest")
        writer.write_eof()
        rig.outside.may_answer.set()
        assert await reader.read() == REAL + b"the rest"
        await closed(writer)
        (passage,) = await rig.told(1)
        assert passage.sent == passage.received == len(REAL) + 8


async def test_a_host_nobody_allowed_is_refused_with_those_that_are(rig: Rig) -> None:
    with pytest.raises(
        ConnectionError, match=r"403 Forbidden[\s\S]*“other.example.com”.*Allowed: api.example"
    ):
        await rig.tunnel(OTHER)
    assert rig.outside.asked == []
    assert [each.verdict for each in await rig.told(1)] == [Verdict.NOT_ALLOWED]


async def test_the_policy_is_read_for_each_tunnel(rig: Rig) -> None:
    first = await rig.tunnel()
    rig.hosts.clear()
    with pytest.raises(ConnectionError, match=r"No host is allowed"):
        await rig.tunnel()
    rig.hosts.add(OTHER)
    second = await rig.tunnel(OTHER)
    for reader, writer in (first, second):
        assert await said(reader, writer, b"on") == b"on"
        await closed(writer)


async def test_tls_may_not_ask_for_another_host(rig: Rig) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)access.denied"):
        await rig.tunnel(API, sni=OTHER)
    (passage,) = await rig.told(1)
    assert (passage.verdict, passage.sent) == (Verdict.OTHER_HOST, 0)


@pytest.mark.parametrize(
    "words", [b"GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n", b"SSH-2.0-x\r\n", b"\x00"]
)
async def test_only_tls_goes_through_a_tunnel(rig: Rig, words: bytes) -> None:
    answer = await rig.ask(CONNECT + words)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(bytes([21, 3, 3, 0, 2, 2, 49]))
    (passage,) = await rig.told(1)
    assert (passage.verdict, passage.sent) == (Verdict.NOT_HTTPS, 0)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n", b"405"),
        (b"CONNECT api.example.com:80 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT 127.0.0.1:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT [::ffff:127.0.0.1]:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"\x16\x03\x01\r\n\r\n", b"400"),
        (b"A" * 200_000, b"400"),
    ],
)
async def test_nothing_else_is_served(rig: Rig, line: bytes, status: bytes) -> None:
    with suppress(ConnectionError):  # hung up on before all of it was read
        assert (await rig.ask(line)).startswith(b"HTTP/1.1 " + status)
    await rig.told(1)
    assert rig.outside.asked == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1", "fe80::1%eth0"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        [],
    ],
)
async def test_a_name_that_leads_inside_is_refused(rig: Rig, addresses: list[str]) -> None:
    rig.outside.names[API] = addresses
    with pytest.raises(ConnectionError, match=r"not on the open internet"):
        await rig.tunnel()
    assert rig.outside.connected == []
    assert [each.verdict for each in await rig.told(1)] == [Verdict.NOT_PUBLIC]


async def test_of_a_mixed_name_only_the_public_address_is_tried(rig: Rig) -> None:
    rig.outside.names[API] = ["10.0.0.1", HERE, "192.168.0.1"]
    _, writer = await rig.tunnel()
    await closed(writer)
    assert rig.outside.connected == [HERE]


async def test_a_name_is_looked_up_once_for_each_tunnel(rig: Rig) -> None:
    _, writer = await rig.tunnel()
    rig.outside.names[API] = ["10.0.0.1"]
    with pytest.raises(ConnectionError, match=r"not on the open internet"):
        await rig.tunnel()
    await closed(writer)
    assert rig.outside.asked == [API, API]


async def test_this_machines_own_address_is_no_way_out() -> None:
    listener = socket.create_server((HERE, 0))
    with listener, pytest.raises(LeadsBack):
        await connect(HERE, listener.getsockname()[1])


async def test_names_without_address_and_hosts_without_answer_are_told_apart(tmp_path: Path) -> None:
    async with asyncio.timeout(30), rigged(tmp_path, QUICK) as rig:
        del rig.outside.names[API]
        with pytest.raises(
            ConnectionError, match=r"502 Bad Gateway[^“]*Nobody knows a host “api.example.com”"
        ):
            await rig.tunnel()
        rig.outside.names[API] = [HERE]
        rig.outside.hangs.add(HERE)
        with pytest.raises(ConnectionError, match=r"502 Bad Gateway[^“]*“api.example.com” cannot be reached"):
            await rig.tunnel()
        rig.outside.may_resolve.clear()
        with pytest.raises(ConnectionError, match=r"504 Gateway Timeout"):
            await rig.tunnel()
        verdicts = [each.verdict for each in await rig.told(3)]
        assert verdicts == [Verdict.UNKNOWN, Verdict.UNREACHABLE, Verdict.UNKNOWN]


async def test_who_says_nothing_is_hung_up_on(tmp_path: Path) -> None:
    async with asyncio.timeout(30), rigged(tmp_path, QUICK) as rig:
        assert (await rig.ask(b"")).startswith(b"HTTP/1.1 408")
        assert (await rig.ask(CONNECT[:20])).startswith(b"HTTP/1.1 408")
        assert (await rig.ask(CONNECT)).startswith(b"HTTP/1.1 200")
        assert (await rig.ask(CONNECT + b"\x16\x03")).endswith(bytes([2, 49]))
        assert {each.verdict for each in await rig.told(4)} == {Verdict.SLOW}


async def test_an_idle_tunnel_ends(tmp_path: Path) -> None:
    async with asyncio.timeout(30), rigged(tmp_path, QUICK) as rig:
        reader, writer = await rig.tunnel()
        assert await said(reader, writer, b"x") == b"x"
        assert await reader.read() == b""
        await closed(writer)
        assert (await rig.told(1))[0].verdict is Verdict.SERVED


async def test_a_tunnel_ends_when_its_time_is_over_however_busy(tmp_path: Path) -> None:
    async with asyncio.timeout(30), rigged(tmp_path, replace(QUICK, idle=5.0, total=0.5)) as rig:
        reader, writer = await rig.tunnel()
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                await said(reader, writer, b"x")
        writer.transport.abort()
        (passage,) = await rig.told(1)
        assert 0.4 < passage.seconds < 5


async def test_tunnels_are_counted_and_free_again_when_they_end(tmp_path: Path) -> None:
    async with asyncio.timeout(30), rigged(tmp_path, LIMITED) as rig:
        open_ones = [await rig.tunnel() for _ in range(2)]
        with pytest.raises(ConnectionError, match=r"503 .*[\s\S]*2 connections open"):
            await rig.tunnel()
        for _, writer in open_ones:
            await closed(writer)
        await rig.told(3)
        _, writer = await rig.tunnel()
        await closed(writer)


async def test_new_tunnels_have_a_pace(tmp_path: Path) -> None:
    async with asyncio.timeout(30), rigged(tmp_path, Bounds(a_second=0.01, at_once=2)) as rig:
        for _ in range(2):
            _, writer = await rig.tunnel()
            await closed(writer)
        with pytest.raises(ConnectionError, match=r"429 Too Many Requests"):
            await rig.tunnel()


async def test_a_thousand_connections_cost_no_more_than_the_bound(rig: Rig) -> None:
    held = []
    for _ in range(1000):
        with suppress(OSError):
            held.append(await rig.call())
    assert rig.egress.open <= Bounds().connections
    for _, writer in held:
        await closed(writer)
    async with asyncio.timeout(10):
        await rig.quiet()
    assert sum(each.verdict is Verdict.BUSY for each in rig.passages) >= 1000 - Bounds().connections
    reader, writer = await rig.tunnel()
    assert await said(reader, writer, b"still here") == b"still here"
    await closed(writer)


async def test_a_client_that_is_gone_leaves_nothing_open(rig: Rig) -> None:
    _, writer = await rig.tunnel()
    writer.transport.abort()
    await rig.told(1)
    async with asyncio.timeout(10):
        await rig.quiet()


async def test_closing_it_ends_every_tunnel(tmp_path: Path) -> None:
    async with asyncio.timeout(30):
        async with rigged(tmp_path) as rig:
            reader, writer = await rig.tunnel()
            assert await said(reader, writer, b"x") == b"x"
        with suppress(OSError, ssl.SSLError):
            assert await reader.read() == b""
        writer.transport.abort()
        assert rig.egress.open == 0


async def test_the_real_lookup_finds_no_name_that_cannot_be(tmp_path: Path) -> None:
    """Without a world of its own the proxy asks this machine's resolver."""
    path = tmp_path / "egress.sock"
    async with asyncio.timeout(30), Egress.running(lambda passage: None) as egress:
        service = egress.service("main", lambda: frozenset({"nowhere.invalid"}))
        async with await asyncio.get_running_loop().create_unix_server(service, str(path)):
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(b"CONNECT nowhere.invalid:443 HTTP/1.1\r\n\r\n")
            assert (await reader.read())[:12] in (b"HTTP/1.1 502", b"HTTP/1.1 504")
            await closed(writer)
