"""The law of the three questions: what changed, is it ready for me, who decided and why."""

import pytest

from demarch.errors import NotFound
from tests.demarch.law.worlds import Caller, World, worded


async def test_what_changed_names_every_kind_of_thing(ana: Caller, world: World) -> None:
    quiet = await world.run("nothing happened to it")
    run_id = await world.run("refactor auth")
    await world.attempt(run_id)
    opened, closed = await ana.issue("Login fails"), await ana.issue("Logout fails")
    await ana.write("close_issue", id=closed, reason="works again")
    await ana.found("Passkeys beat passwords")
    answer = await ana.read("what_changed", since="1h")
    told = {run["id"]: run["what"] for run in answer.data["runs"]}
    assert set(told) == {quiet, run_id}
    assert any("waits for a person" in words for words in told[run_id])
    assert [issue["id"] for issue in answer.data["issues"]["opened"]] == [opened]
    assert [issue["id"] for issue in answer.data["issues"]["closed"]] == [closed]
    assert [each["title"] for each in answer.data["discoveries"]["found"]] == ["Passkeys beat passwords"]
    text = worded(answer)
    assert "refactor auth" in text
    assert "Login fails" in text


async def test_nothing_changed_is_said_too(ana: Caller, world: World) -> None:
    await world.attempt(await world.run())
    answer = await ana.read("what_changed", since="2999-01-01T00:00:00Z")
    assert answer.data["runs"] == []
    worded(answer)


async def test_a_run_that_waits_is_ready_for_a_person(ana: Caller, world: World) -> None:
    run_id = await world.run()
    before = await ana.read("readiness", run_id=run_id)
    assert (before.data["ready"], before.data["stage"]) == (False, "working")
    assert before.data["open"]
    await world.attempt(run_id)
    waits = await ana.read("readiness", run_id=run_id)
    assert (waits.data["ready"], waits.data["stage"], waits.data["waiting"]) == (True, "decide", "block")
    worded(waits)


async def test_a_run_with_nothing_open_goes_on_by_itself(ana: Caller, world: World) -> None:
    run_id = await world.run()
    await world.artifact(run_id, "brainstorm")
    answer = await ana.read("readiness", run_id=run_id)
    assert (answer.data["stage"], answer.data["next_phase"]) == ("moves-on", "brainstorm-reviewed")
    assert [each["path"] for each in answer.data["artifacts"]] == ["docs/plan.md"]


async def test_a_finished_run_is_there_to_be_looked_at_and_a_cancelled_one_is_over(
    ana: Caller, world: World
) -> None:
    done, stopped = await world.run(phases=["draft", "ship"]), await world.run()
    await world.attempt(done)
    await ana.write("cancel_run", run_id=stopped)
    assert (await ana.read("readiness", run_id=done)).data["stage"] == "look"
    assert (await ana.read("readiness", run_id=stopped)).data["stage"] == "over"
    with pytest.raises(NotFound):
        await ana.read("readiness", run_id="nosuchid")


async def test_who_decided_and_why_is_kept(ana: Caller, world: World) -> None:
    run_id = await world.run("refactor auth")
    await world.attempt(run_id)
    await ana.write("reject_gate", run_id=run_id, reason="not yet")
    await world.attempt(run_id)
    await ana.write("approve_gate", run_id=run_id, reason="we talked about it")
    await ana.write("cancel_run", run_id=run_id, reason="not needed any more")
    answer = await ana.read("decisions", run_id=run_id)
    worded(answer)
    told = [(item["type"], item["why"]) for item in answer.data["decisions"]]
    kinds = {kind.replace("run.cancelled", "cancel") for kind, _ in told}
    # The kernel's log knows seconds only: within one nobody can say what came first.
    assert kinds - {"gate.approved"} == {"gate.rejected", "override", "cancel"}
    whys = " ".join(why for _, why in told)
    assert all(words in whys for words in ("not yet", "we talked about it", "not needed any more"))
    assert {item["about"] for item in answer.data["decisions"]} == {run_id}


async def test_what_a_run_did_by_itself_was_decided_by_nobody(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=["draft", "check", "ship"])
    await world.attempt(run_id)
    answer = await ana.read("decisions")
    assert answer.data["decisions"] == []
    worded(answer)


async def test_issues_are_told_by_what_happened_to_them(clerk: Caller) -> None:
    kept, closed = await clerk.issue("kept"), await clerk.issue("closed soon")
    await clerk.write("update_issue", id=kept, priority=0)
    await clerk.write("close_issue", id=closed, reason="not needed")
    issues = (await clerk.read("what_changed", since="1h")).data["issues"]
    assert [(issue["id"], issue["priority"]) for issue in issues["opened"]] == [(kept, 0)]
    assert [(issue["id"], issue["close_reason"]) for issue in issues["closed"]] == [(closed, "not needed")]
    assert issues["changed"] == []
