"""Slash commands: answered by the host, to whom they may."""

import asyncio

import pytest

from bridges.messages import Person
from container.agent import Runtime, StopReason, TurnEvents
from host.conversation.warmth import Climate
from host.incoming.models import LOCAL, Model, catalogue, choose, listing
from host.people.registry import Role
from tests.host.conversation.agents import ScriptedAgent, hang
from tests.host.conversation.house import ANA, EVE, House

BEN = Person(address="tg:2000", name="Ben")
ROWS = (
    Runtime(name="local", title="Local", image="", command=()),
    Runtime(name="claude", title="Claude Code", image="", command=(), models=("claude-4", "claude-4-mini")),
    Runtime(name="codex", title="Codex", image="", command=(), models=("gpt-5",)),
)
FORGOTTEN = "A new conversation begins; the agent remembers nothing of the earlier one."
MODELS = (Model(name="local", runtime="local"), Model(name="other-large", runtime="other", model="large"))


async def _answer_to(
    house: House, text: str, address: str = "tg:1000", sender: Person = ANA, **more: object
) -> str:
    before = len(house.bridge.texts(address))
    await house.say(text, address=address, sender=sender, **more)
    await house.bridge.until(lambda: len(house.bridge.texts(address)) > before)
    return house.bridge.texts(address)[-1]


async def test_commands_never_reach_an_agent(house: House) -> None:
    async with house.open():
        assert await _answer_to(house, "/ping") == "pong"
        assert await _answer_to(house, "/PING and more") == "pong"
        assert house.launcher.prompts == []
        await house.say("hello")
        await house.launcher.until_prompted(1)
    assert "ping" not in house.launcher.prompts[0][1]


async def test_an_unknown_command_is_ignored_and_not_given_to_an_agent(house: House) -> None:
    async with house.open():
        await house.say("/frobnicate now")
        await house.say("/ping@another_bot")
        assert await _answer_to(house, "/ping") == "pong"
        assert house.bridge.texts("tg:1000") == ["pong"]
        assert house.launcher.prompts == []


async def test_a_path_is_not_a_command(house: House) -> None:
    async with house.open():
        await house.say("/etc/passwd looks odd")
        await house.launcher.until_prompted(1)


async def test_a_stranger_learns_how_to_register_and_nothing_else(house: House) -> None:
    async with house.open():
        for command in ("/start", "/help", "/status", "/approvals", "/reset", "/model"):
            said = await _answer_to(house, command, address="tg:-9", sender=EVE)
            assert "intercom group add tg:-9 --folder NAME" in said
            assert "/claim" not in said
        assert "/claim" in await _answer_to(house, "/start", address="tg:666", sender=EVE)
        assert await _answer_to(house, "/chatid", address="tg:-9", sender=EVE) == (
            "This chat is tg:-9, you are tg:666."
        )


async def test_help_shows_what_you_may_do(house: House) -> None:
    async with house.open():
        await house.registry.set_role("main", BEN.address, Role.VIEWER)
        for sender, shown, hidden in (
            (ANA, ["/status", "/stop", "/model", "APPROVE"], []),
            (BEN, ["/status", "/approvals"], ["/reset", "/model", "APPROVE"]),
            (EVE, ["no role"], ["/status", "/reset", "/model"]),
        ):
            said = await _answer_to(house, "/help", sender=sender)
            assert all(word in said for word in shown)
            assert not any(word in said for word in hidden)
            assert len(said.splitlines()) <= 10


async def test_a_role_too_small_is_told_which_one_is_needed(house: House) -> None:
    async with house.open():
        await house.registry.set_role("main", BEN.address, Role.VIEWER)
        said = await _answer_to(house, "/reset", sender=BEN)
        assert "at least the role member" in said
        assert "you are viewer" in said
        assert "no role" in await _answer_to(house, "/status", sender=EVE)
        assert await _answer_to(house, "/status", sender=BEN) == "Nothing runs in main."


async def test_reset_ends_the_conversation_and_the_turn_in_it(house: House) -> None:
    house.launcher.script = hang
    async with house.open():
        await house.say("hi")
        await house.launcher.until_prompted(1)
        await house.say("/new")
        await house.bridge.until(lambda: len(house.bridge.texts("tg:1000")) == 2)
        assert set(house.bridge.texts("tg:1000")) == {
            "Stopped.",
            f"{FORGOTTEN} That one is kept as 2026-01-05-0900-hi.md.",
        }
        await house.say("again")
        await house.launcher.until_prompted(2)
        assert len(house.launcher.agents) == 2


