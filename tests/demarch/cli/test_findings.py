"""Artifacts, reviews and discoveries of a project: hostile paths are not followed, rubbish is not shown."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from demarch.cli.kernel import CliKernel
from demarch.errors import NotFound, NotPossible
from tests.demarch.cli.asking import ask
from tests.demarch.cli.binaries import Binaries, run


def artifact(path: str, artifact_id: str = "art00001", **about: Any) -> dict[str, Any]:
    plain = {"id": artifact_id, "run_id": "abcd1234", "phase": "planned", "path": path, "type": "spec",
             "created_at": 1767600000, "content_hash": "sha256:00"}  # fmt: skip
    return plain | about


@pytest.fixture
def one_run(binaries: Binaries) -> Binaries:
    binaries.answer("ic run current", {"found": True, "id": "abcd1234"})
    binaries.answer("ic run list", [run()])
    binaries.answer("ic run status abcd1234", run())
    binaries.answer("ic run status", code=1)
    binaries.answer("ic run artifact list", [])
    binaries.answer("ic dispatch list", code=3, err="unknown command")
    return binaries


async def test_artifacts_are_listed_and_read(cli: CliKernel, one_run: Binaries, project: Path) -> None:
    assert (await ask(cli, "spec_lookup")).text == "This run has no artifacts yet."
    (project / "docs").mkdir()
    (project / "docs" / "plan.md").write_bytes(b"the plan \x00 \xff")
    whole = artifact(str(project / "docs" / "plan.md"), "art00002")
    one_run.answer("ic run artifact list abcd1234", [artifact("docs/plan.md"), whole])
    listed = await ask(cli, "spec_lookup", run_id="abcd1234")
    assert listed.text.splitlines()[0] == "docs/plan.md · spec of planned · art00001"
    for artifact_id in ("art00001", "art00002"):
        read = await ask(cli, "spec_lookup", artifact_id=artifact_id)
        assert read.data["content"] == "the plan \ufffd \ufffd"
    assert (await ask(cli, "spec_lookup", artifact_id="art00001", run_id="abcd1234")).data["content"]
    with pytest.raises(NotFound):
        await ask(cli, "spec_lookup", artifact_id="nope")
    with pytest.raises(NotFound):
        await ask(cli, "spec_lookup", artifact_id="art00001", run_id="nope")


async def test_an_artifact_of_an_older_run_is_found_too(
    cli: CliKernel, one_run: Binaries, project: Path
) -> None:
    (project / "old.md").write_text("old")
    older = [run(f"old{number:05}", status="completed", phase="done") for number in range(12)]
    one_run.answer("ic run list", [run(), *older])
    one_run.answer("ic run artifact list old00011", [artifact("old.md", run_id="old00011")])
    assert (await ask(cli, "spec_lookup", artifact_id="art00001")).data["content"] == "old"


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "/etc/passwd", "docs/../../secret", "link.md", "away/secret", "pipe", "gone.md", "",
     "docs\u0000/plan.md", "/", ".", "x" * 5000],
)  # fmt: skip
async def test_a_hostile_path_is_not_read(
    cli: CliKernel, one_run: Binaries, project: Path, tmp_path: Path, path: str
) -> None:
    (tmp_path / "secret").write_text("secret")
    (project / "link.md").symlink_to(tmp_path / "secret")
    (project / "away").symlink_to(tmp_path)
    os.mkfifo(project / "pipe")
    for given in (path, f"{project}/{path}"):
        one_run.answer("ic run artifact list abcd1234", [artifact(given)])
        with pytest.raises((NotPossible, NotFound)) as refused:
            await ask(cli, "spec_lookup", artifact_id="art00001")
        assert "secret" not in str(refused.value).replace(path, "")
        assert len(str(refused.value)) < 300


async def test_reviews_are_read_from_the_files_that_reviewers_leave(
    cli: CliKernel, one_run: Binaries, project: Path
) -> None:
    assert (await ask(cli, "review_summary")).text == "Nobody has reviewed “refactor auth” yet."
    flux, clavain = project / "docs" / "research" / "flux-drive", project / ".clavain" / "verdicts"
    flux.mkdir(parents=True)
    clavain.mkdir(parents=True)
    _put(flux / "fd-safety-verdict.json", verdict="NEEDS_CHANGES", summary="a hole", findings=[{}, {}],
         timestamp="2026-01-05T08:00:00Z")  # fmt: skip
    _put(clavain / "fd-quality.json", status="CLEAN", summary="fine", findings_count=0, agent="ben",
         timestamp="2026-01-05T08:30:00Z")  # fmt: skip
    _put(flux / "other-verdict.json", verdict="clean", run_id="zzzz0000", timestamp="2026-01-05T08:59:00Z")
    _put(flux / "notes.json", verdict="clean")
    (flux / "broken-verdict.json").write_text("{")
    (flux / "huge-verdict.json").write_text("[" + " " * 300_000 + "]")
    (flux / "link-verdict.json").symlink_to(clavain / "fd-quality.json")
    outcome = await ask(cli, "review_summary")
    assert outcome.text.splitlines() == [
        "Reviews of “refactor auth”, newest first:",
        "ben on review, 30 min ago: clean: fine",
        "fd-safety on review, 1 h ago: needs-changes (2 findings): a hole",
    ]
    assert outcome.data["run_id"] == "abcd1234"


async def test_reviews_that_agents_reported_to_the_kernel_count_too(
    cli: CliKernel, one_run: Binaries
) -> None:
    one_run.answer("ic run status abcd1234", run(scope_id="key-1"))
    agent = {
        "id": "d1", "agent_type": "codex", "status": "completed", "scope_id": "key-1", "name": "fd-safety",
        "verdict_status": "fail", "verdict_summary": "a hole", "completed_at": 1767601800,
    }  # fmt: skip
    other = agent | {"id": "d2", "scope_id": "key-2"}
    silent = {name: value for name, value in agent.items() if not name.startswith("verdict")}
    passed = agent | {
        "id": "d3",
        "scope_id": "abcd1234",
        "verdict_status": "pass",
        "verdict_summary": None,
        "name": None,
    }
    one_run.answer("ic dispatch list", [agent, other, silent, passed])
    found = (await ask(cli, "review_summary")).data["verdicts"]
    assert [(each["reviewer"], each["verdict"], each["run_id"]) for each in found] == [
        ("fd-safety", "needs-changes", "abcd1234"), ("codex", "clean", "abcd1234"),
    ]  # fmt: skip


async def test_reviews_are_there_without_any_binary(
    cli: CliKernel, binaries: Binaries, project: Path
) -> None:
    _put_away = project / ".clavain" / "verdicts"
    _put_away.mkdir(parents=True)
    _put(_put_away / "a.json", status="BLOCKED", summary="s\u202e\nforged", timestamp="2026-01-05T08:59:30Z")
    binaries.remove("ic")
    outcome = await ask(cli, "review_summary")
    assert outcome.text.splitlines()[1:] == ["a on review, just now: needs-changes (0 findings): s forged"]


async def test_a_folder_of_reviews_that_is_a_link_is_not_entered(
    cli: CliKernel, one_run: Binaries, project: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    _put(outside / "x-verdict.json", verdict="clean", summary="secret")
    (project / "docs").mkdir()
    (project / "docs" / "research").symlink_to(outside)
    assert (await ask(cli, "review_summary")).data["verdicts"] == []


def _put(path: Path, **content: Any) -> None:
    path.write_text(json.dumps(content))


def discovery(discovery_id: str, title: str, **about: Any) -> dict[str, Any]:
    plain = {
        "id": discovery_id, "source": "arxiv", "source_id": discovery_id, "title": title, "status": "new",
        "relevance_score": 0.6, "confidence_tier": "medium", "discovered_at": 1767600000,
    }  # fmt: skip
    return plain | about


async def test_what_is_known_is_searched_by_words_the_best_first(cli: CliKernel, binaries: Binaries) -> None:
    binaries.answer("ic discovery list", [
        discovery("d1", "Connections leak", summary="the pool of Postgres", relevance_score=0.9),
        discovery("d2", "Postgres is fast", url="https://example.org"),
        discovery("d3", "Postgres dismissed", status="dismissed"),
        discovery("d4", "Something else"),
    ])  # fmt: skip
    found = (await ask(cli, "research", query="postgres")).data["discoveries"]
    assert [item["id"] for item in found] == ["d2", "d1"]
    assert [item["confidence_tier"] for item in found] == ["medium", "high"]
    assert [item["id"] for item in (await ask(cli, "research", query="eak")).data["discoveries"]] == ["d1"]
    found = (await ask(cli, "research", query="example.org")).data["discoveries"]
    assert [item["id"] for item in found] == ["d2"]
    assert (await ask(cli, "research", query="zebra")).text == "Nothing is known about “zebra” yet."
    assert (await ask(cli, "research", query="%_*")).text == "Nothing is known about “%_*” yet."
    binaries.answer("ic discovery list", "null\n")
    assert (await ask(cli, "research", query="postgres")).data["discoveries"] == []


async def test_discoveries_to_decide_about_come_the_most_relevant_first(
    cli: CliKernel, binaries: Binaries
) -> None:
    rows = [discovery("d1", "low", relevance_score=0.1, status="proposed"),
            discovery("d2", "high", relevance_score=7, status="proposed"),
            discovery("d3", "odd", relevance_score="x", status="proposed"),
            discovery("d4", "new one")]  # fmt: skip
    binaries.answer("ic discovery list", rows)
    found = await cli.discoveries(status="proposed", limit=2)
    assert [(item.id, item.score) for item in found] == [("d2", 1.0), ("d1", 0.1)]
    assert "--status=proposed" in binaries.calls()[-1]


async def test_one_discovery_is_found_or_not(cli: CliKernel, binaries: Binaries) -> None:
    binaries.answer("ic discovery status abc", discovery("abc", "t", bead_id="iv-1", status="promoted"))
    assert (await cli.discovery("ABC")).issue_id == "iv-1"
    binaries.answer("ic discovery status", code=1, err="discovery: not found")
    with pytest.raises(NotFound, match="There is no discovery nope"):
        await cli.discovery("nope")
