"""The fake kernel refuses what the real one refuses, prints what it prints, and ends as it ends."""

import asyncio
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.servers.kernels.project import CommandFailed, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path)


#: what people wrote who had only guessed the commands, with the exit code that it really gets
IMAGINED = [
    ("ic", "run phase", 3),
    ("ic", "run artifact list", 3),
    ("ic", "run artifact get abc", 3),
    ("ic", "events tail --consumer=intercom --limit=20", 3),
    ("ic", "run create --title T", 3),
    ("ic", "run create --goal T", 3),
    ("ic", "budget extend abc", 3),
    ("ic", "gate override abc --reason because", 3),
    ("ic", "gate override --reason=because", 3),
    ("ic", "gate override abc --reason=because --justified --expedient", 3),
    ("ic", "discovery search words", 3),
    ("ic", "run cancel", 3),
    ("ic", "run set abc", 3),
    ("ic", "run status nosuchid", 1),
    ("ic", "run phase nosuchid", 1),
    ("ic", "gate check nosuchid", 1),
    ("ic", "gate override nosuchid --reason=because --justified", 1),
    ("ic", "run advance nosuchid", 1),
    ("ic", "run current", 1),
    ("ic", "state get nothing here", 1),
    ("bd", "list --search=Q", 1),
    ("bd", "bogus", 1),
    ("bd", "create", 1),
    ("bd", "show iv-zzz", 1),
    ("bd", "close iv-zzz", 1),
    ("bd", "update iv-zzz --status=open", 1),
    ("bd", "list --status=nonsense", 1),
]


@pytest.mark.parametrize(("program", "words", "code"), IMAGINED, ids=str)
async def test_what_was_only_imagined_is_refused(
    project: Project, program: str, words: str, code: int
) -> None:
    answer = await project.raw(program, "--json", *words.split())
    assert answer.code == code


async def test_events_are_lines_with_whole_numbers_as_ids(project: Project) -> None:
    run_id = await project.run()
    await project.advance(run_id)
    await project.find("A paper")
    lines = (await project.ic("events", "tail", "--all")).lines
    assert [(line["source"], line["id"], line["type"]) for line in lines] == [
        ("discovery", 1, "discovery.submitted"),
        ("phase", 1, "block"),
    ]
    assert lines[1]["from_state"] == "brainstorm"
    assert lines[1]["to_state"] == "brainstorm-reviewed"
    assert json.loads(lines[1]["reason"])["conditions"][0]["check"] == "artifact_exists"


async def test_the_limit_is_shared_out_among_the_sources(project: Project) -> None:
    run_id = await project.run()
    for _ in range(6):
        await project.advance(run_id)
    first = (await project.ic("events", "tail", "--all", "--limit=20")).lines
    assert [line["id"] for line in first] == [1, 2, 3, 4]
    rest = (await project.ic("events", "tail", "--all", "--limit=20", "--since-phase=4")).lines
    assert [line["id"] for line in rest] == [5, 6]


async def test_evidence_written_by_others_comes_again_and_again(project: Project) -> None:
    payload = '--payload={"agent_name":"intercom"}'
    await project.ic("events", "record", "--source=interspect", "--type=decision", payload)
    for _ in range(2):
        lines = (await project.ic("events", "tail", "--all", "--since-phase=99")).lines
        assert [line["source"] for line in lines] == ["interspect"]


async def test_a_cursor_moves_for_whoever_names_it(project: Project) -> None:
    await project.advance(await project.run())
    assert (await project.ic("events", "tail", "--all", "--consumer=a")).lines
    assert not (await project.ic("events", "tail", "--all", "--consumer=a")).lines
    assert (await project.ic("events", "tail", "--all", "--consumer=b")).lines


async def test_a_budget_crossing_is_told_once(project: Project) -> None:
    run_id = await project.run(token_budget=1000)
    await project.spend(run_id, 1000)
    # Handing the tokens in has told it already.
    answer = await project.ic("run", "budget", run_id)
    assert answer.json["exceeded"] is False
    assert answer.json["used"] == 1000
    types = [line["type"] for line in (await project.ic("events", "tail", "--all")).lines]
    assert types.count("budget.warning") == types.count("budget.exceeded") == 1


