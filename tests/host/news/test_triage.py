"""Discoveries in chat: one card at a time, the next with the answer, nothing asked twice and nothing lost."""

import asyncio

import pytest

from host.decisions.approvals import State
from host.decisions.cards import OUT_OF_DATE
from tests.host.decisions.faulty import Fault
from tests.host.decisions.office import (
    ANA,
    BEN,
    EVE,
    MAIN,
    MIA,
    OTHER,
    Office,
    code_of,
    first_line,
    labels,
)

DAY = 24 * 3600.0


async def find(office: Office, *titles: str, score: float = 0.8) -> list[str]:
    """Findings in this order of relevance, read by the feed."""
    ids = []
    for place, title in enumerate(titles):
        written = await office.terminal.write(
            "register_finding", title=title, summary="Seen twice.", source="scout", score=score - place / 100
        )
        ids.append(str(written.data["id"]))
    await office.feed()
    return ids


async def statuses(office: Office, ids: list[str]) -> list[str]:
    return [(await office.kernel.discovery(each)).status for each in ids]


async def open_cards(office: Office) -> int:
    return int(
        await office.database.fetchval(
            "SELECT count(*) FROM host.approvals"
            " WHERE kind = 'discovery' AND state IN ('pending', 'executing')"
        )
    )


async def discoveries(office: Office, person: str = ANA.address, argument: str = "") -> str | None:
    group = office.registry.group("main")
    assert group is not None
    content = await office.parts.news.discoveries.page(group, MAIN, person, argument)
    await office.show()
    return content.text if content else None


async def test_what_is_found_is_asked_about_and_becomes_an_issue(office: Office) -> None:
    [found] = await find(office, "Cache the parsed config")
    card = await office.card()
    assert first_line(card) == '🔎 Worth an issue: "Cache the parsed config"?'
    assert "Found by scout, relevance 80 %.\nSeen twice." in card.content.text
    assert f"discovery {found} · code" in card.content.text
    assert labels(card) == ["PROMOTE", "DISMISS", "LATER"]
    assert card.content.silent
    said = await office.tap(card, "PROMOTE", BEN)
    discovery = await office.kernel.discovery(found)
    assert discovery.status == "promoted"
    assert said == f'Promoted: "Cache the parsed config" is the issue {discovery.issue_id}.'
    after = await office.card()
    assert first_line(after).startswith("✅ Promoted by Ben,")
    assert labels(after) == []
    assert (await office.audit.verify()).ok


async def test_the_next_card_comes_with_the_answer_in_the_order_of_relevance(office: Office) -> None:
    ids = await find(office, "one", "two", "three")
    assert first_line(await office.card()) == '🔎 Worth an issue (1 of 3): "one"?'
    await office.tap(await office.card(), "PROMOTE")
    assert first_line(await office.card()) == '🔎 Worth an issue (2 of 3): "two"?'
    await office.tap(await office.card(), "DISMISS")
    assert first_line(await office.card()) == '🔎 Worth an issue (3 of 3): "three"?'
    await office.tap(await office.card(), "LATER")
    assert await statuses(office, ids) == ["promoted", "dismissed", "new"]
    assert len(await office.cards()) == 3
    assert await open_cards(office) == 0


async def test_more_that_is_found_is_counted_on_the_open_card(office: Office) -> None:
    await find(office, "one")
    await find(office, "two", "three", score=0.9)
    assert first_line(await office.card()) == '🔎 Worth an issue (1 of 3): "one"?'
    assert len(await office.cards()) == 1


async def test_what_is_hardly_relevant_is_not_asked_about(office: Office) -> None:
    await find(office, "noise", score=0.49)
    assert await office.cards() == []
    await find(office, "just enough", score=0.5)
    assert len(await office.cards()) == 1


async def test_later_comes_again_in_the_morning_and_once(office: Office) -> None:
    await find(office, "one")
    said = await office.tap(await office.card(), "LATER")
    assert said == 'Put off: "one" comes again tomorrow.'
    await office.parts.news.triage.look()
    assert await open_cards(office) == 0
    await office.clock.advance(DAY)
    office = await office.reborn()
    for _ in range(2):
        await office.parts.news.triage.look()
    await office.show()
    assert first_line(await office.card()) == '🔎 Worth an issue: "one"?'
    assert len(await office.cards()) == 2
    assert await open_cards(office) == 1


async def test_what_was_put_off_can_be_asked_about_at_once(office: Office) -> None:
    await find(office, "one")
    await office.tap(await office.card(), "LATER")
    nothing = await discoveries(office)
    assert nothing is not None
    assert "1 comes again tomorrow 08:00" in nothing
    assert await discoveries(office, argument="now") is None
    assert first_line(await office.card()) == '🔎 Worth an issue: "one"?'
    await office.tap(await office.card(), "DISMISS")
    assert await discoveries(office, argument="now") == "No discovery waits for a decision."


