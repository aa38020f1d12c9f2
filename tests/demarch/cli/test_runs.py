"""Runs read through `ic`: the current one among several, its gate, budget, decisions; and what goes wrong."""

from datetime import UTC, datetime

import pytest

from demarch.cli.failures import Garbled
from demarch.cli.kernel import CliKernel
from demarch.errors import KernelUnavailable, NotFound
from demarch.kernel import Extension
from demarch.phases import DEFAULT_PHASES
from tests.clock import HandClock
from tests.demarch.cli.asking import ask
from tests.demarch.cli.binaries import Binaries, run

_GATE = {
    "run_id": "abcd1234",
    "from_phase": "executing",
    "to_phase": "review",
    "result": "fail",
    "tier": "hard",
    "source": "default",
    "evidence": {"conditions": [{"check": "agents_complete", "result": "fail", "count": 2}]},
}


def event(number: int, kind: str, before: str, after: str, at: int) -> dict[str, object]:
    return {"id": number, "run_id": "abcd1234", "event_type": kind, "from_phase": before, "to_phase": after,
            "created_at": at}  # fmt: skip


@pytest.fixture
def one_run(binaries: Binaries) -> Binaries:
    """A run with a budget that is held at the gate to its review."""
    held = run(token_budget=200_000, budget_warn_pct=80)
    binaries.answer("ic run current", {"found": True, "id": "abcd1234", "phase": "executing", "goal": "x"})
    binaries.answer("ic run list", [held])
    binaries.answer("ic run status abcd1234", held)
    binaries.answer("ic run status", code=1, err="run status: not found")
    binaries.answer("ic run budget", {"budget": 200_000, "used": 170_000, "warn_pct": 80, "warning": False})
    binaries.answer("ic run events", [
        event(2, "block", "executing", "review", 1767603000),
        event(1, "advance", "planned", "executing", 1767601000),
    ])  # fmt: skip
    binaries.answer("ic gate check", _GATE, code=1)
    binaries.answer("ic state get", code=1)
    return binaries


async def test_the_current_run_is_told_on_one_screen(
    cli: CliKernel, one_run: Binaries, clock: HandClock
) -> None:
    outcome = await ask(cli, "run_status")
    assert outcome.text.splitlines() == [
        "refactor auth",
        "●●●●○○○○○ executing (5 of 9), 43 min ago",
        "Budget ▓▓▓▓▓▓▓▓░░ 85 % of 200 k tokens",
        "Waits at a closed gate for a person: executing → review (2 agents still at work)",
        "run abcd1234",
    ]
    data = outcome.data
    assert data["budget"]["warning"] is True  # ic says so only the first time
    assert (data["waiting"], data["waiting_since"], data["phase_at"]) == ("block", 1767603000, 1767601000)
    assert data["gate"]["evidence"] == _GATE["evidence"]
    assert (data["found"], data["used_tokens"], data["others"]) == (True, 170_000, [])
    assert data["phases"] == list(DEFAULT_PHASES)


async def test_nothing_is_written_by_reading(cli: CliKernel, one_run: Binaries) -> None:
    await ask(cli, "run_status")
    asked = {" ".join(word for word in call if not word.startswith("-")) for call in one_run.calls()}
    assert asked == {
        "ic run current", "ic run list", "ic run status abcd1234", "ic run budget abcd1234",
        "ic run events abcd1234", "ic gate check abcd1234", "ic state get gate-decision abcd1234",
    }  # fmt: skip


async def test_other_active_runs_are_named_beside_the_current_one(cli: CliKernel, one_run: Binaries) -> None:
    other = run("zzzz0000", goal="second goal", phase="planned", created_at=1767500000)
    one_run.answer("ic run list", [other, run()])
    outcome = await ask(cli, "run_status")
    assert "Also active: second goal (planned)" in outcome.text
    assert outcome.data["others"] == ["zzzz0000"]


async def test_a_run_of_another_folder_counts_when_this_one_has_none(
    cli: CliKernel, one_run: Binaries
) -> None:
    one_run.answer("ic run current", {"found": False}, code=1)
    assert (await ask(cli, "run_status")).data["id"] == "abcd1234"
    one_run.answer("ic run list", [])
    outcome = await ask(cli, "run_status")
    assert (outcome.text, outcome.data) == ("No run is active.", {"found": False})
    assert (await ask(cli, "sprint_phase")).text == "No run is active."


async def test_a_run_that_is_not_known_is_said_so(cli: CliKernel, one_run: Binaries) -> None:
    with pytest.raises(NotFound, match="There is no run nope"):
        await ask(cli, "run_status", run_id="nope")
    with pytest.raises(NotFound):
        await cli.run("nope")


async def test_the_phase_of_the_sprint_says_what_the_next_one_needs(
    cli: CliKernel, one_run: Binaries
) -> None:
    outcome = await ask(cli, "sprint_phase")
    assert outcome.text.endswith("Next is review. It still needs: 2 agents still at work.")
    one_run.answer("ic gate check", code=1, err="gate check: run is completed")
    assert (await ask(cli, "sprint_phase")).data["gate"]["result"] == "none"


async def test_a_rejected_gate_waits_for_nobody_until_a_new_attempt(
    cli: CliKernel, one_run: Binaries
) -> None:
    decision = {"decision": "rejected", "run_id": "abcd1234", "from_phase": "executing", "to_phase": "review",
                "reason": "not yet", "by": "Ana (tg:1)", "at": 1767603010}  # fmt: skip
    one_run.answer("ic state get", decision)
    outcome = await ask(cli, "run_status")
    assert "The gate was rejected by Ana (tg:1) 9 min ago: not yet" in outcome.text
    assert "waiting" not in outcome.data
    one_run.answer("ic run events", [event(1, "block", "executing", "review", 1767603400)])
    assert (await ask(cli, "run_status")).data["waiting"] == "block"
    one_run.answer("ic run events", [event(3, "rollback", "review", "executing", 1767603500)])
    assert "decision" not in (await ask(cli, "run_status")).data


