"""Groups, addresses and roles, in memory and in the database."""

import asyncio

import pytest

from host.people.registry import AlreadyRegistered, BadName, NoSuchGroup, Registry, RegistryError, Role
from storage.database import Database
from storage.wakeups import Wakeups
from tests.clock import HandClock


@pytest.fixture
def registry(database: Database, clock: HandClock) -> Registry:
    return Registry(database, clock, runtime="local")


async def test_the_main_group_exists_from_the_start_with_the_page_and_its_owner(registry: Registry) -> None:
    await registry.ensure_main()
    group = await registry.ensure_main(["tg:1000"])
    assert group.folder == "main"
    assert group.main
    assert group.writes
    assert not group.trigger_required
    assert group.addresses == ("tg:1000", "web:local")
    assert registry.role("main", "web:owner") is Role.OWNER
    assert registry.role("main", "tg:1000") is Role.OWNER
    assert registry.role("main", "tg:666") is None
    assert registry.people_with("main", Role.OWNER) == [("tg:1000", "tg:1000"), ("web:owner", "Owner")]


async def test_an_owners_chat_that_belongs_to_another_group_stays_there(registry: Registry) -> None:
    await registry.ensure_main()
    await registry.add_group("tg:1000", "shop")
    await registry.ensure_main(["tg:1000"])
    group = registry.group_of("tg:1000")
    assert group is not None
    assert group.folder == "shop"


async def test_a_topic_without_a_registration_belongs_to_its_chats_group_in_a_lane_of_its_own(
    registry: Registry,
) -> None:
    await registry.add_group("tg:-1", "shop")
    await registry.add_group("tg:-1/7", "billing")
    shop, billing = registry.group_of("tg:-1/42"), registry.group_of("tg:-1/7")
    assert shop is not None
    assert billing is not None
    assert (shop.folder, shop.lane_of("tg:-1/42"), shop.lane_of("tg:-1")) == ("shop", "shop/42", "shop")
    assert (billing.folder, billing.lane_of("tg:-1/7")) == ("billing", "billing")
    assert registry.group_of("tg:-2/42") is None


@pytest.mark.parametrize("folder", ["", "global", "../main", "a/b", "-a", "ä", "a" * 65, "a\n", "a b"])
async def test_a_folder_that_could_be_mistaken_is_refused(registry: Registry, folder: str) -> None:
    with pytest.raises(BadName):
        await registry.add_group("tg:-1", folder)


@pytest.mark.parametrize("address", ["", "tg", "tg:", "tg:1 2", "TG:1", "tg:1\n", "x:" + "1" * 200])
async def test_an_address_that_is_none_is_refused(registry: Registry, address: str) -> None:
    with pytest.raises(BadName):
        await registry.add_group(address, "shop")


async def test_a_folder_and_an_address_belong_to_one_group(registry: Registry) -> None:
    await registry.add_group("tg:-1", "shop")
    with pytest.raises(AlreadyRegistered, match="folder"):
        await registry.add_group("tg:-2", "shop")
    with pytest.raises(AlreadyRegistered, match="tg:-1"):
        await registry.add_group("tg:-1", "other")
    assert registry.group("other") is None
    await registry.ensure_main()
    with pytest.raises(AlreadyRegistered, match="one main group"):
        await registry.add_group("tg:-3", "third", main=True)


async def test_roles_are_given_changed_and_taken(registry: Registry) -> None:
    await registry.add_group("tg:-1", "shop")
    await registry.set_role("shop", "tg:1", Role.VIEWER)
    await registry.set_role("shop", "tg:1", Role.APPROVER)
    assert registry.role("shop", "tg:1") is Role.APPROVER
    assert registry.roles_of("tg:1") == {"shop": Role.APPROVER}
    await registry.set_role("shop", "tg:1", None)
    assert registry.role("shop", "tg:1") is None
    with pytest.raises(NoSuchGroup):
        await registry.set_role("nowhere", "tg:1", Role.OWNER)


async def test_the_main_group_cannot_be_removed_others_can(registry: Registry) -> None:
    await registry.ensure_main()
    await registry.add_group("tg:-1", "shop")
    await registry.remove_group("shop")
    assert registry.group_of("tg:-1") is None
    with pytest.raises(RegistryError, match="main group stays"):
        await registry.remove_group("main")


def test_each_role_includes_the_ones_below_it() -> None:
    assert Role.OWNER.includes(Role.VIEWER)
    assert Role.MEMBER.includes(Role.MEMBER)
    assert not Role.VIEWER.includes(Role.MEMBER)


async def test_what_another_process_registers_is_known_here_soon(
    registry: Registry, database: Database, database_url: str, clock: HandClock
) -> None:
    elsewhere = Registry(database, clock, runtime="local")
    await elsewhere.load()
    loaded = asyncio.Event()

    class Watched(Registry):
        async def load(self) -> None:
            await super().load()
            if self.group("shop") is not None:
                loaded.set()

    here = Watched(database, clock, runtime="local")
    async with Wakeups.open(database_url) as wakeups, asyncio.TaskGroup() as tasks:
        following = tasks.create_task(here.run(wakeups))
        await elsewhere.add_group("tg:-1", "shop")
        async with asyncio.timeout(5):
            await loaded.wait()
        following.cancel()
    assert here.group_of("tg:-1") is not None


async def test_a_group_that_chose_no_agent_follows_the_setting(database: Database, clock: HandClock) -> None:
    first = Registry(database, clock, runtime="local")
    await first.ensure_main()
    await first.add_group("tg:-100", "design", runtime="codex")
    later = Registry(database, clock, runtime="claude")
    await later.load()
    assert [group.runtime for group in later.groups()] == ["claude", "codex"]
    await later.set_model("main", "gemini", "")
    await first.load()
    assert [group.runtime for group in first.groups()] == ["gemini", "codex"]
