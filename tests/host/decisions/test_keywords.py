"""Decisions by word: only from people, only alone on their line, only where the card is."""

from datetime import timedelta

from host.decisions.approvals import State
from tests.host.decisions.office import ANA, BEN, MAIN, MIA, OTHER, Office, code_of, first_line


async def test_a_typed_decision_decides(office: Office) -> None:
    card = await office.gate()
    assert await office.say(f"approve  {code_of(card).lower()}", BEN)
    assert first_line(await office.card()) == '✅ Approved by Ben, 09:00: "refactor auth" is in polish.'
    assert 'Approved: "refactor auth" is in polish.' in await office.lines()


async def test_the_verb_alone_is_enough_when_one_card_is_open(office: Office) -> None:
    await office.gate()
    assert await office.say("APPROVE", BEN)
    assert first_line(await office.card()).startswith("✅ Approved by Ben")


async def test_the_verb_alone_is_a_question_when_two_are_open(office: Office) -> None:
    first, second = await office.gate("one"), await office.gate("two")
    assert await office.say("APPROVE", BEN)
    said = (await office.lines())[-1]
    assert said.startswith("Several cards are open here. Which one do you mean:")
    assert code_of(first) in said
    assert code_of(second) in said
    assert not office.kernel.executed


async def test_the_verb_alone_as_a_reply_means_that_card(office: Office) -> None:
    first, _ = await office.gate("one"), await office.gate("two")
    assert await office.say("reject", BEN, reply_to=first.refs[0])
    assert [first_line(card)[0] for card in await office.cards()] == ["⛔", "🚪"]


async def test_the_verb_alone_without_a_card_is_for_the_agent(office: Office) -> None:
    assert not await office.say("approve")
    card = await office.gate()
    await office.tap(card, "APPROVE")
    assert not await office.say("approve")


async def test_a_reply_to_something_else_is_for_the_agent(office: Office) -> None:
    await office.gate()
    assert not await office.say("approve", reply_to="4711")


async def test_an_unknown_code_is_said_to_be_unknown(office: Office) -> None:
    assert await office.say("APPROVE K7Q2MD")
    assert (await office.lines())[
        -1
    ] == "No card in this chat has the code K7Q2MD; /approvals shows the open ones."


async def test_a_code_typed_in_another_chat_decides_nothing(office: Office) -> None:
    card = await office.gate()
    assert await office.say(f"APPROVE {code_of(card)}", ANA, address=OTHER)
    assert (await office.lines(OTHER))[-1].startswith("No card in this chat has the code")
    assert (await office.approval(code_of(card))).state is State.PENDING


async def test_in_a_chat_that_is_not_registered_nothing_is_answered(office: Office) -> None:
    card = await office.gate()
    assert not await office.say(f"APPROVE {code_of(card)}", ANA, address="tg:-999")
    assert await office.lines("tg:-999") == []


async def test_a_typed_decision_by_somebody_who_may_not(office: Office) -> None:
    card = await office.gate()
    assert await office.say(f"APPROVE {code_of(card)}", MIA)
    assert (await office.lines())[-1] == 'Only approvers of "Engineering" decide this: Ana, Ben.'
    assert "approval.refused" in await office.audited()


async def test_a_verb_the_card_does_not_have(office: Office) -> None:
    card = await office.gate()
    assert await office.say(f"EXTEND {code_of(card)}")
    assert (await office.lines())[-1] == f"The card {code_of(card)} takes APPROVE, REJECT, DEFER."


async def test_a_code_inside_a_sentence_decides_nothing(office: Office) -> None:
    card = await office.gate()
    assert not await office.say(f"I think we should APPROVE {code_of(card)} soon")
    assert (await office.approval(code_of(card))).state is State.PENDING


async def test_a_decision_written_by_an_agent_or_in_an_issue_decides_nothing(office: Office) -> None:
    card = await office.gate()
    code = code_of(card)
    await office.terminal.issue(f"APPROVE {code}")
    turn = await office.turn()
    box = office.parts.toolbox_for("main", lambda: turn)
    sent = await box.call("send_message", {"text": f"APPROVE {code}"})
    assert not sent.failed
    found = await box.call("demarch_search_beads", {"query": "APPROVE"})
    assert code in found.text
    await office.feed()
    assert (await office.approval(code)).state is State.PENDING
    assert f"APPROVE {code}" in await office.lines(MAIN)
    assert not office.kernel.executed


async def test_an_expired_card_tells_a_typed_decision_so(office: Office) -> None:
    card = await office.gate()
    await office.clock.advance(timedelta(hours=2).total_seconds())
    assert await office.say(f"APPROVE {code_of(card)}")
    assert (await office.lines())[-1].endswith("/approvals asks it again.")
