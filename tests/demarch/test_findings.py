"""Artifacts, reviews and discoveries."""

from pathlib import Path

import pytest

from demarch.embedded import EmbeddedKernel, discoveries
from demarch.embedded.ledger import Change
from demarch.errors import Conflict, InvalidCall, NotFound, NotPossible
from demarch.kernel import Outcome
from demarch.parameters import RegisterFinding
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.demarch.driving import Driver


async def test_artifacts_are_listed_and_their_stored_text_is_read(ana: Driver) -> None:
    run_id = await ana.run()
    assert (await ana.read("spec_lookup")).text == "This run has no artifacts yet."
    artifact_id = await ana.artifact(run_id, "docs/spec.md", type_="spec", content="# The spec\nlogin")
    listed = await ana.read("spec_lookup", run_id=run_id)
    assert listed.text == f"docs/spec.md · spec of brainstorm · {artifact_id}"
    assert listed.data["artifacts"][0]["content_hash"].startswith("sha256:")
    read = await ana.read("spec_lookup", artifactId=artifact_id)
    assert read.text.endswith("\n\n# The spec\nlogin")
    assert read.data["content"] == "# The spec\nlogin"
    with pytest.raises(NotFound):
        await ana.read("spec_lookup", artifactId="nope")
    with pytest.raises(InvalidCall):
        await ana.artifact(run_id, phase="nonsense")


async def test_artifacts_in_files_are_read_beneath_the_project_folder_only(
    database: Database, clock: HandClock, new_id: NewId, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "plan.md").write_bytes(b"plan \x00 \xff")
    (tmp_path / "secret").write_text("secret")
    ana = Driver(EmbeddedKernel(database, clock, project=project), new_id, actor="ana")
    run_id = await ana.run()
    plan = await ana.artifact(run_id, "plan.md")
    assert (await ana.read("spec_lookup", artifact_id=plan)).data["content"] == "plan \ufffd \ufffd"
    for path in ("../secret", str(tmp_path / "secret"), "gone.md"):
        hostile = await ana.artifact(run_id, path)
        with pytest.raises((NotPossible, NotFound)):
            await ana.read("spec_lookup", artifact_id=hostile)


async def test_without_a_project_folder_no_file_is_read(ana: Driver) -> None:
    artifact_id = await ana.artifact(await ana.run(), "plan.md")
    with pytest.raises(NotPossible, match="no project folder is set"):
        await ana.read("spec_lookup", artifact_id=artifact_id)


async def test_a_huge_artifact_is_cut_for_its_reader(ana: Driver) -> None:
    artifact_id = await ana.artifact(await ana.run(), content="x" * 900_000)
    outcome = await ana.read("spec_lookup", artifact_id=artifact_id)
    assert len(outcome.text) < 50_000
    assert outcome.text.endswith("[…]")


async def test_reviews_are_summed_up_newest_first(ana: Driver, clock: HandClock) -> None:
    assert (await ana.read("review_summary")).text == "There are no review verdicts."
    run_id = await ana.run()
    assert (await ana.read("review_summary")).text == "Nobody has reviewed “refactor auth” yet."
    await ana.verdict(run_id, "needs-changes", findings=2)
    await clock.advance(3600)
    await ana.verdict(run_id, "clean", reviewer="ben")
    assert (await ana.read("review_summary")).text.splitlines() == [
        "Reviews of “refactor auth”, newest first:",
        "ben on brainstorm, just now: clean: looked at it",
        "flux on brainstorm, 1 h ago: needs-changes (2 findings): looked at it",
    ]


async def test_the_last_word_of_each_reviewer_counts_for_a_clean_verdict(
    ana: Driver, clock: HandClock
) -> None:
    run_id = await ana.run(phases=("review", "polish", "done"), gates={"review->polish": ["verdict_clean"]})
    await ana.verdict(run_id, "needs-changes", findings=2)
    await ana.verdict(run_id, "clean", reviewer="ben")
    assert "verdict is not clean (2 findings)" in (await ana.advance(run_id)).text
    await clock.advance(60)
    await ana.verdict(run_id, "clean")
    assert (await ana.advance(run_id)).data["advanced"] is True


async def test_findings_are_found_again_the_best_first(ana: Driver) -> None:
    await ana.write("register_finding", title="Connections leak", summary="the pool of postgres", score=0.9)
    outcome = await ana.write(
        "register_finding", title="Postgres is fast", url="https://example.org", source="bench"
    )
    assert outcome.text == f"Kept: “Postgres is fast”. ({outcome.data['id']})"
    assert len(outcome.data["id"]) == 12
    found = (await ana.read("research", query="postgres")).data["discoveries"]
    assert [item["title"] for item in found] == ["Postgres is fast", "Connections leak"]
    assert [item["confidence_tier"] for item in found] == ["low", "high"]
    assert [item["title"] for item in (await ana.read("research", query="eak")).data["discoveries"]] == [
        "Connections leak"
    ]
    assert (await ana.read("research", query="zebra")).text == "Nothing is known about “zebra” yet."
    assert await ana.types() == ["discovery.submitted", "discovery.submitted"]


async def test_a_discovery_is_promoted_or_dismissed_once(ana: Driver) -> None:
    first, second = [
        (await ana.write("register_finding", title=title, summary="why")).data["id"]
        for title in ("one", "two")
    ]

    async def promote(change: Change) -> Outcome:
        row = await discoveries.promote(change, first, None)
        return Outcome(text="", data={"bead": row["bead_id"]})

    async def dismiss(change: Change) -> Outcome:
        await discoveries.dismiss(change, second)
        return Outcome(text="", data={})

    bead = (await ana.change(promote)).data["bead"]
    assert (await ana.read("search_beads", id=bead)).data["issues"][0]["description"] == "why"
    await ana.change(dismiss)
    for again in (promote, dismiss):
        with pytest.raises(Conflict):
            await ana.change(again)
    assert [item["id"] for item in (await ana.read("research", query="o")).data["discoveries"]] == [first]


async def test_a_source_tells_the_same_thing_once(ana: Driver, clock: HandClock) -> None:
    params = RegisterFinding(title="again", source="arxiv")

    async def submit(change: Change) -> Outcome:
        row, new = await discoveries.submit(change, params, source_id="2401.1")
        return Outcome(text="", data={"id": row["id"], "new": new})

    first = (await ana.change(submit)).data
    await clock.advance(1)
    second = (await ana.change(submit)).data
    assert (first["id"], first["new"], second["new"]) == (second["id"], True, False)
    assert await ana.types() == ["discovery.submitted", "discovery.deduped"]
