"""The law of artifacts: listed by run, read from the project's folder, and from nowhere else."""

import pytest

from demarch.errors import DemarchError, NotFound
from tests.demarch.law.worlds import Caller, World, worded


async def test_an_artifact_is_listed_and_read(ana: Caller, world: World) -> None:
    (world.folder / "docs").mkdir()
    (world.folder / "docs" / "plan.md").write_text("# The plan\nFirst this.")
    run_id = await world.run()
    artifact_id = await world.artifact(run_id, "brainstorm")
    listed = await ana.read("spec_lookup", run_id=run_id)
    assert [(each["id"], each["path"], each["phase"]) for each in listed.data["artifacts"]] == [
        (artifact_id, "docs/plan.md", "brainstorm")
    ]
    worded(listed)
    read = await ana.read("spec_lookup", artifact_id=artifact_id, run_id=run_id)
    assert read.data["content"] == "# The plan\nFirst this."
    assert (await ana.read("spec_lookup", artifact_id=artifact_id)).data["content"] == read.data["content"]


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "docs/link.md", "docs/../../outside.md"])
async def test_a_path_that_leads_out_of_the_project_is_not_followed(
    ana: Caller, world: World, path: str
) -> None:
    (world.folder / "docs").mkdir()
    (world.folder.parent / "outside.md").write_text("secret")
    (world.folder / "docs" / "link.md").symlink_to(world.folder.parent / "outside.md")
    run_id = await world.run()
    artifact_id = await world.artifact(run_id, "brainstorm", path)
    with pytest.raises(DemarchError) as refused:
        await ana.read("spec_lookup", artifact_id=artifact_id, run_id=run_id)
    assert "secret" not in str(refused.value)


async def test_an_unknown_artifact_is_not_found(ana: Caller, world: World) -> None:
    run_id = await world.run()
    assert (await ana.read("spec_lookup", run_id=run_id)).data["artifacts"] == []
    with pytest.raises(NotFound):
        await ana.read("spec_lookup", artifact_id="nosuchid", run_id=run_id)
