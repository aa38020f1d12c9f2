"""A key that is taken back takes its listeners' connections with it."""

import asyncio
from pathlib import Path

import pytest

from intermute.keys import BadKeys, Keyring
from intermute.service import Service
from tests.intermute.calling import Http
from tests.intermute.conftest import KEYS
from tests.intermute.events.telling import WITHIN, listening, note, tell

WITHOUT_ALPHA = """
projects:
  alpha: {keys: [another-key]}
  beta: {keys: [key-of-beta]}
"""
NOBODY_LOCAL = f"default_policy: {{allow_localhost_without_auth: false}}\n{KEYS}"


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.yaml"
    path.write_text(KEYS)
    return path


@pytest.fixture
async def keyring(keys_file: Path) -> Keyring:
    return await Keyring.read(keys_file)


def rewrite(path: Path, text: str) -> None:
    path.write_text(text)


async def test_only_the_listeners_of_a_key_that_is_gone_are_sent_away(
    service: Service, http: Http, alpha: Http, beta: Http, keys_file: Path
) -> None:
    async with (
        listening(alpha.session, alpha.url) as gone,
        listening(beta.session, beta.url, project="beta") as kept,
        listening(http.session, http.url) as local,
    ):
        rewrite(keys_file, WITHOUT_ALPHA)
        await service.reload_keys()
        assert await gone.closed() == (1008, "the keys have changed; reconnect with a key and your cursor")
        await tell(service.journal, note(), note(project="beta"))
        assert (await local.next())["cursor"] == 1
        assert (await kept.next())["cursor"] == 2
    assert (await alpha.get("/api/events")).status == 401


async def test_a_stream_of_a_key_that_is_gone_ends(service: Service, alpha: Http, keys_file: Path) -> None:
    headers = {"Accept": "text/event-stream"}
    async with alpha.session.get(f"{alpha.url}/api/events", headers=headers) as stream:
        assert await stream.content.readline() == b"retry: 1000\n"
        rewrite(keys_file, WITHOUT_ALPHA)
        await service.reload_keys()
        async with asyncio.timeout(WITHIN):
            assert await stream.content.read() == b"\n"


async def test_programs_on_this_machine_are_sent_away_when_they_need_a_key_from_now_on(
    service: Service, http: Http, alpha: Http, keys_file: Path
) -> None:
    async with listening(http.session, http.url) as gone, listening(alpha.session, alpha.url) as kept:
        rewrite(keys_file, NOBODY_LOCAL)
        await service.reload_keys()
        assert (await gone.closed())[0] == 1008
        await tell(service.journal, note())
        assert (await kept.next())["cursor"] == 1


async def test_a_file_that_is_wrong_or_says_the_same_sends_nobody_away(
    service: Service, alpha: Http, keys_file: Path
) -> None:
    async with listening(alpha.session, alpha.url) as kept:
        await service.reload_keys()
        rewrite(keys_file, "projects: [")
        with pytest.raises(BadKeys):
            await service.reload_keys()
        await tell(service.journal, note())
        assert (await kept.next())["cursor"] == 1