async def test_a_model_is_chosen_and_the_conversation_goes_on(house: House) -> None:
    house.models = MODELS
    house = house.again()
    async with house.open():
        await house.say("hi")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
        assert "1. local (answers here now)\n2. other-large" in await _answer_to(house, "/model")
        assert "already" in await _answer_to(house, "/model local")
        assert "From now on other-large answers here" in await _answer_to(house, "/model large")
        group = house.registry.group("main")
        assert group is not None
        assert (group.runtime, group.model) == ("other", "large")
        assert "hi again" in await _answer_to(house, "hi again")
        assert len(house.launcher.agents) == 2
        await house.registry.set_role("main", BEN.address, Role.MEMBER)
        assert "approver" in await _answer_to(house, "/model 1", sender=BEN)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("1", "local"), ("2", "other-large"), ("LOCAL", "local"), ("large", "other-large"), ("oca", "local")],
)
def test_a_model_is_found_by_number_name_or_part(wanted: str, found: str) -> None:
    chosen = choose(MODELS, wanted)
    assert isinstance(chosen, Model)
    assert chosen.name == found


@pytest.mark.parametrize("wanted", ["3", "0", "l", "nothing", "²", "9" * 5000])
def test_what_names_no_single_model_changes_nothing(wanted: str) -> None:
    said = choose(MODELS, wanted)
    assert isinstance(said, str)
    assert said.startswith("Nothing was changed")
    assert len(said) < 300
    assert "local" in listing(MODELS, "local", "")


@pytest.mark.parametrize(
    ("wanted", "runtime", "model"),
    [
        ("3", "claude", "claude-4-mini"),
        ("claude-4", "claude", "claude-4"),  # exact, though another begins like it
        ("Claude", "claude", "claude-4"),  # the program by its name means its default
        ("mini", "claude", "claude-4-mini"),
        ("gpt", "codex", "gpt-5"),
        ("local", "local", ""),
    ],
)
def test_the_catalogue_has_every_model_of_every_program(wanted: str, runtime: str, model: str) -> None:
    chosen = choose(catalogue(ROWS), wanted)
    assert isinstance(chosen, Model)
    assert (chosen.runtime, chosen.model) == (runtime, model)


@pytest.mark.parametrize(
    ("wanted", "runtime"),
    [("claude-9", "claude"), ("o3-deep", "codex"), ("gemini-9", "local"), ("house-model", "local")],
)
def test_a_name_an_owner_allows_is_taken_and_its_program_guessed(wanted: str, runtime: str) -> None:
    rows = catalogue(ROWS)
    chosen = choose(rows, wanted, runtime="local", allowed=[wanted])
    assert isinstance(chosen, Model)
    assert (chosen.runtime, chosen.model) == (runtime, wanted)
    assert isinstance(choose(rows, wanted, runtime="local"), str)


def test_what_an_owner_does_not_allow_is_neither_listed_nor_chosen() -> None:
    rows = catalogue(ROWS)
    said = choose(rows, "gpt-5", allowed=["claude-4"])
    assert isinstance(said, str)
    assert "not among the models an owner allows" in said
    shown = listing(rows, "claude", "", allowed=["claude-4", "house-model"])
    assert "2. claude-4, Claude Code (answers here now)" in shown
    assert "gpt-5" not in shown
    assert "Allowed here as well: house-model." in shown
    assert "local" in shown


async def test_a_claims_code_is_kept_nowhere(house: House) -> None:
    async with house.open():
        assert await _answer_to(house, "/claim SECRETCODE") == "Ana owns the bot."
        assert (
            await _answer_to(house, "/claim SECRETCODE", address="tg:666", sender=EVE) == "Eve owns the bot."
        )
        await house.router.idle()
    assert house.claims.codes == ["SECRETCODE"] * 2
    for table in ("updates", "messages", "posts"):
        rows = await house.database.fetch(f"SELECT t::text AS row FROM host.{table} t")  # noqa: S608
        assert not any("SECRETCODE" in row["row"] for row in rows), table


async def test_approvals_asks_the_desk(house: House) -> None:
    async with house.open():
        await house.say("/approvals")
        await house.say("/ping")
        await house.bridge.until_shows("tg:1000", "pong")
    assert house.desk.taken == ["tg:1000 in tg:1000"]