async def test_an_override_without_a_category_complains_and_works(project: Project) -> None:
    run_id = await project.run()
    answer = await project.ic("gate", "override", run_id, "--reason=fine")
    assert "DEPRECATION" in answer.err
    assert answer.json == {
        "category": "uncategorized",
        "from_phase": "brainstorm",
        "reason": "fine",
        "to_phase": "brainstorm-reviewed",
    }


async def test_nobody_overrides_the_proof_that_it_runs(project: Project) -> None:
    metadata = '{"close_gate":{"requirements":["runtime-evidence/v1"]}}'
    run_id = await project.run(phases='["reflect","done"]', metadata=metadata)
    answer = await project.ic("gate", "override", run_id, "--reason=force", "--justified", code=1)
    assert not answer.out
    events = (await project.ic("run", "events", run_id)).json
    assert [event["event_type"] for event in events] == ["block"]
    assert (await project.ic("run", "phase", run_id)).out == "reflect\n"


async def test_a_new_issue_comes_alone_and_a_shown_one_in_a_list(project: Project) -> None:
    created = (await project.bd("create", "A thing", "-p", "P1", "-l", "a,b")).json
    assert (created["schema_version"], created["priority"], created["labels"]) == (1, 1, ["a", "b"])
    shown = (await project.bd("show", created["id"])).json
    assert [one["title"] for one in shown] == ["A thing"]


async def test_notes_are_replaced_or_added_to(project: Project) -> None:
    issue_id = await project.issue("A thing")
    await project.bd("update", issue_id, "--notes=one")
    await project.bd("update", issue_id, "--append-notes=two")
    assert (await project.bd("show", issue_id)).json[0]["notes"] == "one\ntwo"
    await project.bd("update", issue_id, "--notes=three")
    assert (await project.bd("show", issue_id)).json[0]["notes"] == "three"


async def test_what_waits_for_another_issue_is_not_ready(project: Project) -> None:
    first, second = await project.issue("first"), await project.issue("second", priority=0)
    await project.bd("dep", "add", second, first)
    assert [one["id"] for one in (await project.bd("ready")).json] == [first]
    refused = await project.bd("close", second, code=1)
    assert refused.err.startswith(f"cannot close {second}: blocked by open issues [{first}]")
    await project.bd("close", first)
    assert [one["id"] for one in (await project.bd("ready")).json] == [second]


async def test_a_locked_database_is_an_error_after_the_wait(project: Project) -> None:
    run_id = await project.run()
    async with project.locked():
        answer = await project.raw("ic", "--json", "--timeout=50ms", "run", "cancel", run_id)
    assert answer.code == 2
    assert "SQLITE_BUSY" in answer.err


async def test_a_planted_fault_strikes_once_and_after_the_deed(project: Project) -> None:
    project.plant("ic run create", "die-after")
    with pytest.raises(CommandFailed):
        await project.run()
    assert len((await project.ic("run", "list")).json) == 1
    await project.run()
    assert [call.code for call in project.calls("run create")] == [None, 0]


async def test_a_restored_kernel_counts_from_further_back(project: Project, tmp_path: Path) -> None:
    run_id = await project.run()
    await project.advance(run_id)
    project.save(tmp_path / "copy.db")
    await project.advance(run_id)
    project.restore(tmp_path / "copy.db")
    assert [line["id"] for line in (await project.ic("events", "tail", "--all")).lines] == [1]


async def test_the_kernel_takes_its_time_from_the_test(project: Project) -> None:
    project.set_time(datetime(2026, 3, 1, 12, tzinfo=UTC))
    await project.advance(await project.run())
    (line,) = (await project.ic("events", "tail", "--all")).lines
    assert line["timestamp"] == "2026-03-01T12:00:00Z"


async def test_following_prints_what_comes_later(project: Project) -> None:
    run_id = await project.run()
    process = await asyncio.create_subprocess_exec(
        project.bin / "ic",
        *("events", "tail", "--all", "--follow", "--poll-interval=20ms"),
        stdout=asyncio.subprocess.PIPE,
        cwd=project.folder,
        env=project.environment,
    )
    try:
        assert process.stdout is not None
        await project.advance(run_id)
        async with asyncio.timeout(10):
            line = json.loads(await process.stdout.readline())
        assert (line["type"], line["run_id"]) == ("block", run_id)
    finally:
        process.kill()
        await process.communicate()


