"""What runs leave behind: listed by the kernel, read as files of the project folder and of nothing else."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from demarch.cli import runs
from demarch.cli.beside import side_by_side
from demarch.cli.commands import command
from demarch.cli.parsing import Data, line_of, moment_of, objects, text_of
from demarch.cli.process import Runner
from demarch.errors import NotFound
from demarch.files import read_beneath, text_of_file
from demarch.phrases import one_line

SEARCHED = 50  #: so many runs, youngest first, are looked through for an artifact
_TEXTS = ("id", "run_id", "phase", "type", "status", "content_hash")


async def listed(runner: Runner, run_id: str) -> Sequence[Data]:
    result = await runner.ask(command("run.artifacts", run_id))
    found = [artifact_data(data) for data in objects(result.out) if text_of(data, "id")]
    return sorted(found, key=lambda data: data["created_at"])


async def read(runner: Runner, artifact_id: str, run_id: str | None) -> tuple[Data, str]:
    """An artifact and the text of its file."""
    about = await _found(runner, artifact_id, run_id)
    path = await asyncio.to_thread(_within, runner.folder, about["path"])
    content = await asyncio.to_thread(read_beneath, runner.folder, path)
    return about, text_of_file(content)


async def _found(runner: Runner, artifact_id: str, run_id: str | None) -> Data:
    if run_id is not None:
        given = text_of(await runs.get(runner, run_id), "id")
        looked = [await listed(runner, given)]
    else:
        known = await runs.listed(runner, active=False, limit=SEARCHED)
        async with side_by_side() as group:
            tasks = [group.create_task(listed(runner, text_of(data, "id"))) for data in known]
        looked = [task.result() for task in tasks]
    for data in (artifact for found in looked for artifact in found):
        if data["id"] == artifact_id:
            return data
    raise NotFound(f"There is no artifact {one_line(artifact_id, 60)}.")


def _within(folder: Path, path: str) -> str:
    """A path that was registered whole, as one beneath the folder where it is that. Blocking."""
    for base in (folder, folder.resolve()):
        if path.startswith("/") and PurePosixPath(path).is_relative_to(base):
            return str(PurePosixPath(path).relative_to(base))
    return path


def artifact_data(data: Mapping[str, Any]) -> Data:
    kept: Data = {name: line_of(data, name, 200) for name in _TEXTS if data.get(name)}
    then = moment_of(data, "created_at")
    defaults = {"type": "file", "status": "active", "phase": "", "run_id": ""}
    return (
        defaults | kept | {"path": text_of(data, "path"), "created_at": int(then.timestamp()) if then else 0}
    )
