"""What people read when a model gave no answer: the reason in words, in the place of a raw error."""

import pytest

from container.agent import StopReason, TurnEvents
from container.broker.port import Trouble, TroubleKind
from container.sandbox import AgentDied, AgentRefused
from host.conversation.model_trouble import accounts_for, explained
from tests.host.conversation.agents import ScriptedAgent
from tests.host.conversation.house import House

BUSY = Trouble(kind=TroubleKind.OVERLOADED, sentence="The provider is overloaded. Ask again in a minute.")
SLOW = Trouble(kind=TroubleKind.TIMEOUT, sentence="The answer was cut off: it took longer than a minute.")
SPENT = Trouble(kind=TroubleKind.BUDGET, sentence="Today's spend limit of this group is reached.")


@pytest.mark.parametrize(
    "raw",
    [
        'API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
        "API Error (Connection error.) · Retrying in 1 seconds…",
        "Internal error: API Error: 403",
        "unexpected status 503 Service Unavailable: overloaded, url: http://127.0.0.1:8181/openai/v1/responses",
        "stream disconnected before completion: closed",
        "exceeded retry limit, last status: 429 Too Many Requests",
        '[API Error: {"error":{"code":503}}]',
        f"⚠ it said: {BUSY.sentence}",
        "",
    ],
)
def test_a_raw_error_becomes_the_reason(raw: str) -> None:
    assert explained(raw, BUSY) == BUSY.sentence
    assert explained(f"I begin with the tests.\n\nTwo fail.\n\n{raw}".rstrip(), BUSY, failed=True) == (
        f"I begin with the tests.\n\nTwo fail.\n\n{BUSY.sentence}"
    )


def test_without_trouble_nothing_is_touched() -> None:
    said = "API Error: 500 is what your log shows.\n\n\nIt means …"
    assert explained(said, None) == said


def test_an_answer_beside_a_failed_request_is_left_alone_unless_money_stopped_it() -> None:
    said = "API Error: 500 is what your log shows.\n\nIt means that the server failed."
    assert explained(said, BUSY) == said
    assert explained(said, BUSY, failed=True) == f"{said}\n\n{BUSY.sentence}"
    assert explained(said, SPENT) == f"{said}\n\n{SPENT.sentence}"
    assert explained(said, SLOW) == f"{said}\n\n{SLOW.sentence}"


def test_only_a_living_agent_is_accounted_for() -> None:
    assert accounts_for(AgentRefused("no"), BUSY)
    assert not accounts_for(AgentRefused("no"), None)
    assert not accounts_for(AgentDied("gone"), BUSY)


@pytest.mark.parametrize("refuses", [False, True])
async def test_the_chat_reads_the_reason_once_and_the_turn_is_over(house: House, refuses: bool) -> None:
    async def fail(agent: ScriptedAgent, prompt: str, events: TurnEvents) -> StopReason:
        del agent, prompt
        events.text("I look.\n\n")
        events.text('API Error: 403 {"error":{"message":"limit"}}')
        if refuses:
            raise AgentRefused("Internal error: API Error: 403")
        return StopReason.END

    house.launcher.script = fail
    house.trouble = SPENT
    async with house.open():
        await house.say("hi")
        await house.bridge.until_shows("tg:1000", f"I look.\n\n{SPENT.sentence}")
        await house.lanes.idle()
    assert await house.turn_states() == ["done"]
    assert len(house.launcher.prompts) == 1


async def test_a_session_whose_requests_the_provider_finds_wrong_is_begun_anew(house: House) -> None:
    """It would find them wrong for ever; the next session is told what was said."""
    async with house.open():
        await house.say("the password is swordfish")
        await house.bridge.until_says("tg:1000", "swordfish")
        house.trouble = Trouble(kind=TroubleKind.REFUSED, sentence="The provider found the request wrong.")
        await house.say("go on")
        await house.launcher.until_prompted(2)
        await house.lanes.idle()
        house.trouble = None
        await house.say("and now?")
        await house.launcher.until_prompted(3)
    first, second = house.launcher.agents
    assert not first.alive
    assert not second.resumed
    assert "swordfish" in second.prompts[0]
