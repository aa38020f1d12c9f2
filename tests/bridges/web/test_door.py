"""Who gets in: one-time links, cookies, host names, origins, and what only this machine may read."""

import logging
import socket

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from structlog.testing import capture_logs

from bridges.port import BridgeMisconfigured
from bridges.web.guard import is_loopback, known_hosts
from bridges.web.port import PartHealth
from bridges.web.settings import WebSettings
from tests.bridges.web.memory import MemoryHost
from tests.bridges.web.serving import PAGE, serving, visiting
from tests.clock import HandClock

ANY = WebSettings(port=0)
PREFETCH = {"Sec-Purpose": "prefetch;prerender"}


async def test_a_link_is_traded_once_for_a_cookie_no_script_and_no_other_site_can_use(
    host: MemoryHost,
) -> None:
    async with serving(host, ANY) as bridge, ClientSession() as session:
        url = await bridge.url()
        async with session.get(f"{url}/open?token=once") as first:
            cookie = first.headers["Set-Cookie"]
            assert first.status == 200
            assert "cookie-value" in cookie
            assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=3600"} <= set(cookie.split("; "))
            assert "once" not in await first.text()
            assert first.headers["Referrer-Policy"] == "no-referrer"
            assert first.headers["Cache-Control"] == "no-store"
        async with session.get(f"{url}/open?token=once") as second:
            assert second.status == 401
            assert "intercom link" in await second.text()
            assert "Set-Cookie" not in second.headers


