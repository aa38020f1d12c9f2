"""The law of issues: filed, changed, closed, found again, and none of it twice."""

import asyncio

import pytest

from demarch.errors import Conflict, NotFound
from demarch.phrases import one_line
from tests.demarch.law.worlds import Caller, worded


async def test_a_new_issue_can_be_looked_at(clerk: Caller) -> None:
    made = await clerk.write(
        "create_issue",
        title="Login fails",
        description="since Monday",
        priority=1,
        issue_type="bug",
        labels=["auth", "web"],
    )
    worded(made)
    (issue,) = (await clerk.read("search_beads", id=made.data["id"])).data["issues"]
    assert {name: issue[name] for name in ("title", "description", "priority", "issue_type", "status")} == {
        "title": "Login fails",
        "description": "since Monday",
        "priority": 1,
        "issue_type": "bug",
        "status": "open",
    }
    assert sorted(issue["labels"]) == ["auth", "web"]


async def test_an_issue_changes_and_its_notes_grow(clerk: Caller) -> None:
    issue_id = await clerk.issue("Login fails")
    worded(await clerk.write("update_issue", id=issue_id, status="in_progress", priority=0, notes="one"))
    await clerk.write("update_issue", id=issue_id, title="Login fails at night", notes="two")
    (issue,) = (await clerk.read("search_beads", id=issue_id)).data["issues"]
    assert (issue["status"], issue["priority"], issue["title"]) == ("in_progress", 0, "Login fails at night")
    assert issue["notes"].split() == ["one", "two"]


async def test_a_description_can_be_emptied(clerk: Caller) -> None:
    issue_id = await clerk.issue("Login fails", description="since Monday")
    await clerk.write("update_issue", id=issue_id, description="")
    (issue,) = (await clerk.read("search_beads", id=issue_id)).data["issues"]
    assert not issue.get("description")


async def test_a_closed_issue_shows_only_if_asked_for_and_is_not_closed_again(clerk: Caller) -> None:
    issue_id, other = await clerk.issue("Login fails"), await clerk.issue("Logout fails")
    worded(await clerk.write("close_issue", id=issue_id, reason="works again"))
    listed = (await clerk.read("search_beads")).data["issues"]
    assert [issue["id"] for issue in listed] == [other]
    (issue,) = (await clerk.read("search_beads", status="closed")).data["issues"]
    assert (issue["id"], issue["close_reason"]) == (issue_id, "works again")
    with pytest.raises(Conflict):
        await clerk.write("close_issue", id=issue_id, reason="once more")
    (issue,) = (await clerk.read("search_beads", id=issue_id)).data["issues"]
    assert issue["close_reason"] == "works again"


async def test_issues_are_found_by_words_of_their_title(clerk: Caller) -> None:
    night, day = await clerk.issue("Login fails at night"), await clerk.issue("Login fails by day")
    await clerk.issue("Logout works")
    found = (await clerk.read("search_beads", query="fails")).data["issues"]
    assert {issue["id"] for issue in found} == {night, day}
    await clerk.write("close_issue", id=day)
    found = (await clerk.read("search_beads", query="fails")).data["issues"]
    assert [issue["id"] for issue in found] == [night]
    found = (await clerk.read("search_beads", query="fails", status="all")).data["issues"]
    assert {issue["id"] for issue in found} == {night, day}
    nothing = await clerk.read("search_beads", query="zebra")
    assert nothing.data["issues"] == []
    worded(nothing)


async def test_what_does_not_exist_is_not_found(clerk: Caller) -> None:
    for name, arguments in (
        ("update_issue", {"status": "open"}),
        ("close_issue", {"reason": "done"}),
    ):
        with pytest.raises(NotFound):
            await clerk.write(name, id="iv-zzzz", **arguments)
    with pytest.raises(NotFound):
        await clerk.read("search_beads", id="iv-zzzz")


async def test_text_stays_text(clerk: Caller) -> None:
    title = "--title=x; rm -rf / $(id) `id` \u202egnp.exe “quoted” \N{GRINNING FACE} <b>&amp;"
    description = "-- first line\n\n\tsecond “line”\n" + "long " * 6000
    made = await clerk.write("create_issue", title=title, description=description)
    (issue,) = (await clerk.read("search_beads", id=made.data["id"])).data["issues"]
    assert issue["title"] == one_line(title)
    assert issue["description"].split() == description.split()


async def test_a_write_with_the_same_key_happens_once(clerk: Caller) -> None:
    key = clerk.key()
    first = await clerk.write("create_issue", key=key, title="Login fails")
    again = await clerk.write("create_issue", key=key, title="Login fails")
    assert first.data["id"] == again.data["id"]
    assert len((await clerk.read("search_beads")).data["issues"]) == 1
    note = clerk.key()
    for _ in range(2):
        await clerk.write("update_issue", key=note, id=first.data["id"], notes="seen")
    (issue,) = (await clerk.read("search_beads", id=first.data["id"])).data["issues"]
    assert issue["notes"] == "seen"


async def test_two_writes_with_one_key_at_the_same_time_happen_once(clerk: Caller) -> None:
    key = clerk.key()
    async with asyncio.TaskGroup() as group:
        both = [group.create_task(clerk.write("create_issue", key=key, title="Once")) for _ in range(2)]
    assert both[0].result().data["id"] == both[1].result().data["id"]
    assert len((await clerk.read("search_beads")).data["issues"]) == 1


async def test_what_a_key_did_can_be_asked_later(clerk: Caller) -> None:
    key = clerk.key()
    assert await clerk.kernel.written(key) is None
    made = await clerk.write("create_issue", key=key, title="Login fails")
    known = await clerk.kernel.written(key)
    assert known is not None
    assert known.data["id"] == made.data["id"]


async def test_a_refused_write_leaves_its_key_free(clerk: Caller) -> None:
    key = clerk.key()
    with pytest.raises(NotFound):
        await clerk.write("close_issue", key=key, id="iv-zzzz")
    assert await clerk.kernel.written(key) is None
    assert await clerk.write("create_issue", key=key, title="After all")


async def test_writes_side_by_side_all_happen(clerk: Caller) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(clerk.issue(f"Issue {number}"))
    listed = (await clerk.read("search_beads")).data["issues"]
    assert sorted(issue["title"] for issue in listed) == [f"Issue {number}" for number in range(4)]
