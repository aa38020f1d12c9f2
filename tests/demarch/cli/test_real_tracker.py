"""The real `bd`, where it is at hand: what we write is found there again, however often it was killed."""

from pathlib import Path

import pytest

from demarch.calls import parse
from demarch.cli.writes import Writes
from demarch.errors import KernelUnavailable
from storage.clock import SystemClock
from storage.database import Database
from tests.demarch.cli.scenes import SCENES, Hasty, Scene
from tests.demarch.law.binaries import Template, found, missing
from tests.servers.kernels.project import Project

BD = found("bd")
KEY = "0193a7b2-5f00-7000-8000-000000000001/1"
#: seconds after which it is killed, somewhere between its start and its end
MOMENTS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(BD is None, reason=missing("bd") if BD is None else ""),
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("tracker"))


@pytest.fixture
async def agency(tmp_path: Path, template: Template) -> Project:
    assert BD is not None
    return await template.project(tmp_path, {"bd": BD})


def _writes(hasty: Hasty, database: Database) -> Writes:
    return Writes(hasty, database, SystemClock(), str(hasty.folder))


@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene.command.startswith("bd")], ids=str)
async def test_a_write_killed_again_and_again_is_done_once_in_the_end(
    scene: Scene, agency: Project, database: Database
) -> None:
    hasty = Hasty(agency)
    call = parse(scene.operation, await scene.prepare(agency))
    hasty.hurried = scene.words
    for seconds in MOMENTS:
        hasty.seconds = seconds
        try:
            await _writes(hasty, database).write(call, actor="tg:1", key=KEY)
        except KernelUnavailable:
            continue
        break
    hasty.hurried = ()
    outcome = await _writes(hasty, database).write(call, actor="tg:1", key=KEY)
    assert await _writes(hasty, database).written(KEY) == outcome
    assert await scene.done(agency, call.params.model_dump()) == 1