@pytest.mark.parametrize(("operation", "words"), [("promote", "is the issue"), ("dismiss", "put aside")])
async def test_what_is_decided_elsewhere_closes_the_card_and_the_next_comes(
    office: Office, operation: str, words: str
) -> None:
    ids = await find(office, "one", "two")
    card = await office.card()
    await office.terminal.write(f"{operation}_discovery", discovery_id=ids[0])
    await office.feed()
    closed = await office.approval(code_of(card))
    assert closed.state is State.CLOSED
    assert words in (closed.outcome or "")
    # What somebody else decided is not part of this list any more.
    assert first_line(await office.card()) == '🔎 Worth an issue: "two"?'
    assert await office.tap(card, "PROMOTE", data=f"promote:{code_of(card)}") == closed.outcome
    assert await open_cards(office) == 1


async def test_what_was_decided_while_nobody_followed_is_asked_about_no_more(office: Office) -> None:
    [found] = await find(office, "one")
    card = await office.card()
    await office.terminal.write("dismiss_discovery", discovery_id=found)
    # Its event is behind the marks from now on.
    await office.database.execute("DELETE FROM host.feed_marks")
    await office.feed()
    assert await office.tap(card, "PROMOTE") == "Not done: “one” was dismissed already."
    await office.clock.advance(2 * DAY)
    await office.parts.news.triage.look()
    assert await open_cards(office) == 0


async def test_what_is_gone_is_asked_about_no_more(office: Office) -> None:
    [found] = await find(office, "one")
    card = await office.card()
    await office.database.execute("DELETE FROM kernel.discoveries WHERE id = $1", found)
    assert (await office.tap(card, "PROMOTE")).startswith("Not done: There is no discovery")
    await office.clock.advance(2 * DAY)
    await office.parts.news.triage.look()
    assert await open_cards(office) == 0


async def test_what_was_decided_before_it_was_asked_is_never_asked(office: Office) -> None:
    ids = await find(office, "one", "two")
    await office.terminal.write("dismiss_discovery", discovery_id=ids[1])
    await office.feed()
    await office.tap(await office.card(), "PROMOTE")
    assert await open_cards(office) == 0
    assert len(await office.cards()) == 1


async def test_only_who_decides_here_triages(office: Office) -> None:
    [found] = await find(office, "one")
    card = await office.card()
    for verb in ("PROMOTE", "DISMISS", "LATER"):
        assert await office.tap(card, verb, MIA) == 'Only approvers of "Engineering" decide this: Ana, Ben.'
        assert await office.tap(card, verb, EVE) == 'Only approvers of "Engineering" decide this: Ana, Ben.'
    assert await statuses(office, [found]) == ["new"]


async def test_many_taps_at_once_decide_once_and_put_one_card(office: Office) -> None:
    ids = await find(office, "one", "two", "three")
    card = await office.card()
    taps = [office.press(card, verb, who) for verb in ("PROMOTE", "DISMISS", "LATER") for who in (ANA, BEN)]
    await office.run_all(taps * 2)
    assert len(office.kernel.executed) <= 1
    assert await open_cards(office) == 1
    assert len(await office.cards()) == 2
    assert (await statuses(office, ids))[1:] == ["new", "new"]


async def test_words_decide_as_buttons_do(office: Office) -> None:
    ids = await find(office, "one", "two", "three")
    assert await office.say(f"promote {code_of(await office.card())}")
    assert await office.say("DISMISS")
    assert await office.say("later", reply_to=(await office.card()).refs[0])
    assert await statuses(office, ids) == ["promoted", "dismissed", "new"]
    assert await office.say(f"APPROVE {code_of(await office.card())}")
    assert (await office.lines())[-1].endswith("takes PROMOTE, DISMISS, LATER.")


async def test_a_tap_whose_answer_was_lost_is_that_person_s_and_the_list_goes_on(office: Office) -> None:
    ids = await find(office, "one", "two")
    card = await office.card()
    office.kernel.plan.extend([Fault.LOST] * 3)
    tap = office.press(card, "PROMOTE", BEN)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        work = tasks.create_task(office.run(tap))
        while not work.done():
            await office.clock.advance(1)
            await asyncio.sleep(0)
    await office.feed()
    assert (await office.approval(code_of(card))).decided_name == "Ben"
    assert await statuses(office, ids) == ["promoted", "new"]
    assert first_line(await office.card()) == '🔎 Worth an issue (2 of 2): "two"?'


async def test_a_kernel_that_cannot_promote_keeps_the_card(office: Office) -> None:
    await find(office, "one", "two")
    office.kernel.absent = {"promote_discovery": "The program bd is not installed."}
    said = await office.tap(await office.card(), "PROMOTE")
    assert said.startswith("Not done: The program bd is not installed.")
    assert len(await office.cards()) == 1
    assert labels(await office.card()) == ["PROMOTE", "DISMISS", "LATER"]
    await office.tap(await office.card(), "DISMISS")
    assert first_line(await office.card()) == '🔎 Worth an issue (2 of 2): "two"?'


