"""What the provider is shown: keys and tokens, renewed in time; see `container/broker/credentials.py`."""

import asyncio
import base64
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from container.agent import ModelApi
from container.broker.credentials import Fixed, KeyFile, Missing, NoCredential, OAuthFile, token_headers
from container.broker.oauth_files import (
    CLAUDE,
    CODEX,
    GEMINI,
    Shape,
    Tokens,
    expiry_of,
    read_tokens,
    write_tokens,
)
from container.broker.port import TroubleKind
from container.broker.refreshing import Refresher
from tests.container.broker.scene import Books, ask, bases, body_of, path_of, provider_that, refused, served
from tests.servers.models import KEY, ModelServer

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHAPES = {ModelApi.ANTHROPIC: CLAUDE, ModelApi.OPENAI: CODEX, ModelApi.GEMINI: GEMINI}
HOUR = timedelta(hours=1)


def token_until(end: datetime, name: str) -> str:
    """A JSON Web Token that says when it ends."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": int(end.timestamp())}).encode()).decode().rstrip("=")
    return f"head.{claims}.{name}"


def file_of(api: ModelApi, path: Path, access: str, refresh: str, ends: datetime) -> Path:
    """As the provider's own program writes it."""
    milliseconds = int(ends.timestamp() * 1000)
    contents: dict[ModelApi, dict[str, Any]] = {
        ModelApi.ANTHROPIC: {
            "claudeAiOauth": {
                "accessToken": access,
                "refreshToken": refresh,
                "expiresAt": milliseconds,
                "scopes": ["user:inference"],
                "subscriptionType": "max",
            }
        },
        ModelApi.OPENAI: {
            "OPENAI_API_KEY": None,
            "tokens": {
                "id_token": "i.d.t",
                "access_token": access,
                "refresh_token": refresh,
                "account_id": "account-1",
            },
            "last_refresh": "2026-11-01T00:00:00Z",
        },
        ModelApi.GEMINI: {
            "access_token": access,
            "refresh_token": refresh,
            "scope": "cloud-platform",
            "token_type": "Bearer",
            "expiry_date": milliseconds,
        },
    }
    path.write_text(json.dumps(contents[api]))
    path.chmod(0o600)
    return path


def signed_in(api: ModelApi, path: Path, server: ModelServer) -> OAuthFile:
    refresher = Refresher(url=f"{server.url}/oauth/token", client_id="us", as_form=api is ModelApi.GEMINI)
    return OAuthFile(api, path, SHAPES[api], refresher, lambda: NOW)


async def test_a_good_token_is_shown_and_not_renewed(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    access, refresh = server.identity.issue()
    path = file_of(api, tmp_path / "file", access, refresh, NOW + HOUR)
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api], credential=signed_in(api, path, server)) as client:
        status, text = await ask(client, api)
    assert status == 200
    assert server.identity.refreshed == 0
    assert server.requests[0].headers["authorization"] == f"Bearer {access}"
    assert access not in text
    if api is ModelApi.OPENAI:
        assert server.requests[0].headers["chatgpt-account-id"] == "account-1"


@pytest.mark.parametrize("how", ["ended", "refused"])
async def test_a_token_is_renewed_once_for_all_who_wait(
    server: ModelServer, tmp_path: Path, api: ModelApi, how: str
) -> None:
    access, refresh = server.identity.issue()
    server.identity.expire()
    if api is ModelApi.OPENAI:
        access = token_until(NOW - HOUR if how == "ended" else NOW + HOUR, access)
    path = file_of(api, tmp_path / "file", access, refresh, NOW - HOUR if how == "ended" else NOW + HOUR)
    async with (
        served(tmp_path, Books(api), bases(server)[api], credential=signed_in(api, path, server)) as client,
        asyncio.TaskGroup() as group,
    ):
        asking = [group.create_task(ask(client, api)) for _ in range(8)]
    assert {task.result()[0] for task in asking} == {200}
    assert server.identity.refreshed == 1
    tokens = read_tokens(path, SHAPES[api])
    assert tokens.access in server.identity.tokens
    assert tokens.refresh in server.identity.refreshers
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]  # noqa: PTH208 - one look
    if api is not ModelApi.OPENAI:
        assert tokens.expires == NOW + HOUR
    else:
        assert json.loads(path.read_text())["tokens"]["id_token"] == "i.d.t"  # the rest stays as it was


async def test_a_token_that_its_own_program_renewed_is_taken_from_the_file(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    old, _ = server.identity.issue()
    server.identity.expire()
    path = file_of(api, tmp_path / "file", old, "used-up", NOW + HOUR)
    credential = signed_in(api, path, server)
    async with served(tmp_path, Books(api), bases(server)[api], credential=credential) as client:
        assert "could not be renewed" in await refused(client, api)
        access, refresh = server.identity.issue()
        file_of(api, path, access, refresh, NOW + HOUR)
        assert (await ask(client, api))[0] == 200
    assert server.identity.refreshed == 0


async def test_a_sign_in_that_cannot_be_renewed_says_what_to_do(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    ended = token_until(NOW - HOUR, "x")
    path = file_of(api, tmp_path / "file", ended, "unknown", NOW - HOUR)
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api], credential=signed_in(api, path, server)) as client:
        sentence = await refused(client, api)
    assert "our sign-in has expired and could not be renewed (the sign-in service answered 400)" in sentence
    assert "An owner signs in again with" in sentence
    assert books.trouble_told.kind is TroubleKind.CREDENTIAL
    assert "unknown" not in sentence
    assert server.asked() == []


def allow(path: Path, mode: int) -> None:
    path.chmod(mode)