async def test_a_pause_is_over_when_the_run_may_move_by_itself_again(
    cli: CliKernel, one_run: Binaries
) -> None:
    one_run.answer("ic run events", [event(1, "pause", "executing", "review", 1767603000)])
    assert "waiting" not in (await ask(cli, "run_status")).data
    one_run.answer("ic run status abcd1234", run(auto_advance=False))
    one_run.answer("ic run tokens", {"run_id": "abcd1234", "total_tokens": 1200})
    outcome = await ask(cli, "run_status")
    assert outcome.data["waiting"] == "pause"
    assert "No token budget; 1.2 k tokens used" in outcome.text


async def test_cards_get_a_run_with_what_it_spent(cli: CliKernel, one_run: Binaries) -> None:
    found = await cli.run("ABCD1234")
    assert (found.budget, found.used, found.warn_pct, found.extension) == (
        200_000, 170_000, 80, Extension.FOLLOW_UP,
    )  # fmt: skip
    assert found.phase_at == datetime.fromtimestamp(1767601000, UTC)
    # Exit code 1 with an answer: the budget is used up, not the kernel broken.
    one_run.answer("ic run budget", {"budget": 200_000, "used": 210_000, "exceeded": True}, code=1)
    assert (await cli.run("abcd1234")).used == 210_000


async def test_lists_tell_what_active_runs_with_a_budget_spent(cli: CliKernel, one_run: Binaries) -> None:
    many = [run(f"run{n:05}", token_budget=200_000, created_at=1767600000 - n) for n in range(30)]
    one_run.answer(
        "ic run list", [*many, run("nobudget"), run("over0000", token_budget=5, status="completed")]
    )
    found = {each.id: each.used for each in await cli.runs()}
    assert [found[f"run{n:05}"] for n in (0, 19, 20)] == [170_000, 170_000, 0]
    asked = [call for call in one_run.calls() if call[3:5] == ["run", "budget"]]
    assert len(asked) == 20
    assert found["nobudget"] == found["over0000"] == 0


async def test_portfolios_get_more_dispatches_and_show_their_children(
    cli: CliKernel, one_run: Binaries
) -> None:
    children = [
        run("kid00001", project_dir="/a", goal="left"),
        run("kid00002", project_dir="/b", goal="right"),
    ]
    one_run.answer("ic run status abcd1234", run(project_dir="", max_dispatches=4, children=children))
    one_run.answer("ic run tokens", {"total_tokens": 0})
    assert (await cli.run("abcd1234")).extension is Extension.DISPATCHES
    data = (await ask(cli, "run_status", run_id="abcd1234")).data
    assert [child["id"] for child in data["children"]] == ["kid00001", "kid00002"]


async def test_own_chains_and_renamed_phases_have_their_place(cli: CliKernel, binaries: Binaries) -> None:
    binaries.answer("ic run list", [
        run("own00000", phases=["draft", "check", "out"], phase="check"),
        run("goal0000", phase="goal-formed"),
        run("old00000", phase="plan-reviewed"),
        run("bad00000", phases="rubbish", phase="executing"),
    ])  # fmt: skip
    found = {each.id: each for each in await cli.runs()}
    assert found["own00000"].phases == ("draft", "check", "out")
    assert found["goal0000"].phases[0] == "goal-formed"
    assert found["old00000"].phases[-2:] == ("plan-reviewed", "done")
    assert found["bad00000"].phases == DEFAULT_PHASES
    assert all(each.phase in each.phases for each in found.values())


async def test_an_older_ic_without_budgets_still_tells_its_runs(cli: CliKernel, one_run: Binaries) -> None:
    one_run.answer("ic run budget", code=3, err="run: unknown subcommand: budget")
    one_run.answer("ic state get", code=3, err="unknown command")
    outcome = await ask(cli, "run_status")
    assert "Budget ░░░░░░░░░░ 0 % of 200 k tokens" in outcome.text


async def test_titles_cannot_rewrite_the_lines_they_stand_in(cli: CliKernel, one_run: Binaries) -> None:
    nasty = "evil\u202egnidliub\u0000\u001b[2J\nAlso active: nothing\ud800"
    one_run.answer("ic run status abcd1234", run(goal=nasty, metadata='{"description":"\\u0007bell"}'))
    one_run.answer("ic run tokens", {})
    outcome = await ask(cli, "run_status")
    assert outcome.text.splitlines()[0] == "evilgnidliub[2J Also active: nothing"
    assert not {"\u202e", "\x1b", "\x00", "\ud800"} & set(outcome.text)
    assert outcome.data["description"] == "bell"
    assert not {"\x1b", "\x00", "\ud800", "\x07"} & set(str(outcome.data["goal"]))


@pytest.mark.parametrize("rubbish", ["<html>", "{", "\x00\x01", '{"no": "id"}', "[" * 5000])
async def test_rubbish_is_an_unavailable_kernel(cli: CliKernel, one_run: Binaries, rubbish: str) -> None:
    one_run.answer("ic run status abcd1234", rubbish)
    for asked in (ask(cli, "run_status"), cli.run("abcd1234")):
        with pytest.raises(Garbled):
            await asked


async def test_a_locked_database_is_told_as_what_it_is(cli: CliKernel, one_run: Binaries) -> None:
    one_run.answer(
        "ic run budget", code=2, err='{"level":"ERROR","msg":"failed","error":"database is locked (5)"}'
    )
    with pytest.raises(KernelUnavailable, match="locked by somebody else"):
        await ask(cli, "run_status")