async def test_a_decision_cut_off_by_a_crash_is_finished_with_its_next_card(office: Office) -> None:
    ids = await find(office, "one", "two")
    card = await office.card()
    office.kernel.hold_after = asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        work = tasks.create_task(office.run(office.press(card, "PROMOTE", ANA)))
        await office.kernel.arrived.wait()
        work.cancel()
    office.kernel.hold_after = None
    again = await office.reborn()
    await again.feed()
    await again.parts.recover()
    await again.feed()
    assert await statuses(again, ids) == ["promoted", "new"]
    assert (await again.approval(code_of(card))).decided_name == "Ana"
    assert first_line(await again.card()) == '🔎 Worth an issue (2 of 2): "two"?'
    assert await open_cards(again) == 1
    assert len(again.kernel.executed) == 1


async def test_muted_discoveries_wait_and_come_when_the_mute_ends(office: Office) -> None:
    await office.parts.news.quiet.mute("main", "2h discovery", ANA.address)
    await find(office, "one", "two")
    await office.parts.news.triage.look()
    await office.show()
    assert await office.cards() == []
    await office.clock.advance(2 * 3600 + 1)
    await office.parts.news.triage.look()
    assert first_line(await office.card()) == '🔎 Worth an issue (1 of 2): "one"?'


async def test_muted_discoveries_are_in_the_digest_once(office: Office) -> None:
    await office.parts.news.quiet.digest("main", "daily 09:00", ANA.address)
    await office.parts.news.quiet.mute("main", "2h discovery", ANA.address)
    await find(office, "one")
    digest = await office.parts.news.quiet.digest("main", "now", ANA.address)
    assert digest.text.count('🔎 Found: "one".') == 1
    assert await office.cards() == []


async def test_asking_for_them_puts_the_card_where_it_is_asked(office: Office) -> None:
    await find(office, "one")
    assert await discoveries(office) is None
    assert len(await office.cards()) == 2
    await office.tap((await office.cards())[0], "DISMISS")
    assert all(labels(card) == [] for card in await office.cards())
    assert await discoveries(office) == "No discovery waits for a decision."


async def test_what_was_found_before_anybody_followed_is_offered_when_asked_for(office: Office) -> None:
    await find(office, "one")
    await office.database.execute("DELETE FROM host.posts")
    await office.database.execute("DELETE FROM host.approvals")
    await office.database.execute("DELETE FROM host.discoveries")
    await find(office, "noise", score=0.2)
    assert await discoveries(office) is None
    assert first_line(await office.card()) == '🔎 Worth an issue: "one"?'


async def test_who_may_only_look_reads_the_list(office: Office) -> None:
    await find(office, "one", "two")
    said = await discoveries(office, MIA.address)
    assert said is not None
    assert said.splitlines() == [
        "2 discoveries to decide about:",
        "1. one · scout, 80 %",
        "2. two · scout, 79 %",
        "Approvers decide.",
    ]
    assert len(await office.cards()) == 1


async def test_a_kernel_that_is_away_is_said_beside_what_is_known(office: Office) -> None:
    office.kernel.down = True
    said = await discoveries(office)
    assert said is not None
    assert "There may be more: the kernel did not list what it has." in said


async def test_the_list_of_a_group_that_is_gone_goes_to_another(office: Office) -> None:
    await find(office, "one", "two")
    await office.database.execute("UPDATE host.discoveries SET folder = 'design'")
    await office.database.execute("UPDATE host.approvals SET folder = 'design'")
    await office.registry.remove_group("design")
    await office.parts.news.triage.look()
    await office.show()
    assert first_line(await office.card()) == '🔎 Worth an issue (1 of 2): "one"?'
    assert await open_cards(office) == 1
    assert await office.cards(OTHER) == []


async def test_foreign_words_stay_words_on_the_card(office: Office) -> None:
    await find(office, 'evil" title\u202e\nApproved by Ana')
    card = await office.card()
    assert first_line(card) == '🔎 Worth an issue: "evil\' title Approved by Ana"?'
    assert "\u202e" not in card.content.text


async def test_a_tap_on_another_card_s_data_is_out_of_date(office: Office) -> None:
    await find(office, "one", "two")
    first = await office.card()
    await office.tap(first, "DISMISS")
    second = await office.card()
    assert await office.tap(first, "PROMOTE", data=f"promote:{code_of(second)}") == OUT_OF_DATE
    assert await office.tap(second, "", data=f"approve:{code_of(second)}") == OUT_OF_DATE


async def test_what_an_agent_wants_to_promote_is_asked_by_its_title_and_closes_the_card(
    office: Office,
) -> None:
    [found] = await find(office, "Cache the parsed config")
    card = await office.card()
    turn = await office.turn()
    box = office.parts.toolbox_for("main", lambda: turn)
    unknown = await box.call("demarch_promote_discovery", {"discovery_id": "nonexistent0"})
    assert unknown.text == "There is no discovery nonexistent0."
    await box.call("demarch_promote_discovery", {"discovery_id": found})
    asked = await office.card()
    assert first_line(asked) == '🙋 The agent asks: make an issue of the discovery "Cache the parsed config"?'
    await office.tap(asked, "APPROVE", BEN)
    await office.feed()
    assert (await office.approval(code_of(card))).state is State.CLOSED
    assert await open_cards(office) == 0
