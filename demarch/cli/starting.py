"""Runs are started. A run carries the key of the write that started it as its scope id."""

import json
from collections.abc import Mapping
from typing import Any

from demarch import parameters as takes
from demarch.cli import runs
from demarch.cli.commands import Command, command
from demarch.cli.evidence import Said, Work, done
from demarch.cli.marks import printable
from demarch.cli.parsing import objects, text_of
from demarch.cli.process import Runner
from demarch.errors import InvalidCall
from demarch.kernel import Outcome
from demarch.phrases import one_line
from demarch.telling import runs as tell


async def started(runner: Runner, told: Command) -> Said | None:
    result = await done(runner, told)
    return next((data for data in objects(result.out) if text_of(data, "id")), None)


async def started_with(runner: Runner, work: Work) -> str | None:
    """The id of the run this write has started, if it has."""
    result = await runner.ask(command("run.list", scope=work.name))
    mine = (data for data in objects(result.out) if text_of(data, "scope_id") == work.name)
    return next((text_of(data, "id") for data in mine), None)


class Start:
    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def about(self, params: takes.StartRun) -> str:
        return ""

    async def see(self, params: takes.StartRun) -> Mapping[str, Any]:
        folder = self._runner.folder
        if params.project not in ("", str(folder), folder.name):
            raise InvalidCall(
                f"This group works on the project {one_line(folder.name, 60)}; "
                "a run elsewhere is started from a group of that project."
            )
        return {}

    async def act(self, work: Work) -> Said | None:
        params: takes.StartRun = work.params
        about = {"source": "intercom", "by": printable(work.actor, 200)}
        told = command(
            "run.create",
            goal=params.title,
            scope_id=work.name,
            complexity=params.complexity,
            token_budget=params.token_budget,
            metadata=_json(about | ({"description": params.description} if params.description else {})),
        )
        return await started(self._runner, told)

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        run_id = text_of(said, "id") if said else await started_with(self._runner, work)
        if run_id is None:
            return None
        data = await runs.get(self._runner, run_id)
        return Outcome(text=tell.started(runs.run_of(data)), data=runs.run_data(data, 0))


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
