"""The law of what is ready: nothing that waits for something, the most important first."""

from tests.demarch.law.worlds import Caller, World, worded


async def _ready(clerk: Caller) -> list[str]:
    return [issue["title"] for issue in (await clerk.read("next_work")).data["issues"]]


async def test_the_most_important_issue_comes_first_and_says_why(clerk: Caller) -> None:
    for title, priority in (("later", 3), ("now", 0), ("soon", 2)):
        await clerk.issue(title, priority=priority)
    found = await clerk.read("next_work")
    assert [issue["title"] for issue in found.data["issues"]] == ["now", "soon", "later"]
    assert all(issue["reason"] for issue in found.data["issues"])
    worded(found)


async def test_what_waits_is_ready_when_the_last_thing_it_waits_for_is_closed(
    clerk: Caller, tracker: World
) -> None:
    first, second, third = [await clerk.issue(title) for title in ("first", "second", "third")]
    await tracker.depend(third, first)
    await tracker.depend(third, second)
    assert set(await _ready(clerk)) == {"first", "second"}
    assert (await clerk.write("close_issue", id=first)).data["unblocked"] == []
    closed = await clerk.write("close_issue", id=second)
    assert closed.data["unblocked"] == [third]
    assert await _ready(clerk) == ["third"]


async def test_what_is_in_progress_or_put_off_is_not_offered(clerk: Caller) -> None:
    busy, later = await clerk.issue("busy"), await clerk.issue("later")
    await clerk.issue("free")
    await clerk.write("update_issue", id=busy, status="in_progress")
    await clerk.write("update_issue", id=later, status="deferred")
    assert await _ready(clerk) == ["free"]


async def test_nothing_ready_is_said_in_words(clerk: Caller) -> None:
    found = await clerk.read("next_work")
    assert found.data["issues"] == []
    worded(found)
