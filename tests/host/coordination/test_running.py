"""intermute beside the host: a port that is taken and keys that are wrong are told, and tried again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from host.coordination.checkup import intermute_finding
from host.coordination.running import Running
from host.coordination.settings import IntermuteSettings
from host.settings import Settings
from intermute.keys import Keyring
from intermute.service import Given, Service
from storage.background import background
from storage.database import Database
from storage.ids import NewId
from storage.wakeups import Wakeups
from tests.clock import HandClock
from tests.program import free_port

REMOTE = {"X-Forwarded-For": "192.0.2.7"}
LOCKED = "default_policy: {allow_localhost_without_auth: false}\nprojects: {shop: {keys: [first]}}\n"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "intermute.keys.yaml"


@pytest.fixture
async def service(
    database: Database, database_url: str, clock: HandClock, new_id: NewId, keys: Path
) -> AsyncIterator[Service]:
    async with Wakeups.open(database_url) as wakeups:
        given = Given(db=database, wakeups=wakeups, clock=clock, new_id=new_id, keyring=Keyring(path=keys))
        async with Service.open(given) as service:
            yield service


def write(path: Path, text: str) -> None:
    path.write_text(text)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@asynccontextmanager
async def running_on(
    service: Service, keys: Path, clock: HandClock, port: int = 0, socket: Path | None = None
) -> AsyncIterator[Running]:
    settings = IntermuteSettings(port=port, socket=socket)
    running = Running(service, settings, service.given.keyring, keys, clock)
    async with asyncio.timeout(20), background(running.run()):
        await running.settled.wait()
        yield running


async def status(running: Running, headers: dict[str, str] | None = None) -> int:
    assert running.where is not None
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{running.where.url}/api/agents", headers=headers) as answer,
    ):
        return answer.status


async def until(clock: HandClock, come: Callable[[], bool]) -> None:
    """Let time pass bit by bit until it has come."""
    while not come():
        await clock.advance(1.0)
        await asyncio.sleep(0.002)


async def test_it_listens_and_makes_its_first_key(service: Service, keys: Path, clock: HandClock) -> None:
    async with running_on(service, keys, clock) as running:
        assert await running.check() == ""
        assert await status(running) == 200
        assert mode(keys) == 0o600
    assert running.where is None


async def test_a_port_that_is_taken_is_told_and_tried_again(
    service: Service, keys: Path, clock: HandClock
) -> None:
    port = free_port()
    squatter = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", port)
    async with running_on(service, keys, clock, port) as running:
        assert await running.check() == (
            f"Port {port} of 127.0.0.1 is taken, so other programs do not reach it; "
            "INTERCOM_INTERMUTE__PORT sets another one."
        )
        squatter.close()
        await squatter.wait_closed()
        await until(clock, lambda: running.where is not None)
        assert await running.check() == ""
        assert await status(running) == 200


async def test_with_keys_that_cannot_be_read_it_does_not_listen(
    service: Service, keys: Path, clock: HandClock
) -> None:
    write(keys, "projects: [")
    async with running_on(service, keys, clock) as running:
        assert running.where is None
        assert (await running.check()).startswith(f"Its keys file {keys} cannot be used: It is not YAML")
        write(keys, LOCKED)
        await until(clock, lambda: running.where is not None)
        assert await status(running) == 401


async def test_a_key_that_is_added_counts_and_a_wrong_file_leaves_the_old_ones(
    service: Service, keys: Path, clock: HandClock
) -> None:
    write(keys, LOCKED)
    first, second = ({"Authorization": f"Bearer {name}"} for name in ("first", "second"))
    async with running_on(service, keys, clock) as running:
        assert (await status(running, first), await status(running, second)) == (200, 401)
        before = service.given.keyring.keys
        write(keys, LOCKED.replace("[first]", "[first, second]"))
        await until(clock, lambda: service.given.keyring.keys is not before)
        assert await status(running, second) == 200
        write(keys, "projects: 3")
        await until(clock, lambda: "The old keys stay in force" in running._keys_trouble)
        assert "projects must be a mapping" in await running.check()
        assert await status(running, second) == 200
        write(keys, LOCKED)
        await until(clock, lambda: not running._keys_trouble)
        assert await running.check() == ""
        assert await status(running, second) == 401


async def test_a_socket_somebody_else_has_is_named(
    service: Service, keys: Path, clock: HandClock, tmp_path: Path
) -> None:
    path = tmp_path / "x.sock"
    write(path, "not a socket")
    async with running_on(service, keys, clock, socket=path) as running:
        assert await running.check() == f"Its socket {path} cannot be had: somebody else has it."


async def test_a_fault_of_the_service_ends_nobody_else(
    service: Service, keys: Path, clock: HandClock
) -> None:
    class Falling(Service):
        falls = 1

        async def run(self) -> None:
            if self.falls:
                self.falls -= 1
                raise RuntimeError("the sweeper fell")
            await super().run()

    falling = Falling(service.given)
    settings = IntermuteSettings(port=0)
    running = Running(falling, settings, service.given.keyring, keys, clock)
    async with asyncio.timeout(20), background(running.run()):
        await until(clock, lambda: falling.falls == 0 and running.where is not None)
        assert await running.check() == ""


async def test_the_doctor_names_keys_and_port(tmp_path: Path, service: Service, clock: HandClock) -> None:
    port, path = free_port(), tmp_path / "keys.yaml"

    def settings(**more: object) -> Settings:
        intermute = IntermuteSettings(port=port, keys_file=path)
        return Settings(home=tmp_path, intermute=intermute.model_copy(update=more))

    fine = await intermute_finding(settings())
    assert (fine.ok, fine.words) == (True, f"127.0.0.1 port {port} is free; the start makes {path}")
    assert (await intermute_finding(settings(enabled=False))).words == "off: INTERCOM_INTERMUTE__ENABLED"
    write(path, LOCKED)
    found = await intermute_finding(settings())
    assert found.words.endswith(f"1 key in {path}, needed on this machine too")
    async with service.serve(port=port):
        served = await intermute_finding(settings())
        assert served.ok
        assert served.words.startswith(f"it is served on 127.0.0.1 port {port}")
    squatter = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", port)
    async with squatter:
        taken = await intermute_finding(settings())
        assert taken.words.endswith("Address already in use")
        assert not taken.ok
        assert taken.mend == "set INTERCOM_INTERMUTE__PORT to a free port"
    write(path, "projects: [")
    assert not (await intermute_finding(settings())).ok