@contextmanager
def nobody() -> Iterator[None]:
    """As a user for whom the rights of files count."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may look into."""
    with tempfile.TemporaryDirectory(prefix="intercom-tests-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def test_a_sign_in_is_not_used_up_when_the_next_one_has_no_place(
    server: ModelServer, folder: Path, api: ModelApi
) -> None:
    _, refresh = server.identity.issue()
    path = file_of(api, folder / "file", token_until(NOW - HOUR, "x"), refresh, NOW - HOUR)
    allow(path, 0o644)
    allow(folder, 0o555)
    credential = signed_in(api, path, server)
    async with aiohttp.ClientSession() as http:
        with nobody(), pytest.raises(NoCredential, match="cannot be written"):
            await credential.headers(http)
        assert server.identity.refreshed == 0
        allow(folder, 0o755)
        assert "authorization" in await credential.headers(http)
    assert server.identity.refreshed == 1


async def test_a_sign_in_service_that_is_not_there(tmp_path: Path, api: ModelApi) -> None:
    path = file_of(api, tmp_path / "file", token_until(NOW - HOUR, "x"), "refresh", NOW - HOUR)
    refresher = Refresher(url="http://127.0.0.1:9/token", client_id="us")
    credential = OAuthFile(api, path, SHAPES[api], refresher, lambda: NOW)
    async with served(tmp_path, Books(api), "http://127.0.0.1:9", credential=credential) as client:
        assert "(the sign-in service could not be reached)" in await refused(client, api)


@pytest.mark.parametrize(
    "answer", ["", "[]", "{}", '{"access_token": 5}', '{"access_token": "a\\nb"}', "[" * 9999]
)
async def test_a_sign_in_service_that_talks_nonsense(tmp_path: Path, answer: str) -> None:
    async def nonsense(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response(text=answer)

    api = ModelApi.ANTHROPIC
    path = file_of(api, tmp_path / "file", "access", "refresh", NOW - HOUR)
    before = path.read_text()
    async with provider_that(nonsense) as url:
        credential = OAuthFile(api, path, CLAUDE, Refresher(url=url, client_id="us"), lambda: NOW)
        async with served(tmp_path, Books(api), url, credential=credential) as client:
            assert "(the sign-in service gave no token)" in await refused(client, api)
    assert path.read_text() == before


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"claudeAiOauth": {"accessToken": ""}}', "\xff"])
async def test_a_file_without_tokens(tmp_path: Path, content: str | None) -> None:
    api, path = ModelApi.ANTHROPIC, tmp_path / "file"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    credential = OAuthFile(api, path, CLAUDE, Refresher(url="http://127.0.0.1:9"), lambda: NOW)
    async with served(tmp_path, Books(api), "http://127.0.0.1:9", credential=credential) as client:
        assert "there are no tokens in" in await refused(client, api)


async def test_a_key_in_a_file_is_read_again_when_it_is_refused(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    path = tmp_path / "key"
    path.write_text("sk-old\n")
    books = Books(api)
    credential = KeyFile(api, path)
    async with served(tmp_path, books, bases(server)[api], credential=credential) as client:
        assert "does not accept our key" in await refused(client, api)
        path.write_text(f"{KEY}\n")
        assert (await ask(client, api))[0] == 200
        path.unlink()
        assert (await ask(client, api))[0] == 200
        server.keys.clear()
        assert f"there is no key in {path}. An owner writes it there." in await refused(client, api)


async def test_without_a_credential_an_owner_learns_which_setting_it_takes(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    books = Books(api)
    credential = Missing("INTERCOM_MODELS__X__API_KEY")
    async with served(tmp_path, books, bases(server)[api], credential=credential) as client:
        assert "An owner sets INTERCOM_MODELS__X__API_KEY" in await refused(client, api)
    assert books.trouble_told.kind is TroubleKind.CREDENTIAL
    assert len(books.used) == 1
    assert server.requests == []


async def test_a_token_goes_with_the_beta_it_needs_beside_the_agents_own(
    server: ModelServer, tmp_path: Path
) -> None:
    api = ModelApi.ANTHROPIC
    access, _ = server.identity.issue()
    credential = Fixed(token_headers(api, access))
    async with served(tmp_path, Books(api), bases(server)[api], credential=credential) as client:
        headers = {"anthropic-beta": "effort-2025-11-24", "x-api-key": "placeholder"}
        response = await client.post(path_of(api), json=body_of(api), headers=headers)
        assert response.status == 200
    sent = server.requests[0].headers
    assert sent["anthropic-beta"] == "effort-2025-11-24,oauth-2025-04-20"
    assert "x-api-key" not in sent


@pytest.mark.parametrize("shape", [CLAUDE, CODEX, GEMINI])
def test_a_file_is_replaced_through_a_link_and_stays_private(tmp_path: Path, shape: Shape) -> None:
    api = next(api for api, known in SHAPES.items() if known is shape)
    real = file_of(api, tmp_path / "real", "old", "old", NOW)
    real.chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to(real)
    write_tokens(link, shape, Tokens(access="new", refresh="newer", expires=NOW + HOUR))
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert (read_tokens(real, shape).access, read_tokens(real, shape).refresh) == ("new", "newer")


def test_tokens_do_not_show_themselves() -> None:
    assert "secret" not in repr(Tokens(access="secret", refresh="secret"))
    assert "secret" not in repr(Refresher(url="http://x", client_secret="secret"))


@given(st.text() | st.binary().map(lambda raw: "a." + base64.urlsafe_b64encode(raw).decode() + ".b"))
def test_any_token_has_an_end_or_none(token: str) -> None:
    found = expiry_of(token)
    assert found is None or found.tzinfo is UTC
