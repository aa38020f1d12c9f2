"""The law of discoveries: registered, found by their words, promoted to issues or put aside, each once."""

import pytest

from demarch.errors import Conflict, NotFound
from tests.demarch.law.worlds import Caller, World, worded


async def test_a_finding_is_found_by_its_words(ana: Caller) -> None:
    registered = await ana.write(
        "register_finding", title="Passkeys beat passwords", summary="A study of logins", score=0.9
    )
    worded(registered)
    await ana.found("Cats sleep a lot")
    for query in ("passkeys", "logins"):
        found = await ana.read("research", query=query)
        assert [each["title"] for each in found.data["discoveries"]] == ["Passkeys beat passwords"]
        worded(found)
    nothing = await ana.read("research", query="zebra")
    assert nothing.data["discoveries"] == []
    worded(nothing)


async def test_the_most_relevant_discovery_comes_first(ana: Caller) -> None:
    for title, score in (("low", 0.2), ("high", 0.9), ("middle", 0.6)):
        await ana.found(title, score=score)
    listed = await ana.kernel.discoveries(status="new", limit=2)
    assert [each.title for each in listed] == ["high", "middle"]
    assert listed[0].score == pytest.approx(0.9)


async def test_a_finding_is_registered_once_per_key(ana: Caller) -> None:
    key = ana.key()
    for _ in range(2):
        await ana.write("register_finding", key=key, title="Passkeys beat passwords")
    assert len(await ana.kernel.discoveries(status="new", limit=10)) == 1


async def test_a_promoted_discovery_is_an_issue(ana: Caller) -> None:
    found = await ana.found("Passkeys beat passwords", summary="A study", score=0.9)
    key = ana.key()
    for _ in range(2):
        promoted = await ana.write("promote_discovery", key=key, discovery_id=found, priority=1)
        worded(promoted)
    discovery = await ana.kernel.discovery(found)
    assert discovery.status == "promoted"
    issues = (await ana.read("search_beads")).data["issues"]
    assert [(issue["id"], issue["title"], issue["priority"]) for issue in issues] == [
        (discovery.issue_id, "Passkeys beat passwords", 1)
    ]
    assert (await ana.types("discovery"))[-1] == "discovery.promoted"


async def test_a_person_may_promote_what_the_ranking_thinks_little_of(ana: Caller) -> None:
    found = await ana.found("A hunch", score=0.1)
    await ana.write("promote_discovery", discovery_id=found)
    assert (await ana.kernel.discovery(found)).status == "promoted"


async def test_a_discovery_can_be_added_to_an_issue_that_exists(ana: Caller) -> None:
    issue_id, found = await ana.issue("Better logins"), await ana.found("Passkeys beat passwords")
    with pytest.raises(NotFound):
        await ana.write("promote_discovery", discovery_id=found, issue_id="iv-zzzz")
    assert (await ana.kernel.discovery(found)).status == "new"
    await ana.write("promote_discovery", discovery_id=found, issue_id=issue_id)
    assert (await ana.kernel.discovery(found)).issue_id == issue_id
    assert len((await ana.read("search_beads")).data["issues"]) == 1


async def test_a_dismissed_discovery_stays_put_aside(ana: Caller) -> None:
    found = await ana.found("Cats sleep a lot")
    worded(await ana.write("dismiss_discovery", discovery_id=found))
    assert (await ana.kernel.discovery(found)).status == "dismissed"
    with pytest.raises(Conflict):
        await ana.write("promote_discovery", discovery_id=found)
    assert (await ana.read("search_beads")).data["issues"] == []
    assert (await ana.types("discovery"))[-1] == "discovery.dismissed"


async def test_what_was_decided_is_not_decided_again(ana: Caller) -> None:
    found = await ana.found("Passkeys beat passwords")
    await ana.write("promote_discovery", discovery_id=found)
    for name in ("promote_discovery", "dismiss_discovery"):
        with pytest.raises(Conflict):
            await ana.write(name, discovery_id=found)
    assert len((await ana.read("search_beads")).data["issues"]) == 1


async def test_an_unknown_discovery_is_not_found(ana: Caller) -> None:
    with pytest.raises(NotFound):
        await ana.kernel.discovery("nosuchdiscov")
    for name in ("promote_discovery", "dismiss_discovery"):
        with pytest.raises(NotFound):
            await ana.write(name, discovery_id="nosuchdiscov")
    assert (await ana.read("search_beads")).data["issues"] == []


async def test_what_the_ranking_proposes_is_told_and_listed(ana: Caller, world: World) -> None:
    found = await ana.found("Passkeys beat passwords", score=0.9)
    await world.propose(found)
    assert [each.id for each in await ana.kernel.discoveries(status="proposed", limit=5)] == [found]
    assert (await ana.types("discovery"))[-1] == "discovery.proposed"
