"""Claiming the bot with the code printed at start."""

import re

from bridges.messages import Person
from host.people.registry import Role
from tests.host.decisions.office import MAIN, Office

NEW = Person(address="tg:5000", name="Nora")


async def claim(office: Office, code: str, person: Person = NEW, *, private: bool = True) -> str:
    address = person.address if private else MAIN
    return await office.parts.claims.claim(person.address, person.name, address, private, code)


async def test_the_code_makes_an_owner_and_the_chat_joins_the_main_group(office: Office) -> None:
    code = await office.parts.claims.code()
    assert len(re.sub("[^A-Z2-7]", "", code)) == 26
    assert (await claim(office, code.lower().replace("-", " "))).startswith("You own this bot now")
    assert office.registry.role("main", NEW.address) is Role.OWNER
    group = office.registry.group_of(NEW.address)
    assert group is not None
    assert group.main


async def test_the_code_works_once(office: Office) -> None:
    code = await office.parts.claims.code()
    await claim(office, code)
    other = Person(address="tg:5001", name="Otto")
    assert (await claim(office, code, other)).startswith("This is not the code.")
    assert office.registry.role("main", other.address) is None


async def test_a_new_start_makes_the_old_code_worthless(office: Office) -> None:
    old = await office.parts.claims.code()
    await office.parts.claims.code()
    assert (await claim(office, old)).startswith("This is not the code.")


async def test_five_wrong_codes_lock_a_person_out_even_with_the_right_one(office: Office) -> None:
    code = await office.parts.claims.code()
    for _ in range(5):
        assert (await claim(office, "WRONG")).startswith("This is not the code.")
    assert (await claim(office, code)).startswith("Too many wrong codes came from you.")
    assert office.registry.role("main", NEW.address) is None
    await office.clock.advance(3601)
    assert (await claim(office, code)).startswith("You own this bot now")


async def test_many_people_guessing_lock_everybody_out(office: Office) -> None:
    code = await office.parts.claims.code()
    for number in range(50):
        await claim(office, "WRONG", Person(address=f"tg:{9000 + number}", name="x"))
    assert (await claim(office, code)).startswith("Too many wrong codes were tried")


async def test_a_code_shown_to_a_group_counts_no_more(office: Office) -> None:
    code = await office.parts.claims.code()
    assert "counts no more" in await claim(office, code, private=False)
    assert (await claim(office, code)).startswith("This is not the code.")


async def test_neither_the_database_nor_the_audit_log_holds_the_code(office: Office) -> None:
    code = await office.parts.claims.code()
    await claim(office, code)
    await claim(office, code + "X")
    letters = code.replace("-", "")
    for table in ("claims", "claim_attempts", "audit", "messages"):
        rows = await office.database.fetch(f"SELECT t::text AS row FROM host.{table} t")  # noqa: S608 - our tables
        assert not any(letters in row["row"] or code in row["row"] for row in rows)
    actions = await office.audited()
    assert {"claim.accepted", "claim.refused", "role.set", "group.address_added"} <= set(actions)