async def test_an_answer_to_a_command_is_not_doubled_by_a_restart(house: House) -> None:
    async with house.open():
        await _answer_to(house, "/ping")
        await house.router.idle()
        assert await house.sender.drain(5)
    # As if the host had been killed between the answer and the note that the update is handled.
    await house.database.execute(
        "UPDATE host.updates SET handled_at = NULL, body = $1",
        {"sender": "tg:1000", "name": "Ana", "text": "/ping", "ref": "m1", "reply_to": None}
        | {"sent_at": house.clock.now().isoformat(), "private": True, "title": "", "mentioned": False},
    )
    house = house.again()
    async with house.open():
        await house.say("hello")
        await house.bridge.until(lambda: len(house.bridge.texts("tg:1000")) == 2)
    assert house.bridge.texts("tg:1000")[0] == "pong"


async def test_stop_without_a_turn_says_so(house: House) -> None:
    async with house.open():
        assert await _answer_to(house, "/stop") == "Nothing runs here at the moment."


@pytest.mark.parametrize("takes_followups", [True, False])
async def test_a_stop_ends_what_was_asked_before_it_and_nothing_after(
    house: House, takes_followups: bool
) -> None:
    async def count_until_cancelled(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason | None:
        if "count" not in text:
            events.text("I heard the rest.")
            return None
        events.text("one, two")
        await agent.cancelled.wait()
        return StopReason.CANCELLED

    house.launcher.script = count_until_cancelled
    house.launcher.takes_followups = takes_followups
    async with house.open():
        await house.say("count")
        await house.launcher.until_prompted(1)
        await house.receive(house.message("/stop"), house.message("and now something else"))
        await house.bridge.until_says("tg:1000", "I heard the rest.")
        assert "Stopped." in next(text for text in house.bridge.texts("tg:1000") if "one, two" in text)
    assert await house.turn_states() == ["done", "done"]


async def test_what_is_said_after_a_change_of_model_is_answered_by_the_new_one(house: House) -> None:
    house.models = (LOCAL, Model(name="other", runtime="other"))
    house = house.again()
    async with house.open():
        await house.receive(house.message("/model other"), house.message("who is there?"))
        await house.launcher.until_prompted(1)
    assert [agent.runtime for agent in house.launcher.agents] == ["other"]


async def test_people_who_talk_among_themselves_have_an_agent_before_they_call_it(house: House) -> None:
    house.climate = Climate()
    house = house.again()
    async with house.open():
        await house.registry.add_group("tg:-1", "team")
        await house.say("what a morning", address="tg:-1")
        await house.launcher.until(lambda: house.launcher.agents)
        assert house.launcher.agents[0].key == "team"
    assert not house.launcher.prompts


async def test_topics_are_conversations_of_their_own(house: House) -> None:
    async def remember(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        events.text(f"{agent.key} {len(agent.prompts)}")
        await asyncio.sleep(0)

    house.launcher.script = remember
    async with house.open():
        await house.registry.add_group("tg:-1", "team", trigger_required=False)
        await house.registry.set_role("team", ANA.address, Role.OWNER)
        for address in ("tg:-1", "tg:-1/42", "tg:-1/42"):
            await _answer_to(house, "hi", address=address)
        assert house.bridge.texts("tg:-1/42") == ["team/42 1", "team/42 2"]
        await _answer_to(house, "/reset", address="tg:-1/42")
        assert await _answer_to(house, "hi", address="tg:-1/42") == "team/42 1"
        assert await _answer_to(house, "hi", address="tg:-1") == "team 2"


async def test_what_models_cost_is_shown_to_whoever_may_look(house: House) -> None:
    async with house.open():
        await house.registry.set_role("main", BEN.address, Role.VIEWER)
        assert await _answer_to(house, "/spend", sender=BEN) == "Nothing was spent in main."
        assert "no role" in await _answer_to(house, "/spend", sender=EVE)
        assert "/spend" in await _answer_to(house, "/help", sender=BEN)


async def test_what_was_found_is_shown_to_whoever_may_look(house: House) -> None:
    async with house.open():
        await house.registry.set_role("main", BEN.address, Role.VIEWER)
        said = await _answer_to(house, "/discoveries now", sender=BEN)
        assert said == f"No discovery waits in main at tg:1000 for {BEN.address}: now."
        assert "no role" in await _answer_to(house, "/discoveries", sender=EVE)
        assert "/discoveries" in await _answer_to(house, "/help", sender=BEN)