async def test_two_projects_know_nothing_of_each_other(project: Project, tmp_path: Path) -> None:
    other = Project.create(tmp_path, name="other", tools=project.bin)
    run_id = await project.run()
    assert (await other.ic("run", "status", run_id, code=1)).code == 1
    assert {call.folder for call in project.calls()} == {str(project.folder), str(other.folder)}


def test_the_kernel_keeps_its_state_in_the_project(project: Project) -> None:
    with sqlite3.connect(project.folder / ".clavain" / "intercore.db") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (40,)
    db.close()


async def test_a_folder_without_a_kernel_says_so(project: Project, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    empty = Project(tmp_path / "empty", project.bin, project.home)
    health = await empty.raw("ic", "health")
    assert (health.code, health.out) == (2, "")
    assert "unable to open database file" in health.err
    version = await empty.raw("ic", "version")
    assert (version.code, version.out.splitlines()[0]) == (0, "ic 0.3.5")
    listed = await empty.raw("bd", "list", "--json")
    assert (listed.code, listed.out) == (1, "")
    assert listed.err.startswith("Error: no beads database found")


async def test_a_kernel_that_was_never_initialised_is_not_healthy(project: Project, tmp_path: Path) -> None:
    (tmp_path / "empty" / ".clavain").mkdir(parents=True)
    empty = Project(tmp_path / "empty", project.bin, project.home)
    health = await empty.raw("ic", "health")
    assert health.code == 2
    assert "not migrated" in health.err
    missing = await empty.raw("ic", "run", "list")
    assert missing.code == 2
    assert "no such table" in missing.err
    assert (await empty.raw("ic", "init")).code == 0
    assert (await empty.raw("ic", "health")).out == "ok\n"


async def test_state_keeps_json_and_no_secrets(project: Project) -> None:
    kept = '{"decision":"rejected","reason":"not yet"}'
    assert (await project.ic("state", "set", "gate-decision.main", "abc", stdin=kept)).out == ""
    assert (await project.ic("state", "get", "gate-decision.main", "abc")).out.strip() == kept
    for refused in ("no json", '{"reason":"password: hunter2hunter2"}', "[" * 30 + "]" * 30):
        answer = await project.ic("state", "set", "a", "b", stdin=refused, code=2)
        assert "state set" in answer.err


async def test_evidence_with_a_key_is_written_once(project: Project) -> None:
    words = ("events", "record", "--source=interspect", "--type=decision", "--idempotency-key=k1")
    numbers = [(await project.ic(*words, '--payload={"agent_name":"ana"}')).out for _ in range(2)]
    assert numbers == ["1\n", "1\n"]
    refused = await project.ic(
        "events", "record", "--source=review", "--type=x", "--idempotency-key=k", code=3
    )
    assert not refused.out


async def test_who_is_trusted_less_must_ask_at_every_gate(project: Project) -> None:
    await project.ic("config", "set", "autonomy.delegation_level", "L1")
    assert (await project.ic("autonomy", "status")).json["derives_auto_advance"] is False
    run_id = await project.run(phases='["draft","ship"]')
    tried = await project.advance(run_id)
    assert (tried.code, tried.json["event_type"], tried.json["reason"]) == (
        1,
        "pause",
        "auto_advance disabled",
    )
    passed = await project.advance(run_id, skip_reason="ana said so")
    assert (passed.code, passed.json["to_phase"]) == (0, "ship")


async def test_a_low_discovery_is_promoted_by_force_only(project: Project) -> None:
    found = await project.find("A hunch", score=0.1)
    refused = await project.ic("discovery", "promote", found, "--bead-id=iv-1", code=1)
    assert "below promotion threshold" in refused.err
    await project.ic("discovery", "promote", found, "--bead-id=iv-1", "--force")
    assert (await project.ic("discovery", "status", found)).json["bead_id"] == "iv-1"
    again = await project.ic(
        "discovery", "submit", "--source=scout", "--source-id=A hunch", "--title=x", code=1
    )
    assert "duplicate" in again.err


async def test_what_intercom_never_calls_is_not_made_and_says_so(project: Project) -> None:
    answer = await project.raw("ic", "situation", "snapshot")
    assert (answer.code, answer.err) == (99, "fake ic: situation is not made\n")
