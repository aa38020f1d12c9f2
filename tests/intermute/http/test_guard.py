"""Who is let in: programs here without a key, others with theirs, web pages never."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from intermute.http.guard import is_loopback
from intermute.keys import Keyring, parse
from intermute.service import Service
from tests.intermute.calling import PATIENCE, Http
from tests.intermute.conftest import KEYS, elsewhere

AWAY = {"X-Forwarded-For": "192.0.2.7"}
ASKED = "/metrics"  # needs a caller, and nothing else


async def test_a_program_on_this_machine_needs_no_key(http: Http) -> None:
    assert (await http.get(ASKED)).status == 200


async def test_a_wrong_key_does_not_matter_on_this_machine(http: Http) -> None:
    assert (await http.get(ASKED, headers={"Authorization": "Bearer nonsense"})).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic key-of-alpha"},
        {"Authorization": "key-of-alpha"},
    ],
)
async def test_others_without_a_good_key_are_refused(http: Http, headers: dict[str, str]) -> None:
    answer = await http.get(ASKED, headers={**AWAY, **headers})
    assert (answer.status, answer["error"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_others_with_a_key_are_let_in_whatever_the_case_of_the_scheme(http: Http, scheme: str) -> None:
    answer = await http.get(ASKED, headers={**AWAY, "Authorization": f"{scheme} key-of-alpha"})
    assert answer.status == 200


@pytest.mark.parametrize(
    "hops",
    [
        {"X-Forwarded-For": "192.0.2.7"},
        {"X-Forwarded-For": "127.0.0.1, 192.0.2.7"},
        {"X-Forwarded-For": "192.0.2.7, 127.0.0.1"},
        {"X-Forwarded-For": "127.0.0.1, unknown"},
        {"X-Forwarded-For": ""},
        {"X-Real-IP": "2001:db8::1"},
        {"Forwarded": "for=192.0.2.7;proto=https"},
        {"Forwarded": 'for="[2001:db8::1]:4711"'},
        {"Forwarded": "proto=https"},
    ],
)
async def test_fault_22_every_hop_of_a_proxy_must_be_on_this_machine(
    http: Http, hops: dict[str, str]
) -> None:
    assert (await http.get(ASKED, headers=hops)).status == 401


async def test_a_second_header_of_hops_counts_as_well(http: Http) -> None:
    hops = [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-For", "192.0.2.7")]
    async with http.session.get(http.url + ASKED, headers=hops) as response:
        assert response.status == 401


@pytest.mark.parametrize(
    "hops",
    [{"X-Forwarded-For": "127.0.0.1, ::1, localhost"}, {"Forwarded": 'for="[::1]:80", for=127.0.0.1'}],
)
async def test_a_proxy_for_this_machine_is_as_good_as_the_machine(http: Http, hops: dict[str, str]) -> None:
    assert (await http.get(ASKED, headers=hops)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", [ASKED, "/health", "/openapi.json"])
async def test_web_pages_are_refused_on_this_machine(http: Http, headers: dict[str, str], path: str) -> None:
    answer = await http.get(path, headers=headers)
    assert (answer.status, answer["error"]) == (403, "web_page_refused")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7338", "192.0.2.7", "localhost.evil.example", ""]
)
async def test_names_that_are_not_this_machine_are_refused(http: Http, host: str) -> None:
    answer = await http.get(ASKED, headers={"Host": host})
    assert (answer.status, answer["error"]) == (403, "foreign_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "127.0.0.1:7338", "[::1]", "[::1]:7338"])
async def test_names_of_this_machine_are_good_on_any_port(http: Http, host: str) -> None:
    assert (await http.get(ASKED, headers={"Host": host})).status == 200


async def test_a_person_may_look_with_a_browser(http: Http) -> None:
    assert (await http.get("/health", headers={"Sec-Fetch-Site": "none"})).status == 200


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:192.0.2.7", False),
        ("[::1]:99", True),
        ("127.0.0.1:99", True),
        ("localhost", True),
        ("192.0.2.7", False),
        ("", False),
        ("127.1", False),
        ("127.0.0.1.evil.example", False),
    ],
)
def test_what_counts_as_loopback(text: str, here: bool) -> None:
    assert is_loopback(text) is here


async def test_fault_15_callers_over_the_unix_socket_are_local(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "intermute.sock"
    async with (
        service.serve(port=0, socket=path),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)), timeout=PATIENCE) as session,
        session.get("http://intermute" + ASKED) as response,
    ):
        assert response.status == 200


async def test_a_proxy_over_the_unix_socket_does_not_make_strangers_local(
    service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "intermute.sock"
    async with (
        service.serve(port=0, socket=path),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)), timeout=PATIENCE) as session,
        session.get("http://intermute" + ASKED, headers=AWAY) as response,
    ):
        assert response.status == 401


async def test_a_policy_can_ask_everybody_for_a_key(service: Service, tmp_path: Path) -> None:
    service.given.keyring.keys = parse("default_policy: {allow_localhost_without_auth: false}\n" + KEYS)
    path = tmp_path / "intermute.sock"
    async with (
        service.serve(port=0, socket=path) as listening,
        aiohttp.ClientSession(timeout=PATIENCE) as session,
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)), timeout=PATIENCE) as local,
    ):
        for asking, base in ((session, listening.url), (local, "http://intermute")):
            async with asking.get(base + ASKED) as response:
                assert response.status == 401
            key = {"Authorization": "Bearer key-of-beta"}
            async with asking.get(base + ASKED, headers=key) as response:
                assert response.status == 200


async def test_an_agents_id_of_any_length_or_with_a_nul_is_not_taken(http: Http) -> None:
    answer = await http.get(ASKED, headers={"X-Agent-ID": "x" * 201})
    assert (answer.status, answer["error"]) == (403, "agent_unknown")


async def test_an_agents_id_the_database_cannot_keep_is_stopped_at_the_door(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(host, int(port))
        lines = [
            f"GET {ASKED} HTTP/1.1".encode(),
            b"Host: localhost",
            b"X-Agent-ID: \xff",
            b"Connection: close",
        ]
        writer.write(b"\r\n".join([*lines, b"", b""]))
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 403")
    assert b'"agent_unknown"' in answer


@pytest.fixture
async def token(http: Http) -> str:
    """The token of a registered agent named ann."""
    answer = await http.post("/api/agents", {"id": "ann", "name": "Ann", "project": "alpha"})
    assert answer.status == 200
    return str(answer["token"])


async def test_an_agents_token_is_good_for_that_agent_only(http: Http, token: str) -> None:
    right = await http.get(ASKED, headers={"X-Agent-Token": token, "X-Agent-ID": "ann"})
    wrong = await http.get(ASKED, headers={"X-Agent-Token": token, "X-Agent-ID": "bob"})
    assert right.status == 200
    assert (wrong.status, wrong["error"]) == (403, "agent identity mismatch")


async def test_an_agents_token_comes_with_its_id(http: Http, token: str) -> None:
    answer = await http.get(ASKED, headers={"X-Agent-Token": token})
    assert answer.status == 403
    assert answer["error"] == "agent token is bound but X-Agent-ID header is missing"


async def test_a_token_nobody_has_proves_nothing_and_hinders_nothing(http: Http) -> None:
    assert (await http.get(ASKED, headers={"X-Agent-Token": "nonsense"})).status == 200


async def test_fault_22_keys_are_read_again_while_the_service_runs(
    http: Http, service: Service, keys_file: Path
) -> None:
    fresh = elsewhere("key-of-gamma")
    assert (await http.get(ASKED, headers=fresh)).status == 401
    await asyncio.to_thread(keys_file.write_text, KEYS + "  gamma: {keys: [key-of-gamma]}\n")
    await service.reload_keys()
    assert (await http.get(ASKED, headers=fresh)).status == 200


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    file = tmp_path / "keys.yaml"
    file.write_text(KEYS)
    return file


@pytest.fixture
async def keyring(keys_file: Path) -> Keyring:
    return await Keyring.read(keys_file)