async def test_the_token_also_works_on_the_front_door(host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, ClientSession(await bridge.url()) as session:
        response = await session.get("/?token=once")
        assert response.status == 200
        assert "cookie-value" in response.headers["Set-Cookie"]


async def test_without_a_cookie_the_page_says_how_to_get_a_link(host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, ClientSession() as session:
        url = await bridge.url()
        async with session.get(url) as page:
            assert page.status == 401
            assert "intercom link" in await page.text()
        for path in ("/api/rooms", "/api/rooms/main/history", "/api/rooms/main/side", "/api/pictures/x"):
            async with session.get(url + path) as response:
                assert response.status == 401, path


async def test_a_used_link_in_a_browser_that_is_in_leads_on(host: MemoryHost) -> None:
    async with visiting(host) as (_, visit), visit.session.get(f"{visit.url}/open?token=visit") as again:
        assert again.status == 200


async def test_a_browser_that_only_looks_ahead_does_not_use_the_link_up(host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, ClientSession() as session:
        url = await bridge.url()
        async with session.get(f"{url}/open?token=once", headers=PREFETCH) as ahead:
            assert ahead.status == 503
        async with session.get(f"{url}/open?token=once") as real:
            assert real.status == 200


async def test_after_many_wrong_links_nobody_tries_for_a_minute(host: MemoryHost, clock: HandClock) -> None:
    async with serving(host, ANY) as bridge, ClientSession() as session:
        url = await bridge.url()
        for _ in range(10):
            async with session.get(f"{url}/open?token=wrong") as response:
                assert response.status == 401
        async with session.get(f"{url}/open?token=once") as held:
            assert held.status == 429
            assert held.headers["Retry-After"] == "61"
        await clock.advance(61)
        async with session.get(f"{url}/open?token=once") as later:
            assert later.status == 200


async def test_an_over_long_token_is_refused_without_asking(host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, ClientSession(await bridge.url()) as session:
        response = await session.get(f"/open?token={'x' * 4000}")
        assert response.status == 401


async def test_no_token_and_no_cookie_reaches_a_log(
    host: MemoryHost, caplog: pytest.LogCaptureFixture
) -> None:
    host.tokens["secret-token"] = "secret-cookie"
    with caplog.at_level(logging.DEBUG), capture_logs() as entries:
        async with serving(host, ANY) as bridge, ClientSession() as session:
            url = await bridge.url()
            for path in ("/open?token=secret-token", "/?token=secret-token", "/open?token=secret-token"):
                async with session.get(url + path):
                    pass
            host.cookies.clear()
            host.door_broken = True
            async with session.get(f"{url}/open?token=secret-token") as response:
                assert response.status == 500
                assert "secret" not in await response.text()
    said = caplog.text + str([{k: v for k, v in entry.items() if k != "exc_info"} for entry in entries])
    assert "web.request_failed" in said
    assert "secret-token" not in said
    assert "secret-cookie" not in said


@pytest.mark.parametrize("name", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", ""])
async def test_a_foreign_host_name_is_refused_everywhere(host: MemoryHost, name: str) -> None:
    async with visiting(host) as (_, visit):
        header = {"Host": name.format(port=visit.url.rpartition(":")[2])}
        for path in ("/", "/api/rooms", "/page/style.css", "/healthz", "/metrics", "/open?token=once"):
            async with visit.session.get(visit.url + path, headers=header) as response:
                assert response.status == 403, path
        assert "once" in host.tokens


async def test_every_loopback_name_and_those_of_the_settings_are_answered(host: MemoryHost) -> None:
    settings = WebSettings(port=0, names=("intercom.lan:443",))
    async with visiting(host, settings) as (_, visit):
        port = visit.url.rpartition(":")[2]
        for name in (f"127.0.0.1:{port}", f"LOCALHOST:{port}", f"[::1]:{port}", "intercom.lan:443"):
            async with visit.session.get(f"{visit.url}/healthz", headers={"Host": name}) as response:
                assert response.status == 200, name


def test_listening_everywhere_does_not_make_the_wildcard_a_name() -> None:
    loopback = {"127.0.0.1", "localhost", "[::1]"}
    everywhere = "0.0.0.0"  # noqa: S104 - listened on by nobody here
    assert known_hosts(everywhere, 80) == loopback | {f"{name}:80" for name in loopback}


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "file://"])
async def test_a_socket_of_another_origin_is_refused_though_it_has_the_cookie(
    host: MemoryHost, origin: str | None
) -> None:
    async with visiting(host) as (_, visit):
        headers = {"Origin": origin} if origin else {}
        with pytest.raises(WSServerHandshakeError) as refused:
            await visit.session.ws_connect(f"{visit.url}/api/live?page={PAGE}", headers=headers)
        assert refused.value.status == 403


async def test_a_socket_without_the_cookie_is_refused(host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, ClientSession() as session:
        url = await bridge.url()
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(f"{url}/api/live?page={PAGE}", headers={"Origin": url})
        assert refused.value.status == 401


async def test_writes_need_the_own_origin(host: MemoryHost) -> None:
    async with visiting(host) as (_, visit):
        async with visit.session.post(f"{visit.url}/api/rooms") as foreign:
            assert foreign.status == 403
        async with visit.session.post(f"{visit.url}/api/rooms", headers={"Origin": visit.url}) as own:
            assert own.status == 405


async def test_every_answer_carries_the_rules_of_the_page(host: MemoryHost) -> None:
    async with visiting(host) as (_, visit):
        for path in ("/", "/page/app.js", "/api/rooms", "/nothing"):
            async with visit.session.get(visit.url + path) as response:
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "frame-ancestors 'none'" in policy
                assert "unsafe" not in policy
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert "aiohttp" not in response.headers["Server"]


async def test_the_page_is_plain_files_that_are_revalidated(host: MemoryHost) -> None:
    async with visiting(host) as (_, visit):
        async with visit.session.get(f"{visit.url}/page/app.js") as first:
            assert first.content_type == "text/javascript"
            tag = first.headers["ETag"]
        async with visit.session.get(f"{visit.url}/page/app.js", headers={"If-None-Match": tag}) as second:
            assert second.status == 304
        for name in ("..%2fbridge.py", "..%2f..%2fport.py", "nothing.js"):
            async with visit.session.get(f"{visit.url}/page/{name}") as response:
                assert response.status == 404, name


async def test_ready_says_what_is_missing_with_503(host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, ClientSession() as session:
        url = await bridge.url()
        host.parts["sandbox"] = PartHealth(ok=False, reason="Docker does not answer")
        async with session.get(f"{url}/readyz") as response:
            assert response.status == 503
            assert await response.json() == {
                "ready": False,
                "parts": {
                    "database": {"ok": True, "reason": ""},
                    "sandbox": {"ok": False, "reason": "Docker does not answer"},
                },
            }
        host.parts["sandbox"] = PartHealth(ok=True)
        async with session.get(f"{url}/readyz") as response:
            assert response.status == 200


async def test_metrics_and_health_are_for_this_machine_only(host: MemoryHost) -> None:
    async with serving(host, ANY) as bridge, ClientSession() as session:
        url = await bridge.url()
        for path in ("/metrics", "/healthz", "/readyz"):
            async with session.get(url + path) as here:
                assert here.status == 200
            async with session.get(url + path, headers={"X-Forwarded-For": "127.0.0.1"}) as through_a_proxy:
                assert through_a_proxy.status == 403
        async with session.get(f"{url}/metrics") as metrics:
            assert await metrics.text() == "intercom_up 1\n"


async def test_another_machine_reads_no_metrics(host: MemoryHost) -> None:
    own = own_address()
    async with serving(host, WebSettings(host=own, port=0)) as bridge, ClientSession() as session:
        url = await bridge.url()
        for path in ("/metrics", "/healthz", "/readyz"):
            async with session.get(url + path) as response:
                assert response.status == 403


def own_address() -> str:
    """This machine's address on its network; asking the routing table sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network but loopback")
        address: str = probe.getsockname()[0]
    if is_loopback(address):
        pytest.skip("this machine has no network but loopback")
    return address


def test_loopback_is_told_from_other_addresses() -> None:
    assert all(is_loopback(a) for a in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"))
    assert not any(is_loopback(a) for a in ("10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "192.0.2.1"))


async def test_a_taken_port_is_explained(host: MemoryHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.RaisesGroup(
            pytest.RaisesExc(BridgeMisconfigured, match=f"port {port} on 127.0.0.1 is taken")
        ):
            async with serving(host, WebSettings(port=port)):
                pass
